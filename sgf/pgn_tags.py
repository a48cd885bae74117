"""PGN's tag pairs <-> the fields of a `Record`: names, escapes, dates, results and endings; what comments escape.

A tag of a PGN file stands under the name that SGF's property of the same meaning has (`TAG_NAMES`), any other under its
own. What PGN has no tag for stands in tags of ours:

    Ending "resignation"   `Record.ending`, where Termination and the last position do not give it
    Tag_a_20b "x"          a tag whose name PGN cannot have or means something else by ("_20" for " ")
"""

import re
from functools import lru_cache

TAG_NAMES = {
    "Event": "event",
    "Site": "place",
    "Date": "date",
    "Round": "round",
    "Annotator": "annotator",
    "Opening": "opening",
    "Source": "source",
    "WhiteTeam": "white team",
    "BlackTeam": "black team",
}
"""PGN tag -> the name that it shares with SGF."""
ROSTER = ("Event", "Site", "Date", "Round", "White", "Black", "Result")
RESULTS = ("1-0", "0-1", "1/2-1/2", "*")
FIELDS = frozenset({"White", "Black", "Result", "FEN", "SetUp", "Variant", "Termination", "Ending"})
"""Tags that are fields of the record."""
STANDARD = frozenset({"", "standard", "chess", "classical", "normal", "illegal", "from position", "regular"})
"""Values of Variant, in small letters, that mean ordinary chess."""

_PGN_NAMES = {ours: theirs for theirs, ours in TAG_NAMES.items()}
_TAKEN = frozenset(name.lower() for name in (*TAG_NAMES, *FIELDS))
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,79}")
_UNKNOWN = frozenset({"", "?", "????.??.??"})

_ENDINGS = (
    ("time forfeit", r"time forfeit|time|time ?out|.*\bon time|.*\btime ?out"),
    ("checkmate", r".*\bcheckmate|.*\bmates"),
    ("resignation", r".*\bresign(s|ed|ation)"),
    ("abandoned", r".*\babandoned|.*\bstalled connection"),
    ("adjudication", r".*\badjudicat(ed|ion)"),
    ("stalemate", r".*\bstalemate"),
    ("repetition", r".*\brepetition"),
    ("insufficient material", r"(?!.*time).*\binsufficient material"),
    ("fifty moves", r".*\b(50|fifty)[- ]moves?( rule)?"),
    ("agreement", r".*\bagreement|.*\bagreed"),
)
"""`Record.ending`, and what programs and servers write in Termination for it; all else stays as it is written."""
_TERMINATIONS = {
    "time forfeit": "time forfeit",
    "time": "time forfeit",
    "illegal move": "rules infraction",
    "rules infraction": "rules infraction",
    "protocol error": "rules infraction",
    "abandoned": "abandoned",
    "stall": "abandoned",
    "crash": "abandoned",
    "adjudication": "adjudication",
    "move limit": "adjudication",
    "death": "death",
    "emergency": "emergency",
    "unterminated": "unterminated",
    "could not start": "unterminated",
    "rules differ": "unterminated",
    "interrupted": "unterminated",
}
"""`Record.ending` -> Termination; for any other it is "normal"."""


@lru_cache(maxsize=4096)
def read_name(name: str) -> str:
    """The name of `Record.tags` for a PGN tag that is neither a field nor in `TAG_NAMES`."""
    if name.startswith("Tag_"):
        try:
            ours = re.sub(
                r"(?:_[0-9A-F]{2})+", lambda match: bytes.fromhex(match[0].replace("_", "")).decode(), name[4:]
            )
        except ValueError:
            return name  # somebody else's tag
        return ours if write_name(ours) == name else name
    return name


@lru_cache(maxsize=4096)
def write_name(name: str) -> str:
    """The PGN tag for a name of `Record.tags`."""
    if name in _PGN_NAMES:
        return _PGN_NAMES[name]
    if _NAME.fullmatch(name) and name.lower() not in _TAKEN and not name.startswith("Tag_"):
        return name
    coded = "".join(
        c if c.isascii() and c.isalnum() else "".join(f"_{byte:02X}" for byte in c.encode("utf-8", "replace"))
        for c in name
    )
    return f"Tag_{coded}"


def unescape(text: str) -> str:
    r"""The value of a tag pair without its escapes: ``\"`` is ``"``, ``\\`` is ``\``."""
    return re.sub(r'\\(["\\])', r"\1", text) if "\\" in text else text


def escape(text: str) -> str:
    """The value as it stands between the quotes of a tag pair, in one line."""
    line = " ".join(re.split(r"\r\n|[\r\n\0]", text))
    return line.replace("\\", "\\\\").replace('"', '\\"')


def read_comment(text: str) -> str:
    """A comment's text: "&#125;" is the brace that cannot stand in it, "&#38;#" is "&#"."""
    return text.replace("&#125;", "}").replace("&#38;#", "&#")


def write_comment(text: str) -> str:
    """The text as it may stand in braces."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", " ")
    return text.replace("&#", "&#38;#").replace("}", "&#125;")


def read_value(name: str, text: str) -> str | None:
    """The value for `Record.tags` of a PGN tag in `TAG_NAMES`; None where it says that nothing is known."""
    if text in _UNKNOWN:
        return None
    if name == "Date":
        match = re.fullmatch(r"(\d{4})\.(\d\d|\?\?)\.(\d\d|\?\?)", text)
        if match and (match[2] != "??" or match[3] == "??"):
            return "-".join(part for part in match.groups() if part != "??")
    return text


def write_value(name: str, text: str) -> str:
    """The value of the PGN tag `name`, not yet escaped."""
    if name == "Date" and re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", text):
        return ".".join([*text.split("-"), "??", "??"][:3])
    return text


@lru_cache(maxsize=256)
def read_result(text: str) -> tuple[str, bool]:
    """`Record.result` from the Result tag, and whether the tag is written as PGN says."""
    if text in RESULTS:
        return text, True
    plain = re.sub(r"\s", "", text).replace(":", "-").replace("½", "1/2").replace("–", "-").lower()
    if plain in ("1/2", "1/2-1/2", "0.5-0.5", "draw", "="):
        return "1/2-1/2", False
    if match := re.match(r"(1-0|0-1)(?!\d)", plain):
        return match[1], False
    return "*", text in ("", "?")


@lru_cache(maxsize=1024)
def read_ending(termination: str) -> str:
    """`Record.ending` from Termination alone, in small letters; "" if it says nothing, as "normal" does."""
    text = " ".join(termination.lower().split())
    if text in ("", "?", "-", "normal"):
        return ""
    return next((ending for ending, pattern in _ENDINGS if re.fullmatch(pattern, text)), text)


def write_termination(ending: str) -> str:
    """Termination for `Record.ending`: one of the words of the standard."""
    return _TERMINATIONS.get(ending, "normal") if ending else ""

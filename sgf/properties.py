"""Values of SGF properties <-> Python values, as FF[4] has them and as servers and programs really write them."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

MAX_SIZE = 52
"""Letters a-z and A-Z name at most 52 columns and rows."""
GTP_COLUMNS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
PASS = "pass"

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?|[-+]?\.\d+")
_FRACTIONS = {"1/2": ".5", "1/4": ".25", "3/4": ".75"}


def read_point(value: str, width: int, height: int) -> int | None:
    """The point number (row * width + column, row 0 at the top), ``width * height`` for a pass, None if it is neither.

    Passes: nothing, "tt" on boards up to 19x19, and "pass". Capitals that lie off the board are read as small letters.
    """
    text = value.strip()
    if not text or text.lower() == PASS or (text == "tt" and max(width, height) <= 19):
        return width * height
    for letters in (text, text.lower()):
        if len(letters) == 2:
            column, row = _LETTERS.find(letters[0]), _LETTERS.find(letters[1])
            if 0 <= column < width and 0 <= row < height:
                return row * width + column
    return None


@lru_cache(maxsize=4096)
def read_points(value: str, width: int, height: int) -> tuple[int, ...] | None:
    """The points of one value of a list: a point, or a rectangle as "aa:cc". None if it is neither."""
    first, colon, last = value.partition(":")
    one = read_point(first, width, height)
    other = read_point(last, width, height) if colon else one
    if one is None or other is None or width * height in (one, other):
        return None
    rows, columns = sorted((one // width, other // width)), sorted((one % width, other % width))
    return tuple(y * width + x for y in range(rows[0], rows[1] + 1) for x in range(columns[0], columns[1] + 1))


def write_point(point: int, width: int, height: int) -> str:
    """The point in two letters, "" for a pass."""
    return "" if point == width * height else _LETTERS[point % width] + _LETTERS[point // width]


def move_texts(width: int, height: int) -> list[str]:
    """The GTP text of every action, "pass" last: column letter without I, row number from the bottom."""
    return [f"{GTP_COLUMNS[x]}{height - y}" for y in range(height) for x in range(width)] + [PASS]


@lru_cache(maxsize=256)
def read_size(value: str) -> tuple[int, int] | None:
    """Columns and rows from "19", "9:13", and "19x19" as met; None if it is no size from 1 to 52."""
    match = re.fullmatch(r"\s*(\d{1,3})\s*(?:[:xX*]\s*(\d{1,3})\s*)?", unicodedata.normalize("NFKC", value))
    if not match:
        return None
    size = int(match[1]), int(match[2] or match[1])
    return size if all(1 <= side <= MAX_SIZE for side in size) else None


def _numbers(value: str) -> Iterator[float]:
    """The numbers in a text: full-width digits, decimal commas, halves and quarters (半, 1/2, ½) understood."""
    text = unicodedata.normalize("NFKC", value).replace("\u2044", "/")
    text = re.sub(r"(\d),(\d)", r"\1.\2", text)
    text = re.sub(r"(\d*)(?:\s+|又)?(?<!\d)([13]/[24])", lambda m: f"{m[1] or 0}{_FRACTIONS.get(m[2], '')}", text)
    text = re.sub(r"(\d+)\s*[目子점집]?\s*[半반]", r"\1.5", text)
    text = re.sub(r"[半반]\s*[目집]", "0.5", text)
    return (float(number) for number in _NUMBER.findall(text))


def read_number(value: str) -> float | None:
    """A Real or a Number as FF[4] writes it, None if it is not so written."""
    text = value.strip()
    return float(text) if _NUMBER.fullmatch(text) and len(text) < 20 else None


_HUNDREDTHS = {250, 275, 325, 375, 450, 550, 600, 650, 700, 750, 800, 850}
"""Komis as Fox writes them, in hundredths: of points, or of zi."""


@lru_cache(maxsize=256)
def read_komi(value: str, rules: str | None = None, exact: bool = False) -> float | None:
    """Points that White gets, from KM; None if it says none. `rules` are those of the game, by our name, if known.

    Understood besides numbers: decimal commas and units ("6,5", "5.5目", "6目半"), the usual komis in hundredths (Fox:
    650 is 6.5), and zi, of which one is two points: 3.75, 375 and "3又3/4子" are 7.5, unless the rules are not
    Chinese. With `exact` (files of our own) a plain number is what it says.
    """
    if exact and _NUMBER.fullmatch(value.strip()):
        return float(value) + 0.0
    number = next(_numbers(value), None)
    if number is None or abs(number) > 100_000:
        return None
    if abs(number) in _HUNDREDTHS:
        number /= 100
    if rules in (None, "chinese") and abs(number) in (2.75, 3.25, 3.75):  # zi: nobody gives quarters of a point
        number *= 2
    return number


@lru_cache(maxsize=256)
def read_handicap(value: str) -> int | None:
    """Handicap stones from HA; None if it says no number: "让先" and "吴受先" mean that the weaker side begins, 0."""
    number = next(_numbers(value), None)
    if number is not None and 0 <= number <= 2704 and number == int(number):
        return int(number)
    return 0 if "先" in value else None


_COLOURS = {"B": "B黑黒흑●", "W": "W白백○"}
_WORDS = (
    ("R", "resignation", r"R|RES\w*|.*\bRES.*|.*中[盘盤押].*|.*불계.*|.*投.*"),
    ("T", "time", r"T|TIME.*|.*\bTIME.*|.*超[时時].*|.*時間.*|.*切れ負.*|.*시간.*"),
    ("F", "forfeit", r"F|FORF.*|.*\bFORF.*|.*[反]則.*|.*弃权.*|.*棄権.*|.*不戦.*|.*不战.*|.*기권.*"),
)
_DRAWS = {"0", "DRAW", "JIGO", "TIE", "和棋", "和", "平局", "持碁", "ジゴ", "빅", "무승부"}
_NO_RESULT = {"VOID", "無勝負", "无胜负", "NO RESULT", "BOTH LOST", "両負け"}


@lru_cache(maxsize=4096)
def read_result(value: str) -> tuple[str, str, bool]:
    """`Record.result` and `Record.ending` from RE, and whether RE is written as FF[4] says.

    Understood: "B+R", "W+Resign", "B+T", "B+F", "B+3.5", "W+1/2", "B+", "0", "Draw", "Void", "?", and words in
    Chinese, Japanese and Korean ("黑中盘胜", "白番中押し勝ち", "黑胜3又3/4子").
    """
    text = unicodedata.normalize("NFKC", value).strip()
    upper = text.upper()
    if upper in ("", "?", "*", "UNFINISHED"):
        return "*", "", upper in ("", "?")
    if upper in _NO_RESULT:
        return "*", "no result", text == "Void"
    if upper in _DRAWS:
        return "0", "", text in ("0", "Draw")
    winner = _winner(upper)
    if not winner:
        return "*", "", False
    rest = upper[1:].lstrip(" 番方+")
    exact = bool(re.fullmatch(r"[BW]\+(R|Resign|T|Time|F|Forfeit|\d+(\.\d+)?)?", text))
    for letter, ending, pattern in _WORDS:
        if re.fullmatch(pattern, rest):
            return f"{winner}+{letter}", ending, exact
    number = next(_numbers(rest), None)
    if number is None or number > 100_000:
        return f"{winner}+", "", exact
    if "子" in rest or number * 2 % 1:  # in zi, of which one is two points
        number *= 2
    return (f"{winner}+{number:g}" if number else "0"), "", exact


_WRITTEN = {"1-0": "B+", "0-1": "W+", "1/2-1/2": "Draw", "*": "?"}


def write_result(result: str, ending: str) -> str:
    """RE for `Record.result` and `Record.ending`."""
    return "Void" if (result, ending) == ("*", "no result") else _WRITTEN.get(result, result)


def _winner(upper: str) -> str:
    """ "B", "W", or "" if the text names no winner."""
    for colour, letters in _COLOURS.items():
        word = "BLACK" if colour == "B" else "WHITE"
        if upper.startswith(word) and re.search(r"\bW(I|O)N|\+|ADVANTAGE", upper):
            return colour
        if upper[0] in letters and (re.match(r".\s*\+|. W[IO]N", upper) or upper[0] not in "BW"):
            loses = re.search(r"[负負敗패]", upper) and not re.search(r"[胜勝승]", upper)
            return ("W" if colour == "B" else "B") if loses else colour
    return ""


_RULES = (
    ("new-zealand", r"NZ|NEW.?ZEALAND"),
    ("aga", r"AGA|AMERICAN|BGA|BRITISH|FFG|FRENCH"),
    ("tromp-taylor", r"TROMP|TT\b|LOGICAL|CGOS"),
    ("chinese", r"CHINESE|CN\b|中国|中國|GOE|ING\b|应氏|應氏|中國規則"),
    ("japanese", r"JAPANESE|JP\b|日本|KOREAN|KR\b|韩国|韓国|한국|일본|TERRITORY"),
)


def read_rules(value: str) -> str | None:
    """The name of one of our rule sets from RU, or None if it names none that we know (Ing counts as Chinese)."""
    text = unicodedata.normalize("NFKC", value).strip().upper()
    return next((rules for rules, pattern in _RULES if re.match(pattern, text)), None)


def allows_suicide(value: str) -> bool:
    """Do the rules that RU names allow suicide? New Zealand's, Ing's (GOE) and Tromp-Taylor's do."""
    return bool(re.match(r"NZ|NEW.?ZEALAND|GOE|ING\b|应氏|應氏|TROMP|LOGICAL", value.strip().upper()))

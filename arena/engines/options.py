"""Options of engines in UCI and USI: how they are announced, read back, and given values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sakiyomi.arena.engines.spec import unknown_option

ATTRIBUTES = {
    "Depth": ("depth", 99),
    "Simulations": ("simulations", 1_000_000_000),
    "Hash": ("megabytes", 1 << 16),
    "Threads": ("threads", 512),
}
"""Options that a player of ours has if it has the attribute, a whole number of 1 or more; and the greatest value."""
KINDS = ("check", "spin", "combo", "button", "string", "filename")

_ANNOUNCED = re.compile(r"option\s+name\s+(.*?)\s+type\s+(\S+)\s*(.*)", re.DOTALL)
_FIELD = re.compile(r"\s(default|min|max|var)(?=\s|$)")
_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_WHOLE = re.compile("[+-]?[0-9]{1,15}")


@dataclass(frozen=True)
class Option:
    """One option: a switch (kind ``check``), a whole number of `least` to `most` (``spin``), one of `choices`
    (``combo``), a text (``string``, ``filename``), or something to be done (``button``).
    """

    name: str
    kind: str
    default: bool | int | str = ""
    least: int | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The line that announces it."""
        words = [f"option name {self.name} type {self.kind}"]
        if self.kind != "button":
            words.append(f"default {option_text(self.default)}")
        if self.least is not None:
            words.append(f"min {self.least}")
        if self.most is not None:
            words.append(f"max {self.most}")
        return " ".join([*words, *(f"var {choice}" for choice in self.choices)])

    def read(self, value: Any) -> bool | int | str:
        """The value that a text, or a value of Python's, says. Raises ValueError."""
        text = "" if value is None else str(value).strip()
        if self.kind == "check":
            if text.lower() not in _YES + _NO:
                raise ValueError(f"option {self.name} is true or false, not {text!r}")
            return text.lower() in _YES
        if self.kind == "spin":
            return self._number(text)
        if self.kind == "combo":
            found = next((choice for choice in self.choices if choice.lower() == text.lower()), None)
            if found is None:
                raise ValueError(f"option {self.name} is one of {', '.join(self.choices)}, not {text!r}")
            return found
        if self.kind == "button" and text:
            raise ValueError(f"option {self.name} is a button: it takes no value, not {text!r}")
        if "\n" in text or "\r" in text:
            raise ValueError(f"option {self.name} is one line of text, not {text!r}")
        return text

    def _number(self, text: str) -> int:
        least, most = self.least, self.most
        found = _whole(text)
        if found is None or (least is not None and found < least) or (most is not None and found > most):
            limits = f" from {least} to {most}" if least is not None and most is not None else ""
            raise ValueError(f"option {self.name} is a whole number{limits}, not {text!r}")
        return found


def switch(name: str, default: bool) -> Option:
    """An option that is on or off."""
    return Option(name, "check", default)


def number(name: str, default: int, least: int, most: int) -> Option:
    """An option that is a whole number."""
    return Option(name, "spin", default, least, most)


def option_text(value: bool | int | str) -> str:
    """A value as the protocols write it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if value != "" else "<empty>"


def parse_option(line: str) -> Option:
    """The option that a line ``option name NAME type KIND ...`` announces. Raises ValueError with what is wrong."""
    match = _ANNOUNCED.fullmatch(line.strip())
    if match is None or match[2] not in KINDS:
        raise ValueError(f"{line!r} announces no option: option name NAME type {'|'.join(KINDS)} ... is wanted")
    name, kind, rest = match[1].strip(), match[2], match[3]
    if kind in ("string", "filename"):  # the default is any text
        rest = rest.partition("default")[2].strip()
        return Option(name, kind, "" if rest == "<empty>" else rest)
    fields: dict[str, list[str]] = {"default": [], "min": [], "max": [], "var": []}
    pieces = _FIELD.split(f" {rest}")
    for word, text in zip(pieces[1::2], pieces[2::2], strict=True):
        fields[word].append(text.strip())
    least, most = (_whole(fields[word][0]) if fields[word] else None for word in ("min", "max"))
    text = fields["default"][0] if fields["default"] else ""
    default: bool | int | str = text
    if kind == "check":
        default = text.lower() == "true"
    elif kind == "spin":
        default = _whole(text) or 0
    return Option(name, kind, default, least, most, tuple(fields["var"]))


def parse_setoption(words: list[str]) -> tuple[str, str | None]:
    """Name and value, None where there is none, of the words behind ``setoption``. Raises ValueError.

    Names may hold blanks, and values the word "value".
    """
    if words[:1] != ["name"]:
        raise ValueError("it is written: setoption name NAME [value VALUE]")
    at = words.index("value") if "value" in words else len(words)
    name = " ".join(words[1:at])
    if not name:
        raise ValueError("setoption without a name")
    return name, " ".join(words[at + 1 :]) if at < len(words) else None


def option_values(
    program: str, known: Mapping[str, Option], wanted: Mapping[str, Any], limits: Mapping[str, str]
) -> dict[str, bool | int | str]:
    """`wanted` by the names, and with the values, that the engine's options take; `known` has them in small letters.

    A limit of strength (UCI_Elo) switches UCI_LimitStrength on, without which engines ignore it. Raises ValueError
    for an option that the engine does not have, with names that are near, also of `limits`, and for a value that it
    does not take.
    """
    values: dict[str, bool | int | str] = {}
    for key, value in wanted.items():
        option = known.get(key.lower())
        if option is None:
            raise ValueError(unknown_option(program, key, [each.name for each in known.values()], limits))
        try:
            values[option.name] = option.read(value)
        except ValueError as error:
            raise ValueError(f"{program}: {error}") from None
    if "UCI_Elo" in values and "uci_limitstrength" in known:
        values.setdefault("UCI_LimitStrength", True)
    return values


def settings_of(player: Any, attributes: Mapping[str, tuple[str, int]] = ATTRIBUTES) -> list[Option]:
    """The options that a player has by its attributes."""
    found = []
    for name, (attribute, most) in attributes.items():
        value = getattr(player, attribute, None)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
            found.append(number(name, value, 1, most))
    return found


def _whole(text: str) -> int | None:
    return int(text) if _WHOLE.fullmatch(text) else None

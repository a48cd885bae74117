"""The options of a UCI engine: how they are announced, and how ``setoption`` is read."""

import re
from dataclasses import dataclass
from typing import Any

ATTRIBUTES = {
    "Depth": ("depth", 99),
    "Simulations": ("simulations", 1_000_000_000),
    "Hash": ("megabytes", 1 << 16),
    "Threads": ("threads", 512),
}
"""Options that a player has if it has the attribute, a whole number of 1 or more; and the greatest value allowed."""


@dataclass(frozen=True)
class Option:
    """A switch (``check``), or a whole number (``spin``) of `least` to `most`."""

    name: str
    default: bool | int
    least: int = 0
    most: int = 0

    def __str__(self) -> str:
        """The line that announces it."""
        if isinstance(self.default, bool):
            return f"option name {self.name} type check default {str(self.default).lower()}"
        return f"option name {self.name} type spin default {self.default} min {self.least} max {self.most}"

    def read(self, text: str | None) -> bool | int:
        """The value that `text` says. Raises ValueError."""
        text = (text or "").strip()
        if isinstance(self.default, bool):
            if text.lower() not in ("true", "false"):
                raise ValueError(f"option {self.name} is true or false, not {text!r}")
            return text.lower() == "true"
        if not re.fullmatch("[+-]?[0-9]{1,15}", text) or not self.least <= int(text) <= self.most:
            raise ValueError(f"option {self.name} is a whole number from {self.least} to {self.most}, not {text!r}")
        return int(text)


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


def settings_of(player: Any) -> list[Option]:
    """The options that a player has by its attributes."""
    found = []
    for name, (attribute, most) in ATTRIBUTES.items():
        value = getattr(player, attribute, None)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
            found.append(Option(name, value, 1, most))
    return found

"""Settings by name: from texts such as ``search.simulations=64`` into a frozen dataclass, and to JSON and back.

The fields' types say what a text may be: bool, int, float, str, Literal, Enum (by name), tuple of these ("3,5,8"),
``X | None`` ("none"), and dataclasses, whose fields are named with a dot.
"""

import difflib
import enum
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Config = TypeVar("Config")


def overridden(config: Config, settings: Iterable[str]) -> Config:
    """`config` with ``name=value`` texts put in, all at once.

    Raises ValueError: for an unknown name with the nearest one, for a value with what would be right.
    """
    changes: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = (part.strip() for part in setting.partition("="))
        if not equals or not name:
            raise ValueError(f"setting {setting!r} is to be written name=value, such as {_example(config)}")
        *groups, last = name.split(".")
        level = changes
        for group in groups:
            level = level.setdefault(group, {})
            if not isinstance(level, dict):
                raise ValueError(f"setting {name!r}: {group} itself is set, too")
        level[last] = text
    changed: Config = _changed(config, changes, "")
    return changed


def settings_of(config: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every name that `overridden` takes, with its present value as it would be written."""
    for each in fields(config):
        value = getattr(config, each.name)
        if is_dataclass(value):
            yield from settings_of(value, f"{prefix}{each.name}.")
        else:
            yield prefix + each.name, _text(value)


def to_json(config: Any) -> dict[str, Any]:
    """`config` as what JSON can hold."""
    return {each.name: _plain(getattr(config, each.name)) for each in fields(config)}


def from_json(kind: type[Config], values: Mapping[str, Any], where: str = "config.json") -> Config:
    """The `kind` that `to_json` gave `values` for; fields that they lack have their defaults.

    Raises ValueError, which begins with `where`, for unknown names, missing ones without a default and wrong values.
    """
    hints = _hints(kind)
    if unknown := [name for name in values if name not in hints]:
        raise ValueError(f"{where}: {_unknown(unknown[0], hints)}")
    try:
        return kind(**{name: _fitting(value, hints[name], f"{where}: {name}") for name, value in values.items()})
    except TypeError as error:  # a field without a default is missing
        raise ValueError(f"{where}: {error}") from None


def parse(text: str, hint: Any, name: str) -> Any:
    """The value of type `hint` that `text` means. Raises ValueError, which begins with `name`."""
    for meaning in _meanings(text):
        with suppress(ValueError):
            return _fitting(meaning, hint, name)
    raise ValueError(f"{name}={text}: {_wanted(hint)} is wanted")


def _changed(config: Any, changes: Mapping[str, Any], prefix: str) -> Any:
    hints, new = _hints(type(config)), {}
    for name, change in changes.items():
        if name not in hints:
            raise ValueError(_unknown(name, hints, prefix))
        value, whole = getattr(config, name), prefix + name
        if is_dataclass(value) != isinstance(change, dict):
            inner = ", ".join(each for each, _ in settings_of(value, f"{whole}.")) if is_dataclass(value) else whole
            raise ValueError(f"setting {whole!r} cannot be set so; there is: {inner}")
        new[name] = _changed(value, change, f"{whole}.") if is_dataclass(value) else parse(change, hints[name], whole)
    return replace(config, **new)


def _meanings(text: str) -> Iterator[Any]:
    """What a text may stand for, as JSON would hold it."""
    if text.lower() == "none":
        yield None
    for written in (text.lower(), text, f"[{text}]"):
        with suppress(ValueError):
            yield json.loads(written)
    yield text
    yield [part.strip() for part in text.split(",")]


def _fitting(value: Any, hint: Any, where: str) -> Any:
    """What JSON holds as `value`, as a field of type `hint` holds it. Raises ValueError."""
    origin, options = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        for option in options:
            with suppress(ValueError):
                return _fitting(value, option, where)
    elif origin is Literal:
        if any(value == option and type(value) is type(option) for option in options):
            return value
    elif origin is tuple and isinstance(value, list | tuple):
        kinds = options[:1] * len(value) if options[1:] == (...,) else options
        if len(kinds) == len(value):
            return tuple(_fitting(part, kind, where) for part, kind in zip(value, kinds, strict=True))
    elif is_dataclass(hint) and isinstance(hint, type) and isinstance(value, dict):
        return from_json(hint, value, where)
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        if isinstance(value, str) and value in hint.__members__:
            return hint[value]
    elif hint is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    elif hint is int and type(value) is float and value.is_integer():
        return int(value)  # 2e5
    elif type(value) is hint and hint is not float:
        return value
    raise ValueError(f"{where}: {_wanted(hint)} is wanted, got {value!r}")


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return to_json(value)
    if isinstance(value, enum.Enum):
        return value.name
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def _text(value: Any) -> str:
    """A value as `overridden` reads it."""
    if isinstance(value, tuple) and any(isinstance(part, tuple) for part in value):
        return json.dumps(_plain(value))
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    if isinstance(value, enum.Enum):
        return value.name
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _wanted(hint: Any) -> str:
    """In words, what a field of that type may be."""
    origin, options = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join("none" if option is NoneType else _wanted(option) for option in options)
    if origin is Literal:
        return f"one of {', '.join(map(str, options))}"
    if origin is tuple:
        return f"{'some' if options[1:] == (...,) else len(options)} with commas between, each {_wanted(options[0])}"
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return f"one of {', '.join(hint.__members__)}"
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}.get(hint, str(hint))


def _hints(kind: Any) -> dict[str, Any]:
    """The types of the fields, by name."""
    hints = get_type_hints(kind)
    return {each.name: hints[each.name] for each in fields(kind) if each.init}


def _unknown(name: str, names: Iterable[str], prefix: str = "") -> str:
    known = list(names)
    near = difflib.get_close_matches(name, known, 1, 0.5)
    hint = f"did you mean {prefix + near[0]!r}?" if near else f"there are: {', '.join(known)}"
    return f"no setting {prefix + name!r}; {hint}"


def _example(config: Any) -> str:
    return next((f"{name}={value}" for name, value in settings_of(config)), "none: there are no settings")

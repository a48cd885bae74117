"""What fixes the episodes of a tournament of tasks, as JSON in its store: reading it, and how it may grow."""

from pathlib import Path
from typing import Any

from sakiyomi.arena.store import StoreError
from sakiyomi.arena.tasks.store import EpisodeStore

_SHAPE = {"tasks": list, "players": list, "games": int, "seed": int, "scales": dict}


def task_config_of(store: EpisodeStore) -> dict[str, Any]:
    """The configuration in a store. Raises StoreError unless it is one of a tournament of tasks."""
    config = store.config
    for key, kind in _SHAPE.items():
        if not isinstance(config.get(key), kind) or not _sound(key, config[key]):
            raise StoreError(f"{store.path} is damaged (its configuration has no proper {key!r}); restore a copy")
    return config


def _sound(key: str, value: Any) -> bool:
    if key == "tasks":
        return all(isinstance(name, str) for name in value)
    if key == "players":
        return all(isinstance(p, list) and len(p) == 2 and all(isinstance(text, str) for text in p) for p in value)
    if key == "scales":
        return all(
            isinstance(pair, list) and len(pair) == 2 and all(isinstance(end, int | float) for end in pair)
            for pair in value.values()
        )
    return True


def check_task_resumed(path: Path, stored: dict[str, Any], config: dict[str, Any]) -> None:
    """Raises ValueError unless the tournament `stored` in `path` may go on as `config`."""
    for key in ("seed", "games", "tasks", "players"):
        before, now = stored[key], config[key]
        grown = before == now if key == "seed" else before <= now if key == "games" else now[: len(before)] == before
        if not grown:
            raise ValueError(
                f"{path} cannot be resumed: {key} was {_shown(before)}, is now {_shown(now)}{_MAY_GROW[key]}"
            )


_MAY_GROW = {
    "seed": "",
    "games": "; it can only grow",
    "tasks": "; others can only be added after them",
    "players": "; others can only be added after them",
}


def task_title(config: dict[str, Any]) -> str:
    """A tournament in a few words."""
    return f"{', '.join(config['tasks'])}: {', '.join(name for name, _ in config['players'])}"


def _shown(value: Any) -> str:
    if not isinstance(value, list):
        return repr(value)
    return ", ".join(each if isinstance(each, str) else "=".join(each) for each in value)

"""Agents with a latent state on disk, as `agent_files` has them: networks for observations and controls of a task."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from sakiyomi.agents.parts.episodes.controls import Controls
from sakiyomi.agents.parts.latent.observing import best_device
from sakiyomi.agents.parts.runs.agent_files import DAMAGE, damaged, load_agent, save_agent
from sakiyomi.agents.parts.runs.flags import from_json, to_json

Settings = TypeVar("Settings")
Build = Callable[[Settings, tuple[int, ...], Controls, int], nn.Module]
"""Networks of a configuration, for observations of a shape and for controls, with a seed."""


def save_latent(
    folder: Path, kind: str, task: str, config: Any, shape: tuple[int, ...], controls: Controls, nets: nn.Module
) -> None:
    """Write an agent of that `kind` into `folder`."""
    about = {"task": task, "config": to_json(config), "shape": list(shape), "controls": controls.to_json()}
    save_agent(folder, kind, about, nets.state_dict())


def load_latent(folder: Path, kind: str, settings: type[Settings], build: Build[Settings]) -> tuple[str, Any, Controls]:
    """The task, the networks, on the best device, and the controls that `save_latent` wrote.

    Raises ValueError if `folder` holds no such agent.
    """
    about, tensors = load_agent(folder, kind)
    try:
        config = from_json(settings, about["config"], str(folder / "agent.json"))
        controls = Controls.from_json(about["controls"])
        nets = build(config, tuple(map(int, about["shape"])), controls, 0)
        nets.load_state_dict(tensors)
        return about["task"], nets.to(best_device()), controls
    except DAMAGE as error:
        raise damaged(folder, error) from error

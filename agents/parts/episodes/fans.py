"""What an agent foresaw in an episode of a control task, beside what then happened: as arrays and as a picture.

::

    watched = watch(task.make(), agent, seed=0, every=10)
    watched.arrays()                    # by name, ready for np.savez
    plot_fans(watched, "fans.png")      # each observed quantity over time, with a fan from every tenth step on

An environment that names what is observed does so in its ``metadata["observed"]``.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.agent import Agent, Foresight, Predicted, Turn
from sakiyomi.agents.parts.episodes.rollouts import Floats, Rollout, play
from sakiyomi.agents.parts.runs.checkpoints import write_bytes

if TYPE_CHECKING:
    from gymnasium import Env

SEEN = ("observation", "state")
"""What an agent may call its prediction of what is observed."""
SURE = 2.0
"""Standard deviations to either side that a fan shows: 95 % of a Gaussian."""
CLOUD = 20  # sampled futures that are drawn at the most
PANELS = 8  # quantities that are drawn at the most


@dataclass(frozen=True)
class Watched:
    """An episode, and what was foreseen in some of its steps, by their numbers; `names` are those of observations.

    `discount` a step is the agent's, for what it calls a value.
    """

    rollout: Rollout
    foreseen: Mapping[int, Foresight]
    names: tuple[str, ...] = ()
    discount: float = 1.0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """observations [T + 1, O], actions, rewards, returns [T + 1] (`Rollout.returns`); and of each step T with a fan
        "T/value", "T/plan" and "T/QUANTITY/mean", and as far as the agent tells, /std, /covariance and /samples
        (`Predicted`)."""
        rollout = self.rollout
        found = {"observations": rollout.observations, "actions": rollout.actions, "rewards": rollout.rewards}
        found["returns"] = rollout.returns(self.discount)
        for step, foresight in self.foreseen.items():
            if foresight.value is not None:
                found[f"{step}/value"] = np.array(foresight.value)
            if foresight.plan is not None:
                found[f"{step}/plan"] = np.asarray(foresight.plan)
            for name, predicted in foresight.future.items():
                parts = {key: value for key, value in vars(predicted).items() if value is not None}
                found |= {f"{step}/{name}/{key}": np.asarray(value) for key, value in parts.items()}
        return found

    def coverage(self, ahead: int) -> float:
        """The part of the observations `ahead` steps after a fan's start that lie within it; NaN if there are none."""
        inside: list[NDArray[np.bool_]] = []
        for step, foresight in self.foreseen.items():
            fan = of_observations(foresight, self.rollout)
            if fan is None or step + ahead >= len(self.rollout.observations) or ahead > len(fan.mean):
                continue
            off = np.abs(self.rollout.observations[step + ahead] - fan.mean[ahead - 1])
            inside.append(off <= SURE * spread(fan)[ahead - 1])
        return float(np.mean(inside)) if inside else float("nan")


def watch(env: "Env[Any, Any]", agent: Agent[Any], seed: int, every: int = 10) -> Watched:
    """An episode of `agent` in `env`, acting as well as it can; it tells what it foresees in every so many steps."""
    carry, foreseen, step = agent.initial(1, seed), dict[int, Foresight](), 0

    def choose(turn: Turn) -> NDArray[Any]:
        nonlocal carry, step
        actions, carry = agent.act(carry, turn, False)
        if step % every == 0:
            foreseen[step] = agent.foresee(carry, turn)
        step += 1
        return actions

    names = env.unwrapped.metadata.get("observed", ())
    discount = float(getattr(agent.config, "discount", 1.0))
    return Watched(play(env, choose, seed), foreseen, tuple(map(str, names)), discount)


def of_observations(foresight: Foresight, rollout: Rollout) -> Predicted | None:
    """What is predicted of the observations, in their own coordinates; None if nothing is."""
    size = rollout.observations.shape[1]
    fitting = (foresight.future[name] for name in SEEN if name in foresight.future)
    return next((fan for fan in fitting if fan.mean.ndim == 2 and fan.mean.shape[1] == size), None)


def spread(predicted: Predicted) -> Floats:
    """Its standard deviations, [H, ...] as the mean; zeros where the agent tells of none."""
    if predicted.std is not None:
        return np.asarray(predicted.std, np.float64)
    if predicted.covariance is not None:
        variances: Floats = np.einsum("hii->hi", predicted.covariance)
        return np.sqrt(np.maximum(variances, 0.0))
    if predicted.samples is not None:
        deviations: Floats = np.asarray(predicted.samples, np.float64).std(axis=0)
        return deviations
    return np.zeros(predicted.mean.shape)


def plot_fans(watched: Watched, path: str | Path, names: tuple[str, ...] = (), steps: int | None = None) -> None:
    """Draw each observed quantity, the reward, the value if it is foreseen, and the actions; write the PNG at once.

    Of a long episode, the first `steps` are drawn.

    Quantities are called by `names`, else as the environment names them, else by their numbers. What happened is black
    (beside values: what was still to come of the episode); a fan is its mean, `SURE` standard deviations to either
    side, and sampled futures.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rollout, names, steps = watched.rollout, names or watched.names, steps or len(watched.rollout)
    watched = replace(watched, foreseen={step: each for step, each in watched.foreseen.items() if step < steps})
    shown = min(rollout.observations.shape[1], PANELS)
    valued = any("value" in foresight.future for foresight in watched.foreseen.values())
    rows = shown + 2 + valued
    figure = Figure(figsize=(9, 1.6 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, 1, sharex=True)
    for number in range(shown):
        title = names[number] if number < len(names) else f"observation {number}"
        panels[number].set_ylabel(title, fontsize=8)
        for step, foresight in watched.foreseen.items():
            if (fan := of_observations(foresight, rollout)) is not None:
                cloud = None if fan.samples is None else fan.samples[..., number]
                begin = rollout.observations[step, number]
                _draw(panels[number], step, fan.mean[:, number], spread(fan)[:, number], cloud, begin)
        panels[number].plot(rollout.observations[: steps + 1, number], color="black", linewidth=1.2)
    _draw_numbers(panels[shown], watched, "reward")
    panels[shown].plot(
        1 + np.arange(len(rollout.rewards[:steps])), rollout.rewards[:steps], color="black", linewidth=1.2
    )
    if valued:
        _draw_numbers(panels[shown + 1], watched, "value")
        panels[shown + 1].plot(rollout.returns(watched.discount)[: steps + 1], color="black", linewidth=1.2)
    panels[-1].set_ylabel("action", fontsize=8)
    panels[-1].step(np.arange(len(rollout.actions[:steps])), rollout.actions[:steps], where="post", linewidth=1.0)
    panels[-1].set_xlabel("step", fontsize=8)
    for axes in panels:
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.3)
    figure.suptitle("foreseen (colours) and what then happened (black)", fontsize=10)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    write_bytes(path, picture.getvalue())


def _draw_numbers(axes: Any, watched: Watched, name: str) -> None:
    """The fans of "reward" or "value", one number a step; values open at what was expected where they begin."""
    axes.set_ylabel(name, fontsize=8)
    for step, foresight in watched.foreseen.items():
        if (fan := foresight.future.get(name)) is not None and fan.mean.ndim == 1:
            _draw(axes, step, fan.mean, spread(fan), fan.samples, foresight.value if name == "value" else None)


def _draw(
    axes: Any, step: int, mean: Floats, std: Floats, cloud: Floats | None = None, begin: float | None = None
) -> None:
    """A fan of what follows `step`; it opens at `begin`, what was seen there."""
    at = step + 1 + np.arange(len(mean))
    if begin is not None:
        at, mean, std = np.r_[step, at], np.r_[begin, mean], np.r_[0.0, std]
        cloud = None if cloud is None else np.column_stack([np.full(len(cloud), begin), cloud])
    (line,) = axes.plot(at, mean, linewidth=1.0)
    axes.fill_between(at, mean - SURE * std, mean + SURE * std, alpha=0.2, color=line.get_color(), linewidth=0)
    if cloud is not None:
        few = cloud[:: max(1, len(cloud) // CLOUD)]
        axes.plot(at, few.T, color=line.get_color(), alpha=0.15, linewidth=0.5)

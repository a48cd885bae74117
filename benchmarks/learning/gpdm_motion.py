"""GPDM on motion: forecasts of held-out cycles, filling a gap, fair samples, and a picture of the latent orbits.

    python benchmarks/learning/gpdm_motion.py [--seeds 3] [--file WALK.amc] [--out docs/results]

Without a file the motion is that of a humanoid in MuJoCo (`parts/motion/gaits`) and the made-up gait of 40 channels.
Errors are root mean squares over channels, each divided by its standard deviation in what was learnt from.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from sakiyomi.agents.gpdm import BALANCED, FIXED, GPDM, MAP, TWO_STAGE
from sakiyomi.agents.parts.gpdm.learning import learn_map, principal_latents, starting_state
from sakiyomi.agents.parts.gpdm.model import Model
from sakiyomi.agents.parts.gpdm.motions import gathered
from sakiyomi.agents.parts.gpdm.paths import fair_samples, mean_path
from sakiyomi.agents.parts.gpdm.posterior import Posterior
from sakiyomi.agents.parts.motion.files import read_motion
from sakiyomi.agents.parts.motion.gaits import humanoid_gait, synthetic_gait

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
Floats = NDArray[np.float64]
Forecast = Callable[[Floats, int], Floats]
"""[steps, D] what comes after rows [T, D]."""

LEARNT, CYCLE = 132, 33  # frames: four cycles, and one
AHEAD, BEFORE, STARTS = 66, 20, 6  # steps forecast, rows shown before them, forecasts a motion
GAP = (58, 108)  # frames that are missing, of six cycles
ABOUT = (
    "each model learns four cycles of a motion, then forecasts the next. Errors are root mean squares over channels, "
    "each divided by its deviation in what was learnt from. Linear AR takes the last two rows, with the ridge that "
    "forecasts the last cycle learnt from best; the GPLVM is the same observation model without dynamics."
)
WAYS = {
    "GPDM, MAP, second order": MAP,
    "GPDM, MAP, first order": replace(MAP, order=1, difference=False),
    "GPDM, fixed dynamics": FIXED,
    "GPDM, balanced": BALANCED,
    "GPDM, two-stage MAP": replace(TWO_STAGE, cycles=6, draws=20, skip=5),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="motions to learn, each by every way")
    parser.add_argument("--file", type=Path, help="a BVH, AMC or CSV file instead; its gaps are not filled")
    parser.add_argument("--stride", type=int, default=4, help="every n-th frame of the file (default %(default)s)")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the page")
    given = parser.parse_args()
    results: dict[str, Any] = {"forecasts": [], "gaps": [], "reference": []}
    for name, motion in motions(given.file, given.stride, given.seeds):
        learnt, then = motion[:LEARNT], motion[LEARNT:]
        fitted = fit_all(learnt, results, name)
        results["forecasts"].append({"motion": name} | forecast_errors(fitted, learnt, then))
        if given.file is None:
            results["gaps"].append({"motion": name} | gap_errors(motion[: LEARNT + 2 * CYCLE]))
        if "picture" not in results:
            results["picture"] = "gpdm-motion.png"
            draw(fitted, learnt, then, given.out / "gpdm-motion.png", results)
        write(results, given.out)


def motions(file: Path | None, stride: int, seeds: int) -> list[tuple[str, Floats]]:
    """What is learnt, by name."""
    if file is not None:
        return [(file.name, read_motion(file).every(stride).unwrapped().frames)]
    frames = LEARNT + AHEAD + 50
    bodies = [(f"humanoid, seed {seed}", humanoid_gait(seed, frames=frames).frames) for seed in range(seeds)]
    return [*bodies, ("made up, seed 0", synthetic_gait(0, frames=frames, period=33.0).frames)]


def fit_all(learnt: Floats, results: dict[str, Any], name: str) -> dict[str, GPDM]:
    """Every GPDM, and the GPLVM, of the frames `learnt` [T, D]."""
    fitted = {}
    for way, config in WAYS.items():
        started = time.process_time()
        fitted[way] = GPDM.fit([learnt], config, seed=0)
        model = fitted[way].model
        assert model is not None
        results["reference"].append(
            {
                "motion": name,
                "model": way,
                "cpu seconds": time.process_time() - started,
                "objective": model.posterior.slope(model.state).value,
                "alpha": model.state.alpha.tolist(),
                "orbit": orbit(model),
                "mean-prediction": mean_prediction(model),
            }
        )
        print(name, way, f"{results['reference'][-1]['cpu seconds']:.0f} CPU-s", flush=True)
    return fitted


def orbit(model: Model) -> dict[str, float]:
    """How smooth the path is, and how nearly it closes after a cycle."""
    x = model.x
    first, second = np.diff(x, axis=0), np.diff(x, n=2, axis=0)
    apart = np.sqrt(((x[CYCLE:] - x[:-CYCLE]) ** 2).sum(1))
    return {
        "second to first difference": float(np.sqrt((second**2).mean() / (first**2).mean())),
        "distance after a cycle": float(apart.mean() / model.radius),
    }


def mean_prediction(model: Model) -> dict[str, float]:
    """The error of the latents after so many steps from the first of all, in the latents' own unit."""
    order = model.form.order
    path = mean_path(model, model.x[:order], len(model.x) - order)
    errors = np.sqrt(((path - model.x[order:]) ** 2).mean(1))
    return {str(steps): float(errors[steps - 1]) for steps in (10, 50, 100) if steps <= len(errors)}


def forecast_errors(fitted: dict[str, GPDM], learnt: Floats, then: Floats) -> dict[str, Any]:
    """The error of every method at every step, over the forecasts."""
    methods: dict[str, Forecast] = {
        way: (lambda rows, n, a=agent: a.forecast(rows, n).mean) for way, agent in fitted.items()
    }
    without = gplvm(learnt)
    methods |= {
        "GPLVM, straight on": lambda rows, n: straight_on(without, rows, n),
        "GPLVM, nearest successor": lambda rows, n: successors(without, rows, n),
        "linear AR": autoregression(learnt),
        "last pose": lambda rows, n: np.repeat(rows[-1:], n, axis=0),
    }
    errors: dict[str, Any] = {}
    whole, spread = np.concatenate([learnt, then]), np.maximum(learnt.std(0), 1e-9)
    last = len(whole) - AHEAD
    starts = np.linspace(LEARNT, last, STARTS).astype(int) if last > LEARNT else [LEARNT]
    for method, forecast in methods.items():
        squares = []
        for start in starts:
            ahead = forecast(whole[start - BEFORE : start], min(AHEAD, len(whole) - start))
            squares.append((((ahead - whole[start : start + AHEAD]) / spread) ** 2).mean(1))
        errors[method] = np.sqrt(np.mean(squares, axis=0)).tolist()
    return errors


def gplvm(learnt: Floats) -> GPDM:
    """The same observation model without dynamics: each latent point N(0, I) by itself."""
    data = gathered([learnt])
    posterior = Posterior(data.y, None, np.zeros(MAP.latents, np.int64))
    state = learn_map(posterior, starting_state(posterior, principal_latents(data.y, MAP.latents)), MAP.rounds)
    return GPDM(replace(MAP, order=1), Model(data, replace(MAP, order=1).form, state))


def seen_latents(agent: GPDM, rows: Floats) -> Floats:
    """[T, q] where a model without dynamics sees each of the rows by itself."""
    from scipy.optimize import minimize

    model = agent.model
    assert model is not None
    y, scales = model.motions.centred(rows), model.state.scales
    start = model.x[np.argmin(((((model.motions.y - y[:, None]) * scales) ** 2).sum(2)), axis=1)]

    def slope(flat: Floats) -> tuple[float, Floats]:
        x = flat.reshape(start.shape)
        value, gradient = model.pose_term(x, y)
        return value + 0.5 * float((x**2).sum()), (gradient + x).ravel()

    return minimize(slope, start.ravel(), jac=True, method="L-BFGS-B").x.reshape(start.shape)


def straight_on(agent: GPDM, rows: Floats, steps: int) -> Floats:
    x, model = seen_latents(agent, rows[-2:]), agent.model
    assert model is not None
    return model.observation(x[1] + (x[1] - x[0]) * np.arange(1, steps + 1)[:, None])[0]


def successors(agent: GPDM, rows: Floats, steps: int) -> Floats:
    """From the last row's latent point to what came after the nearest learnt one, and so on."""
    model = agent.model
    assert model is not None
    at, path = seen_latents(agent, rows[-1:])[0], []
    for _ in range(steps):
        at = model.x[np.argmin(((model.x[:-1] - at) ** 2).sum(1)) + 1]
        path.append(at)
    return model.observation(np.array(path))[0]


def autoregression(learnt: Floats, order: int = 2) -> Forecast:
    """Linear in the last two rows; of several ridges, that which forecasts the last cycle learnt from best."""

    def fit(rows: Floats, ridge: float) -> Forecast:
        mean, spread = rows.mean(0), np.maximum(rows.std(0), 1e-9)
        z = (rows - mean) / spread
        past = np.concatenate([z[1:-1], z[:-2]], axis=1)
        weights = np.linalg.solve(past.T @ past + ridge * np.eye(past.shape[1]), past.T @ z[order:])

        def forecast(shown: Floats, steps: int) -> Floats:
            path = list((shown[-order:] - mean) / spread)
            for _ in range(steps):
                path.append(np.concatenate([path[-1], path[-2]]) @ weights)
            return np.array(path[order:]) * spread + mean

        return forecast

    def missed(ridge: float) -> float:
        ahead = fit(learnt[:-CYCLE], ridge)(learnt[: len(learnt) - CYCLE], CYCLE)
        return float(np.nan_to_num(((ahead - learnt[-CYCLE:]) ** 2 / np.maximum(learnt.var(0), 1e-9)).mean(), nan=1e9))

    return fit(learnt, min((10.0**power for power in range(-4, 4)), key=missed))


def gap_errors(motion: Floats) -> dict[str, float]:
    """The errors of what is filled into a gap of 50 frames."""
    first, end = GAP
    holed, spread = motion.copy(), motion.std(0)
    holed[first:end] = np.nan
    there = np.r_[0:first, end : len(motion)]

    def error(filled: Floats) -> float:
        return float(np.sqrt((((filled - motion[first:end]) / spread) ** 2).mean()))

    rows = np.arange(first, end)
    linear = np.stack([np.interp(rows, there, motion[there, d]) for d in range(motion.shape[1])], axis=1)
    errors = {"linear interpolation": error(linear), "cubic spline": error(CubicSpline(there, motion[there])(rows))}
    for way in ("GPDM, MAP, second order", "GPDM, MAP, first order", "GPDM, fixed dynamics", "GPDM, balanced"):
        agent = GPDM.fit([holed], WAYS[way], missing=True)
        errors[way] = error(agent.filled([holed])[0][0][first:end])
    return errors


def draw(fitted: dict[str, GPDM], learnt: Floats, then: Floats, path: Path, results: dict[str, Any]) -> None:
    """The latent orbits with forecasts and fair samples, the errors over time, and what HMC did."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 8), layout="constrained")
    FigureCanvasAgg(figure)
    results["samples"] = []
    shown: list[tuple[str, Model]] = [("GPLVM, no dynamics", gplvm(learnt).model)]  # type: ignore[list-item]
    shown += [(way, agent.model) for way, agent in fitted.items() if way != "GPDM, fixed dynamics"]  # type: ignore[misc]
    for number, (title, model) in enumerate(shown):
        axes = figure.add_subplot(2, 3, number + 1, projection="3d")
        axes.plot(*model.x.T, color="0.35", lw=0.9, marker=".", ms=3, label="learnt")
        if number:
            history = model.x[-model.form.order :]
            found = fair_samples(model, history, 50, np.random.default_rng(0), draws=40)
            far = np.sqrt(((found.points - model.x.mean(0)) ** 2).sum(-1)).max() / model.radius
            results["samples"].append(
                {"model": title, "acceptance": found.acceptance, "step": found.step, "farthest, in radii": float(far)}
            )
            for sample in found.points[::4]:
                axes.plot(*sample.T, color="tab:orange", lw=0.5, alpha=0.6)
            axes.plot(*mean_path(model, history, 50).T, color="tab:blue", lw=1.6, label="forecast")
        axes.set_title(title, fontsize=10)
        axes.tick_params(labelsize=6)
    axes = figure.add_subplot(2, 3, 6)
    for method, errors in results["forecasts"][-1].items():
        if method != "motion":
            axes.plot(
                np.arange(1, len(errors) + 1),
                errors,
                label=method,
                lw=1.8 if "GPDM" in method else 1,
                ls="-" if "GPDM" in method else "--",
            )
    axes.set(ylim=(0, 2), xlabel="steps ahead", title="error, 1 = a channel's deviation")
    axes.legend(fontsize=6)
    figure.savefig(path, dpi=110)


def write(results: dict[str, Any], out: Path) -> None:
    """The figures as JSON, and as tables."""
    (out / "gpdm-motion.json").write_text(json.dumps(results, indent=1) + "\n")
    lines = [
        "# GPDM: forecasting and filling in motion",
        "",
        f"`python benchmarks/learning/gpdm_motion.py`: {ABOUT}",
        "",
    ]
    lines += ["![Latent orbits and errors](gpdm-motion.png)", "", "## Forecasts of held-out cycles", ""]
    lines += [
        f"Mean error over {AHEAD} steps (two cycles), {STARTS} forecasts of each motion, from {BEFORE} rows shown:",
        "",
    ]
    lines += table(results["forecasts"], lambda errors: float(np.sqrt(np.mean(np.square(errors)))))
    if results["gaps"]:
        lines += ["", f"## {GAP[1] - GAP[0]} missing frames filled in", "", *table(results["gaps"], float)]
    lines += ["", "## The models", "", "| motion | model | -ln posterior | CPU-s | 2nd to 1st difference |"]
    lines[-1] += " distance after a cycle, in radii | mean-prediction error after 10, 50, 100 steps |"
    lines += ["|---|---|---|---|---|---|---|"]
    for row in results["reference"]:
        ahead = ", ".join(f"{error:.3f}" for error in row["mean-prediction"].values())
        figures = (row["objective"], row["cpu seconds"], *row["orbit"].values())
        figures = " | ".join(f"{figure:.{digits}f}" for figure, digits in zip(figures, (0, 0, 2, 2), strict=True))
        lines += [f"| {row['motion']} | {row['model']} | {figures} | {ahead} |"]
    lines += [
        "",
        "## Fair samples of 50 steps",
        "",
        "| model | accepted | step | farthest, in radii of the data |",
        "|---|---|---|---|",
    ]
    for row in results.get("samples", []):
        lines += [f"| {row['model']} | {row['acceptance']:.2f} | {row['step']:.4f} | {row['farthest, in radii']:.2f} |"]
    (out / "gpdm-motion.md").write_text("\n".join(lines) + "\n")


def table(rows: list[dict[str, Any]], figure: Callable[[Any], float]) -> list[str]:
    """A line for each method, a column for each motion."""
    names = [name for name in rows[0] if name != "motion"]
    lines = ["| | " + " | ".join(row["motion"] for row in rows) + " |", "|---" * (len(rows) + 1) + "|"]
    return lines + [f"| {name} | " + " | ".join(f"{figure(row[name]):.3f}" for row in rows) + " |" for name in names]


if __name__ == "__main__":
    main()

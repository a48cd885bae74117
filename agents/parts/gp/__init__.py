"""Gaussian processes that plan: exact regression, fitting, and exact moments for Gaussian inputs. Float64, PyTorch.

Start with `fit(inputs, targets) -> GP`; then there is `GP.predict` for a sure input, `moments` for a Gaussian one, and
`next_state` for a step of a controlled system. `saturating.py` has expected costs, `angles.py` sines and cosines.
"""

from sakiyomi.agents.parts.gp.angles import angle_moments, with_angles
from sakiyomi.agents.parts.gp.fitting import fit
from sakiyomi.agents.parts.gp.kernels import Kernel
from sakiyomi.agents.parts.gp.matching import moments
from sakiyomi.agents.parts.gp.regression import GP
from sakiyomi.agents.parts.gp.saturating import quadratic_cost, saturating_cost
from sakiyomi.agents.parts.gp.stepping import next_mean, next_state, process_inputs

__all__ = [
    "GP",
    "Kernel",
    "angle_moments",
    "fit",
    "moments",
    "next_mean",
    "next_state",
    "process_inputs",
    "quadratic_cost",
    "saturating_cost",
    "with_angles",
]

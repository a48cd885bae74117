"""Settings of a search: how edges are chosen (`Puct`, `Gumbel`) and how roots are made noisy (`Dirichlet`)."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Unvisited = Literal["draw", "loss", "parent", "reduction"]
Scale = Literal["none", "fixed", "siblings", "tree"]

RULES = np.dtype(
    [
        ("gumbel", np.int32),
        ("unvisited", np.int32),  # indices into the literals above
        ("root_unvisited", np.int32),
        ("scale", np.int32),
        ("count_node", np.int32),  # 1: sqrt of the node's visits, 0: of its edges'
        ("solve", np.int32),
        ("shuffle", np.int32),
        ("virtual_loss", np.int32),
        ("init", np.float32),
        ("base", np.float32),  # 0: the coefficient is constant
        ("reduction", np.float32),
        ("floor", np.float32),
        ("forced", np.float32),
        ("visit", np.float32),
        ("weight", np.float32),
        ("rescale", np.int32),
    ]
)
"""All settings as kernels read them: one record."""


@dataclass(frozen=True, kw_only=True)
class Puct:
    """Choose ``argmax Q + c P sqrt(N) / (1 + n)`` (AlphaGo Zero, Methods, "Search algorithm").

    `init` and `base` give c = log((N + base + 1) / base) + init, AlphaZero's growing coefficient (1712.01815v2, section
    "Search"); base None keeps c = init, AlphaGo Zero's constant. `unvisited` is the Q of an edge without visits: a
    "draw" (AlphaGo Zero), a "loss" (AlphaZero, MuZero), the "parent"'s value, or that less `reduction` times the root
    of the prior mass visited (KataGo, Leela Chess Zero); `root_unvisited` that at the root, by default the same.
    `scale` puts Q into [0, 1]: "fixed" from [-1, 1] (AlphaZero), by the least and greatest Q of the "siblings"
    (mctx) or of the whole "tree" (MuZero; ranges below `floor` are taken for `floor`), or "none" leaves [-1, 1].
    `forced` > 0 gives visited root edges at least sqrt(forced P sum N) visits (KataGo, section 3.2). `count` is the N
    under the root: of the "node", its own evaluation included, or of its "children", as printed.
    """

    init: float = 1.25
    base: float | None = 19652.0
    unvisited: Unvisited = "loss"
    root_unvisited: Unvisited | None = None
    reduction: float = 0.2
    scale: Scale = "fixed"
    floor: float = 1e-8
    forced: float = 0.0
    count: Literal["node", "children"] = "node"

    def __post_init__(self) -> None:
        _among("unvisited", self.unvisited, get_args(Unvisited))
        _among("root_unvisited", self.root_unvisited, (*get_args(Unvisited), None))
        _among("scale", self.scale, get_args(Scale))
        _among("count", self.count, ("node", "children"))
        _at_least("init", self.init, 0)
        _at_least("reduction", self.reduction, 0)
        _at_least("forced", self.forced, 0)
        if self.base is not None and not self.base > 0:
            raise ValueError(f"base must be over 0, or None for a constant coefficient, got {self.base!r}")


@dataclass(frozen=True, kw_only=True)
class Gumbel:
    """Sequential halving over Gumbel samples at the root, and a deterministic choice below that follows the improved
    policy (I. Danihelka et al., "Policy improvement by planning with Gumbel", ICLR 2022, sections 3 to 5).

    `considered` root actions at the most; ``sigma(q) = (visit + max N) scale q`` where q is first put into [0, 1] by
    the least and greatest completed value of the node if `rescale` (as mctx does, with scale 0.1); `noise` weighs the
    Gumbel samples: 1 in self-play, 0 in matches.
    """

    considered: int = 16
    visit: float = 50.0
    scale: float = 0.1
    rescale: bool = True
    noise: float = 1.0

    def __post_init__(self) -> None:
        if self.considered < 1:
            raise ValueError(f"considered must be 1 or more, got {self.considered!r}")
        _at_least("visit", self.visit, 0)
        _at_least("scale", self.scale, 0)
        _at_least("noise", self.noise, 0)


@dataclass(frozen=True, kw_only=True)
class Dirichlet:
    """Root noise: ``P = (1 - fraction) p + fraction eta``, eta ~ Dir(alpha) over the legal actions.

    With `total`, alpha is total / (number of legal actions) at each root (KataGo spreads 10.83).
    """

    alpha: float = 0.03
    fraction: float = 0.25
    total: float | None = None

    def __post_init__(self) -> None:
        if not self.alpha > 0:
            raise ValueError(f"alpha must be over 0, got {self.alpha!r}")
        if not 0 <= self.fraction <= 1:
            raise ValueError(f"fraction must be from 0 to 1, got {self.fraction!r}")
        if self.total is not None and not self.total > 0:
            raise ValueError(f"total must be over 0, got {self.total!r}")


def as_record(selection: Puct | Gumbel, *, solve: bool, shuffle: bool, virtual_loss: int) -> NDArray[Any]:
    """[1] of RULES."""
    rules = np.zeros(1, RULES)
    rules["solve"], rules["shuffle"], rules["virtual_loss"] = solve, shuffle, virtual_loss
    if isinstance(selection, Gumbel):
        rules["gumbel"] = 1
        rules["visit"], rules["weight"], rules["rescale"] = selection.visit, selection.scale, selection.rescale
        return rules
    unvisited = get_args(Unvisited)
    rules["unvisited"] = unvisited.index(selection.unvisited)
    rules["root_unvisited"] = unvisited.index(selection.root_unvisited or selection.unvisited)
    rules["scale"] = get_args(Scale).index(selection.scale)
    rules["count_node"] = selection.count == "node"
    rules["init"], rules["base"] = selection.init, selection.base or 0
    rules["reduction"], rules["floor"], rules["forced"] = selection.reduction, selection.floor, selection.forced
    return rules


def _among(name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")


def _at_least(name: str, value: float, least: float) -> None:
    if not value >= least:
        raise ValueError(f"{name} must be {least} or more, got {value!r}")

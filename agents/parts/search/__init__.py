"""Tree search over many positions at once: trees in flat arrays, which know arrays and not games.

- `forest.py`: the arrays, one row a tree.
- `selection.py`: `Puct` and `Gumbel`, the settings of how an edge is chosen.
- `scores.py`: kernels that choose an edge at a node.
- `growing.py`: kernels that descend, expand and back up; `proofs.py`: results known for certain; `rebasing.py`: reuse.
- `halving.py`: the schedule of sequential halving.
- `models.py`: what lies behind an edge, told by rules and a network; `latent.py`: told by learned dynamics.
- `search.py`: `Search`, all of it in rounds of one network call each.
- `findings.py`: what was found at the roots: visits, values, improved policies, moves.
- `caching.py`: network outputs kept for positions met again.

One rule of backing up serves every agent: ``G(s, a) = r(s, a) + d(s, a) G(s')`` for the player who moves in s, with d
-1 where the opponent moves next, 1 (or gamma) where the same player does, and 0 where the game is over.
"""

from sakiyomi.agents.parts.search.findings import Findings
from sakiyomi.agents.parts.search.latent import LatentModel
from sakiyomi.agents.parts.search.models import RulesModel
from sakiyomi.agents.parts.search.search import Search
from sakiyomi.agents.parts.search.selection import Dirichlet, Gumbel, Puct

__all__ = ["Dirichlet", "Findings", "Gumbel", "LatentModel", "Puct", "RulesModel", "Search"]

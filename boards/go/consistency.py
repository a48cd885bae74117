"""Everything that a Go record keeps incrementally, worked out anew from its colours: the referee of `Go.check`."""

import numpy as np

from sakiyomi.boards.game import States
from sakiyomi.boards.go.state import BLACK_UNIT, EMPTY_UNIT, WALL, WHITE_UNIT, ZOBRIST, Layout

UNIT = {0: int(EMPTY_UNIT), 1: int(BLACK_UNIT), 2: int(WHITE_UNIT), 3: int(BLACK_UNIT + WHITE_UNIT)}


def check(layout: Layout, states: States) -> None:
    """Compare chains, liberties, empty points, neighbour counts and keys. Raises AssertionError with the difference."""
    steps = (-1, 1, -layout.stride, layout.stride)
    points = [int(p) for p in layout.points]
    for row, state in enumerate(states):
        colour = state.colour
        where = f"row {row}"
        walls = np.delete(np.arange(layout.padded), layout.points)
        assert (colour[walls] == int(WALL)).all(), f"{where}: a border point is no wall"
        empty = {p for p in points if colour[p] == 0}
        assert set(state.vacant[: state.empties].tolist()) == empty, f"{where}: list of empty points"
        for p in empty:
            assert state.vacant[state.place[p]] == p, f"{where}: place of empty point {p}"
            assert state.chain[p] == 0, f"{where}: empty point {p} belongs to a chain"
        for p in points:
            around = sum(UNIT[int(colour[p + step])] for step in steps)
            assert int(state.around[p]) == around, f"{where}: neighbour counts of {p}"
        seen: set[int] = set()
        for p in points:
            if colour[p] == 0 or p in seen:
                continue
            chain = _flood(colour, p, steps)
            seen |= chain
            heads = {int(state.chain[s]) for s in chain}
            assert len(heads) == 1, f"{where}: one chain, heads {heads}"
            head = heads.pop()
            assert head in chain, f"{where}: head {head} is not in its chain"
            ring = [head]
            while (following := int(state.next[ring[-1]])) != head:
                ring.append(following)
                assert len(ring) <= len(chain), f"{where}: the ring of {head} does not close"
            assert set(ring) == chain, f"{where}: the ring of {head} is not its chain"
            liberties = sum(int(colour[s + step]) == 0 for s in chain for step in steps)
            assert int(state.liberties[head]) == liberties, f"{where}: pseudo-liberties of {head}"
            assert liberties > 0, f"{where}: the chain of {head} has no liberties"
        key = np.uint64(0)
        for p in points:
            if colour[p]:
                key ^= ZOBRIST[1024 * (int(colour[p]) - 1) + p]
        assert key == state.key, f"{where}: Zobrist key"


def _flood(colour: np.ndarray, start: int, steps: tuple[int, ...]) -> set[int]:
    chain, todo = {start}, [start]
    while todo:
        p = todo.pop()
        for step in steps:
            if colour[p + step] == colour[start] and p + step not in chain:
                chain.add(p + step)
                todo.append(p + step)
    return chain

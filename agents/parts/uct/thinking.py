"""What a search tree has found, as a `Thought`: the moves looked at, how often, and the play expected after each."""

import numpy as np

from sakiyomi.agents.parts.uct.tree import Tree
from sakiyomi.boards.game import Game, States
from sakiyomi.boards.player import Candidate, Thought

LINE = 32  # moves of a line that are told
LINES = 16  # candidates that are told with the play expected after them


def thought_of(game: Game, root: States, tree: Tree, seconds: float) -> Thought | None:
    """What `tree`, grown from the position `root` [1] in so many seconds, has found; None before its first visit."""
    first, count = int(tree.nodes[0]["first"]), int(tree.nodes[0]["count"])
    edges = tree.edges[first : first + count]
    means = edges["total"] / np.maximum(edges["visits"], 1)
    best_first = np.lexsort((means, edges["visits"]))[::-1]
    candidates = []
    for rank, edge in enumerate(best_first[: np.count_nonzero(edges["visits"])]):
        line = _line(game, root, tree, first + int(edge), LINE if rank < LINES else 1)
        candidates.append(Candidate(line[0], int(edges["visits"][edge]), float(means[edge]), line=line))
    if not candidates:
        return None
    line = candidates[0].line
    nodes = int(tree.nodes[0]["visits"])
    return Thought(
        line, candidates[0].value, depth=len(line), nodes=nodes, seconds=seconds, candidates=tuple(candidates)
    )


def favourite(tree: Tree, node: int) -> int:
    """The edge of `node` that was visited most; of equals the one of greatest mean, of those a random one."""
    first, count = int(tree.nodes[node]["first"]), int(tree.nodes[node]["count"])
    edges = tree.edges[first : first + count]  # in random order, and so are equals
    means = edges["total"] / np.maximum(edges["visits"], 1)
    return first + int(np.lexsort((means, edges["visits"]))[-1])


def _line(game: Game, root: States, tree: Tree, edge: int, most: int) -> tuple[str, ...]:
    """The move of `edge`, which leads away from the root, and those visited most after it."""
    state, line = root.copy(), []
    while True:
        action = int(tree.edges[edge]["action"])
        line.append(game.move_text(state, action))
        node = int(tree.edges[edge]["child"])
        if len(line) == most or node < 0 or tree.nodes[node]["count"] <= 0:
            return tuple(line)
        game.play(state, np.array([action], np.int32))
        edge = favourite(tree, node)
        if not tree.edges[edge]["visits"]:
            return tuple(line)

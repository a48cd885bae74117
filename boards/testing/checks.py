"""The promises of a `Game`, checked on positions from random games; `CHECKS` lists the functions in their order."""

import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards import rows
from sakiyomi.boards.game import Ending, Game, IllegalMove, States, Symmetry
from sakiyomi.boards.position import Position
from sakiyomi.boards.random import seeds
from sakiyomi.boards.testing.notation import rereads_positions, writes_moves
from sakiyomi.boards.testing.promises import Promise, demand
from sakiyomi.boards.testing.sample import Sample, each, same

QUERIES = ("legal", "turn", "ending", "result", "observe")


def describes_itself(game: Game) -> None:
    """The constants have the right types, and the game can be sent to another process."""
    fields: Any = game.dtype.fields or {}
    demand(game, isinstance(game.name, str) and game.name, Promise.NAME, f"it is {game.name!r}")
    sizes = (game.num_actions, game.max_plies)
    demand(game, min(sizes) > 0, Promise.SIZES, f"they are {sizes}")
    demand(game, len(game.planes) == 3 and min(game.planes) > 0, Promise.PLANES, f"it is {game.planes}")
    whole = all(name in fields and fields[name][0].kind in "iu" for name in ("ply", "turn"))
    demand(game, whole, Promise.FIELDS, f"its fields are {game.dtype}")
    demand(game, not game.dtype.hasobject, Promise.NO_OBJECTS, f"it is {game.dtype}")
    demand(game, pickle.loads(pickle.dumps(game)) == game, Promise.PICKLES, "it differs")


def starts(game: Game) -> None:
    """`new` makes equal, independent, ongoing positions."""
    states = game.new(3)
    made = f"new(3) has shape {states.shape} and dtype {states.dtype}"
    demand(game, states.shape == (3,) and states.dtype == game.dtype, Promise.NEW, made)
    demand(game, same(states, np.repeat(states[:1], 3)), Promise.NEW_EQUAL, "three new positions differ")
    ongoing = (states["ply"] == 0) & (game.ending(states) == Ending.ONGOING)
    demand(game, ongoing, Promise.NEW_ONGOING, f"ply is {states['ply']}, ending() {game.ending(states)}")
    game.play(states[:1], np.flatnonzero(game.legal(states[:1])[0])[:1].astype(np.int32))
    demand(game, same(states[1:2], game.new(1)), Promise.NEW_APART, "playing in row 0 changed row 1")


def has_shapes(game: Game) -> None:
    """Every batched query gives the documented shape and dtype, for an empty batch too."""
    shapes = ((game.num_actions,), (), (), (), tuple(game.planes))
    dtypes = (np.bool_, np.int8, np.int8, np.float32, np.float32)
    for batch in (2, 0):
        for query, shape, dtype in zip(QUERIES, shapes, dtypes, strict=True):
            got, wanted = getattr(game, query)(game.new(batch)), (batch, *shape)
            fits = isinstance(got, np.ndarray) and got.shape == wanted and got.dtype == dtype
            kind = f"{query}() gives {np.asarray(got).dtype} {np.shape(got)}, not {np.dtype(dtype)} {wanted}"
            demand(game, fits, Promise.SHAPES, kind)


def takes_turns(sample: Sample) -> None:
    """turn() is the field turn, 0 or 1."""
    turn, field = sample.game.turn(sample.states), sample.states["turn"]
    holds = np.isin(turn, (0, 1)) & (turn == field)
    sample.demand(holds, Promise.TURN, f"turn() has {np.unique(turn)}, the field {np.unique(field)}")


def ends(sample: Sample) -> None:
    """A game has ended exactly when no action is legal; results are 0 before, and -1, 0 or 1 after."""
    game, states = sample.game, sample.every
    codes, results, moves = game.ending(states), game.result(states), game.legal(states).sum(axis=1)
    known = [int(code) for code in Ending]
    for state, code, value, count in zip(states, codes, results, moves, strict=True):
        sample.demand(code in known, Promise.ENDING, f"it gives {code}", state)
        seen = f"ending() is {Ending(code).name} and {count} actions are legal"
        sample.demand((code == Ending.ONGOING) == (count > 0), Promise.ENDED, seen, state)
        sample.demand(value == 0 or not count, Promise.ONGOING_RESULT, f"it is {value}", state)
        sample.demand(value in (-1, 0, 1), Promise.RESULT, f"it is {value}", state)


def shows_boards(sample: Sample) -> None:
    """board() is an int8 matrix and draw() a text."""
    for state in sample.states[:4]:
        board, drawing = sample.game.board(state), sample.game.draw(state)
        sample.demand(board.ndim == 2 and board.dtype == np.int8, Promise.BOARD, f"it is {board.dtype} {board.shape}")
        sample.demand(isinstance(drawing, str) and drawing, Promise.DRAW, f"it is {drawing!r}", state)


def observes(sample: Sample) -> None:
    """Observations are finite and seen from the side of the player to move."""
    game, states = sample.game, sample.states
    seen = game.observe(states)
    sample.demand(np.isfinite(seen), Promise.FINITE, "it has NaN or infinity")
    boards = np.stack([game.board(state) for state in states])
    if boards.shape[1:] != tuple(game.planes[1:]):
        return  # planes that are no picture of the board cannot be compared with it
    own = boards * (1 - 2 * game.turn(states))[:, None, None] > 0
    absolute = np.all(seen == (boards > 0)[:, None], axis=(0, 2, 3)).any()
    relative = np.all(seen == own[:, None], axis=(0, 2, 3)).any()
    sample.demand(relative or not absolute, Promise.MOVERS_VIEW, "one is always the first player's pieces")


def asks_without_changing(sample: Sample) -> None:
    """No query changes the positions it is asked about."""
    game, states = sample.game, sample.states.copy()

    def unchanged(query: str, ask: Callable[[], object]) -> None:
        ask()
        sample.demand(same(states, sample.states), Promise.QUERIES, f"{query}() changed some")

    for query in QUERIES:
        unchanged(query, lambda query=query: getattr(game, query)(states))  # type: ignore[misc]
    unchanged("rollout", lambda: game.rollout(states, seeds(sample.rng, len(states))))
    for query in ("position_text", "draw", "board"):
        unchanged(query, lambda query=query: [getattr(game, query)(state) for state in each(states)])  # type: ignore[misc]
    for row, action in enumerate(game.legal(states).argmax(axis=1)):
        unchanged("move_text", lambda row=row, action=action: game.move_text(states[row], int(action)))  # type: ignore[misc]


def keeps_copies_apart(sample: Sample) -> None:
    """All state is in the record: what happens to one copy does not touch another."""
    game = sample.game
    for state in each(sample.ongoing[:8]):
        first, other, again = state.copy(), state.copy(), state.copy()
        legal = np.flatnonzero(game.legal(state)[0]).astype(np.int32)
        game.play(first, legal[:1])
        game.play(other, legal[-1:])
        game.play(again, legal[:1])
        seen = f"action {legal[0]} gave another position once {legal[-1]} had been played elsewhere"
        sample.demand(same(first, again), Promise.COPIES, seen, state)


def asks_batches(sample: Sample) -> None:
    """A query of a batch is that of its rows, also of every second row and of a read-only array."""
    for query in QUERIES:
        ask = getattr(sample.game, query)
        together = ask(sample.states)
        for row, state in enumerate(each(sample.states)):
            sample.demand(ask(state)[0] == together[row], Promise.BATCH, f"{query}() of row {row} differs", state)
        half = sample.states[::2]
        half.flags.writeable = False
        sample.demand(np.array_equal(ask(half), together[::2]), Promise.LAYOUT, f"{query}() of such a slice differs")


def plays_batches(sample: Sample) -> None:
    """A batch played together is its rows played one by one, whatever its layout."""
    game, ongoing = sample.game, sample.ongoing
    actions = sample.choose(ongoing)
    together = ongoing.copy()
    game.play(together, actions)
    for row, state in enumerate(each(ongoing)):
        game.play(state, actions[row : row + 1])
        sample.demand(same(state, together[row : row + 1]), Promise.BATCH, f"play() of row {row} differs")
    _plays_slices(sample, actions, together)


def _plays_slices(sample: Sample, actions: NDArray[np.int32], played: States) -> None:
    """Every second row of an array: played in place, or refused with ValueError, never lost in a copy."""
    spread = np.repeat(sample.ongoing, 2)
    untouched = spread[::2].copy()
    try:
        sample.game.play(spread[::2], actions.astype(np.int64))
    except ValueError:
        played = untouched
    sample.demand(same(spread[::2], played), Promise.LAYOUT, "play() of such a slice with int64 actions differs")
    sample.demand(same(spread[1::2], untouched), Promise.LAYOUT, "play() changed the rows between those of the slice")


def replays(sample: Sample) -> None:
    """replay() is the same moves played one by one, on copies, for every length and from every root."""
    game, lengths, paths = sample.game, sample.lengths, sample.paths
    roots = game.new(len(lengths))
    whole = game.replay(roots, paths, lengths)
    sample.demand(same(roots, game.new(len(roots))), Promise.REPLAY, "it changed the roots")
    sample.demand(same(whole, sample.finals), Promise.REPLAY, "whole games end elsewhere than by play()")
    cut = sample.rng.integers(0, lengths + 1).astype(np.int32)
    rest = np.stack([np.roll(path, -start) for path, start in zip(paths, cut, strict=True)])
    halves = game.replay(game.replay(roots, paths, cut), rest, lengths - cut)
    sample.demand(same(halves, sample.finals), Promise.REPLAY, "games replayed in two parts end elsewhere")


def rolls_out(sample: Sample) -> None:
    """Rollouts depend on nothing but the position and the row's random state, and take ended games as they are."""
    game, states = sample.game, np.resize(sample.states, 256)
    start = seeds(sample.rng, len(states))
    (first, moved_on), (second, _) = _rollouts(sample, states, start, 1), _rollouts(sample, states, start, 2)
    fits = first.shape == start.shape and first.dtype == np.float32 and np.isin(first, (-1, 0, 1)).all()
    sample.demand(fits, Promise.ROLLOUT, f"it gives {first.dtype} {first.shape} of {np.unique(first)}")
    sample.demand(first == second, Promise.ROLLOUT_SEEDS, "a second time, with two threads, they differ")
    stayed = (moved_on == start) & game.legal(states).any(axis=1)
    sample.demand(~stayed, Promise.ROLLOUT_MOVES_ON, f"{np.count_nonzero(stayed)} of {len(start)} stayed")
    for row in range(16):
        alone = game.rollout(states[row : row + 1], start[row : row + 1].copy())
        sample.demand(alone[0] == first[row], Promise.ROLLOUT_ROWS, f"row {row} alone gives {alone[0]}", states[row])
    got, results = game.rollout(sample.finals, seeds(sample.rng, len(sample.finals))), game.result(sample.finals)
    for state, value, result in zip(sample.finals, got, results, strict=True):
        sample.demand(value == result, Promise.ROLLOUT_ENDED, f"{value} is not {result}", state)


def _rollouts(
    sample: Sample, states: States, start: NDArray[np.uint64], threads: int
) -> tuple[NDArray[np.float32], NDArray[np.uint64]]:
    before, rng = rows._threads, start.copy()
    rows.set_threads(threads)
    try:
        return sample.game.rollout(states, rng), rng
    finally:
        rows.set_threads(before)


def refuses_illegal_moves(sample: Sample) -> None:
    """`Position` refuses what is not legal with a reason, changing nothing."""
    game = sample.game
    for state in each(np.concatenate([sample.states[:3], sample.ongoing[:10]])):
        position = Position(game)
        position.state = state.copy()
        illegal = np.flatnonzero(~game.legal(state)[0])
        for action in sample.rng.permutation(illegal)[:12]:
            try:
                position.play(int(action))
            except IllegalMove as error:
                sample.demand(not str(error).endswith(": "), Promise.REASON, f"action {action} has none", state)
            else:
                sample.demand(False, Promise.REFUSED, f"action {action} was played", state)
            sample.demand(same(position.state, state), Promise.REFUSED, f"action {action} changed it", state)


def is_symmetric(sample: Sample) -> None:
    """symmetries() is a group with the identity first; start, play, legal, observe and result commute with it."""
    game, group = sample.game, sample.game.symmetries()
    ordered = list(range(game.num_actions))
    sample.demand(group and group[0].actions.tolist() == ordered, Promise.IDENTITY, "it is not")
    for symmetry in group:
        sample.demand(sorted(symmetry.actions.tolist()) == ordered, Promise.PERMUTES, f"{symmetry.name} does not")
    known = {tuple(symmetry.actions.tolist()) for symmetry in group}
    for a in group:
        closed = {tuple(a.actions[b.actions].tolist()) for b in group} <= known
        sample.demand(closed, Promise.GROUP, f"{a.name} after some other is not in the list")
    start, roots = game.observe(game.new(1)), game.new(len(sample.lengths))
    cut = sample.rng.integers(0, sample.lengths + 1).astype(np.int32)
    states = game.replay(roots, sample.paths, cut)
    for symmetry in group:
        sample.demand(symmetry.planes(start) == start, Promise.START_FIXED, f"{symmetry.name} does not")
        _commutes(sample, symmetry, states, game.replay(roots, symmetry.actions[sample.paths], cut))


def _commutes(sample: Sample, symmetry: Symmetry, states: States, images: States) -> None:
    game = sample.game
    for state, image in zip(each(states), each(images), strict=True):
        legal = game.legal(image)[:, symmetry.actions]
        sample.demand(legal == game.legal(state), Promise.SYMMETRIC, f"{symmetry.name} breaks it for legal()", state)
        planes = symmetry.planes(game.observe(state))
        sample.demand(
            game.observe(image) == planes, Promise.SYMMETRIC, f"{symmetry.name} breaks it for observe()", state
        )
        result = game.result(state)
        sample.demand(game.result(image) == result, Promise.SYMMETRIC, f"{symmetry.name} breaks it for result()", state)


def saves(sample: Sample) -> None:
    """np.save and np.load, without pickle, keep positions playable."""
    game, kept, file = sample.game, sample.ongoing, io.BytesIO()
    np.save(file, kept, allow_pickle=False)
    file.seek(0)
    loaded = np.load(file, allow_pickle=False)
    sample.demand(same(loaded, kept), Promise.SAVED, "they differ")
    actions = sample.choose(kept)
    game.play(kept, actions)
    game.play(loaded, actions)
    sample.demand(same(loaded, kept), Promise.SAVED, "they play differently")


def checks_itself(sample: Sample) -> None:
    """Fields kept from ply to ply are right, if the game offers ``check(states)``."""
    for state in each(sample.states):
        check_fields(sample.game, state)


def check_fields(game: Game, state: States) -> None:
    """Call ``game.check(state)`` if there is such a method."""
    check: Any = getattr(game, "check", None)
    if check is None:
        return
    try:
        check(state)
    except AssertionError as error:
        demand(game, False, Promise.CHECK, f"check() says: {error}", state)


CHECKS: tuple[Callable[[Sample], None], ...] = (
    asks_without_changing,
    takes_turns,
    ends,
    shows_boards,
    observes,
    keeps_copies_apart,
    asks_batches,
    plays_batches,
    replays,
    rolls_out,
    writes_moves,
    rereads_positions,
    refuses_illegal_moves,
    is_symmetric,
    saves,
    checks_itself,
)

"""Records -> batches to learn from: each position as the rules give it, once, with the mover's result."""

import numpy as np
import pytest

from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.go import Go
from sakiyomi.sgf import Record, parse, record_of, to_training


def read(text):
    (tree,) = parse(text.encode())
    return record_of(tree)


def random_games(count, size=5):
    go, rng = Go(size=size, rules="japanese"), np.random.default_rng(1)
    records = []
    for number in range(count):
        states, moves = go.new(1), []
        for _ in range(rng.integers(1, 40)):
            legal = np.flatnonzero(go.legal(states)[0, :-1])
            if not len(legal):
                break
            action = int(rng.choice(legal))
            moves.append(go.move_text(states, action))
            go.play(states, np.array([action]))
        records.append(Record(go.name, tuple(moves), None, ["B+R", "W+1.5", "0"][number % 3]))
    return go, records


def one_by_one(records):
    """The same pairs from `positions()`, one game after the other."""
    for record in records:
        *before, _ = record.positions()
        for position, move in zip(before, record.moves, strict=True):
            game = position.game
            black = 2 * record.score - 1
            result = black if position.turn == 0 else -black
            yield game.observe(position.state)[0], game.parse_move(position.state, move), result


def as_set(batches):
    return sorted(
        (observation.astype(np.uint8).tobytes(), int(action), float(result))
        for observations, actions, results in batches
        for observation, action, result in zip(observations, actions, results, strict=True)
    )


@pytest.mark.parametrize(
    "options", [{}, {"compact": True}, {"shuffle": 7}, {"shuffle": 7, "compact": True, "window": 100}]
)
def test_batches_hold_every_position_once(options):
    go, records = random_games(40)
    if "shuffle" in options:
        options = {**options, "shuffle": np.random.default_rng(options["shuffle"])}
    training = to_training(records, go, 64, **options)
    batches = list(training)
    expected = as_set([tuple(map(np.array, zip(*one_by_one(records), strict=True)))])
    assert as_set(batches) == expected
    assert training.positions == len(expected)
    assert training.games == 40
    assert [len(actions) for _, actions, _ in batches[:-1]] == [64] * (len(batches) - 1)
    for observations, actions, results in batches:
        assert observations.dtype == (np.uint8 if options.get("compact") else np.float32)
        assert observations.shape[1:] == go.planes
        assert (actions.dtype, results.dtype) == (np.int32, np.float32)


def test_batches_are_the_receivers_own():
    go, records = random_games(20)
    kept = [(o.copy(), a.copy(), r.copy()) for o, a, r in to_training(records, go, 32)]
    held = list(to_training(records, go, 32))
    for copies, arrays in zip(kept, held, strict=True):
        for copy, array in zip(copies, arrays, strict=True):
            assert np.array_equal(copy, array)


def test_shuffling_is_reproducible_and_shuffles():
    go, records = random_games(40)

    def order(seed):
        return [
            a for _, actions, _ in to_training(records, go, 64, shuffle=np.random.default_rng(seed)) for a in actions
        ]

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert sorted(order(1)) == sorted(order(2))


def test_what_is_left_out_is_counted():
    go = Go(size=9)
    records = [
        Record("go-9x9", ("E5",), None, "B+R"),
        Record("go-9x9", ("E5",)),
        Record("go-19x19", ("E5",), None, "B+R"),
        Record("go-9x9", ("Z5",), None, "B+R"),
    ]
    training = to_training(records, go)
    assert [len(actions) for _, actions, _ in training] == [1]
    assert dict(training.left_out) == {
        "no known result": 1,
        "a game of go-19x19": 1,
        "moves that are no moves": 1,
    }
    with_unknown = to_training(records, go, unknown=0.0)
    ((_, _, results),) = with_unknown
    assert results.tolist() == [1, 0]


def test_games_are_taken_up_to_what_cannot_be_learnt():
    go = Go(size=9)
    texts = {
        "(;SZ[9]RE[B+R];B[ee];W[ee];B[gc])": [40],
        "(;SZ[9]RE[B+R];B[ee];W[gc];AB[aa];W[gg])": [40, 24],
        "(;SZ[9]RE[B+R];B[ee];W[ee]KO[];B[gc])": [40],
        "(;SZ[9]RE[B+R];B[ee];B[gc];W[gg])": [40, 24, 60],
        "(;SZ[9]RE[B+R]HA[2]AB[gc][cg];W[ee])": [40],
        "(;SZ[9]RE[B+R]AB[ab][ba]AW[aa];B[ee])": [],
        "(;SZ[9]RE[B+R])": [],
    }
    for text, expected in texts.items():
        batches = list(to_training([read(text)], go))
        assert [action for _, actions, _ in batches for action in actions] == expected, text


def test_handicap_and_colour_show_in_what_is_observed():
    go = Go(size=9)
    record = read("(;SZ[9]RE[W+R]HA[2]AB[gc][cg];W[ee];B[aa])")
    ((observations, actions, results),) = to_training([record], go)
    assert actions.tolist() == [40, 0]
    assert results.tolist() == [1, -1]
    assert observations[0, 1].sum() == 2
    assert observations[0, 16].sum() == 0
    assert observations[1, 16].sum() == 81
    assert observations[1, 0].sum() == 2


@pytest.mark.parametrize("name", ["tictactoe", "connect4", "othello-6x6"])
def test_other_games(name):
    game = make_game(name)
    states, moves = game.new(1), []
    while not game.ending(states)[0]:
        action = int(np.flatnonzero(game.legal(states)[0])[0])
        moves.append(game.move_text(states[0], action))
        game.play(states, np.array([action], np.int32))
    record = Record(name, tuple(moves), None, "1-0")
    broken = Record(name, ("no move",), None, "1-0")
    batches = list(to_training([record, broken], game, 4))
    assert as_set(batches) == as_set([tuple(map(np.array, zip(*one_by_one([record]), strict=True)))])


def test_a_batch_must_hold_something():
    with pytest.raises(ValueError, match="batch must be 1 or more"):
        to_training([], Go(9), 0)
    assert list(to_training([], Go(9))) == []

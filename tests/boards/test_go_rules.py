"""Go's rules against counts from the literature, a naive board written here, and sgfmill's board."""

import random
from itertools import product

import numpy as np
import pytest

from sakiyomi.boards import BadNotation, Ending, IllegalMove, Position
from sakiyomi.boards.go import RULES, Go

# Numbers of legal positions: J. Tromp, G. Farnebäck, "Combinatorics of Go" (2007), and OEIS A094777.
LEGAL_POSITIONS = {(1, 1): 1, (1, 2): 5, (1, 3): 15, (2, 2): 57, (2, 3): 489, (3, 3): 12675}
# Numbers of games without repetition, either side moving at any time: the same paper.
SIMPLE_GAMES = {(1, 1): 1, (1, 2): 9, (1, 3): 907}


class NaiveGo:
    """Go on a dict of points, as slow and as plain as can be: flood fill everywhere, whole boards in the history."""

    def __init__(self, width, height, superko, suicide):
        self.width, self.height, self.superko, self.suicide = width, height, superko, suicide
        self.stones, self.turn, self.passes = {}, 1, 0
        self.ko = None
        self.seen = {self.situation(self.stones, 1)}

    def situation(self, stones, turn):
        return frozenset(stones.items()), turn if self.superko == "situational" else 0

    def neighbours(self, point):
        x, y = point
        around = [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)]
        return [(u, v) for u, v in around if 0 <= u < self.width and 0 <= v < self.height]

    def chain(self, stones, point):
        chain, todo = {point}, [point]
        while todo:
            for n in self.neighbours(todo.pop()):
                if stones.get(n) == stones[point] and n not in chain:
                    chain.add(n)
                    todo.append(n)
        return chain

    def breathes(self, stones, point):
        return any(n not in stones for s in self.chain(stones, point) for n in self.neighbours(s))

    def result_of(self, point):
        """Stones after the move, or None for suicide where that is forbidden; and the simple-ko point."""
        stones = {**self.stones, point: self.turn}
        taken = set()
        for n in self.neighbours(point):
            if stones.get(n) == -self.turn and not self.breathes(stones, n):
                taken |= self.chain(stones, n)
        stones = {p: c for p, c in stones.items() if p not in taken}
        ko = None
        if not self.breathes(stones, point):
            if not self.suicide:
                return None, None
            dead = self.chain(stones, point)
            stones = {p: c for p, c in stones.items() if p not in dead}
        elif len(taken) == 1 and len(self.chain(stones, point)) == 1:
            free = [n for n in self.neighbours(point) if n not in stones]
            ko = next(iter(taken)) if len(free) == 1 else None
        return stones, ko

    def is_legal(self, point):
        if point in self.stones or self.passes >= 2:
            return False
        stones, _ = self.result_of(point)
        if stones is None:
            return False
        if self.superko == "simple":
            return point != self.ko
        return self.situation(stones, -self.turn) not in self.seen

    def play(self, point):
        if point is None:
            self.passes, self.ko = self.passes + 1, None
        else:
            self.stones, self.ko = self.result_of(point)
            self.passes = 0
        self.turn = -self.turn
        self.seen.add(self.situation(self.stones, self.turn))

    def area(self):
        total = sum(self.stones.values())
        empty = set(product(range(self.width), range(self.height))) - set(self.stones)
        while empty:
            region, todo, touched = set(), [empty.pop()], set()
            while todo:
                point = todo.pop()
                region.add(point)
                for n in self.neighbours(point):
                    if n in self.stones:
                        touched.add(self.stones[n])
                    elif n in empty:
                        empty.discard(n)
                        todo.append(n)
            if len(touched) == 1:
                total += len(region) * touched.pop()
        return total


@pytest.mark.parametrize(("size", "count"), LEGAL_POSITIONS.items())
def test_every_legal_position_is_reached_by_play_and_no_other(size, count):
    """Breadth first from the empty board, either colour moving: the reachable set is Tromp's count."""
    go = Go(size=size, superko="simple", suicide=False)
    boards = {bytes(go.layout.area)}
    todo = list(boards)
    while todo:
        states, valid = go.set_up(np.array([list(b) for b in todo], np.uint8), np.zeros(len(todo), int))
        assert valid.all()
        found = set()
        for turn in (0, 1):
            moved = states.copy()
            go.set_turn(moved, turn)
            rows, actions = np.nonzero(go.legal(moved)[:, :-1])
            moved = moved[rows]
            go.play(moved, actions)
            found |= {b.tobytes() for b in go.colours(moved)}
        todo = list(found - boards)
        boards |= found
    assert len(boards) == count


def count_valid_boards(size):
    go = Go(size=size)
    total, area = 0, go.layout.area
    step = 3 ** min(area, 12)
    for first in range(0, 3**area, step):
        numbers = np.arange(first, first + step)
        boards = (numbers[:, None] // 3 ** np.arange(area)[None] % 3).astype(np.uint8)
        total += int(go.set_up(boards, np.zeros(step, int))[1].sum())
    return total


@pytest.mark.parametrize(("size", "count"), LEGAL_POSITIONS.items())
def test_set_up_accepts_exactly_the_legal_positions(size, count):
    assert count_valid_boards(size) == count


@pytest.mark.slow
def test_set_up_accepts_exactly_the_legal_positions_of_4x4():
    assert count_valid_boards((4, 4)) == 24318165


def count_games(go, states):
    """Simple paths from one state in the graph of positions: what either colour can do, without repetition."""
    total = 1
    for turn in (0, 1):
        moved = states.copy()
        go.set_turn(moved, turn)
        for action in np.flatnonzero(go.legal(moved)[0, :-1]):
            after = moved.copy()
            go.play(after, np.array([action]))
            total += count_games(go, after)
    return total


@pytest.mark.parametrize(("size", "count"), SIMPLE_GAMES.items())
def test_games_without_repetition_are_as_many_as_published(size, count):
    go = Go(size=size, superko="positional", suicide=False, max_plies=1000)
    assert count_games(go, go.new(1)) == count


def naive_tree(game, depth):
    """Numbers of games by length, 1 to depth plies, passes included."""
    if depth == 0 or game.passes >= 2:
        return [0] * depth
    counts = [0] * depth
    for point in [*product(range(game.width), range(game.height)), None]:
        if point is not None and not game.is_legal(point):
            continue
        child = object.__new__(NaiveGo)
        child.__dict__ = {**game.__dict__, "stones": dict(game.stones), "seen": set(game.seen)}
        child.play(point)
        counts[0] += 1
        for i, n in enumerate(naive_tree(child, depth - 1)):
            counts[i + 1] += n
    return counts


@pytest.mark.parametrize("superko", ["positional", "situational"])
@pytest.mark.parametrize("suicide", [False, True])
def test_games_on_2x2_branch_as_a_brute_force_says(superko, suicide):
    depth = 6
    position = Position(Go(size=2, superko=superko, suicide=suicide))
    counts = naive_tree(NaiveGo(2, 2, superko, suicide), depth)
    assert [position.perft(d) for d in range(1, depth + 1)] == counts


def games_on_2x2(depth):
    """Numbers of games of each length on 2x2 by positional superko without suicide, by an enumeration of its own.

    Positions are four-letter words; games are counted by the set of positions that they have seen.
    """
    beside = {0: (1, 2), 1: (0, 3), 2: (0, 3), 3: (1, 2)}

    def alive(word, at):
        chain, todo = {at}, [at]
        while todo:
            for n in beside[todo.pop()]:
                if word[n] == "." or (word[n] == word[at] and n not in chain):
                    if word[n] == ".":
                        return True
                    chain.add(n)
                    todo.append(n)
        return False

    def after(word, at, colour):
        word = word[:at] + colour + word[at + 1 :]
        dead = {n for n in range(4) if word[n] not in (".", colour) and not alive(word, n)}
        word = "".join("." if n in dead else stone for n, stone in enumerate(word))
        return word if alive(word, at) else None

    moves = {
        ("".join(word), colour): [
            found for at in range(4) if word[at] == "." and (found := after("".join(word), at, colour))
        ]
        for word in product(".XO", repeat=4)
        for colour in "XO"
    }
    counts, games = [], {(frozenset(["...."]), "....", "X", False): 1}
    for _ in range(depth):
        longer, over = {}, 0
        for (seen, word, colour, passed), number in games.items():
            other = "O" if colour == "X" else "X"
            for found in moves[word, colour]:
                if found not in seen:
                    state = seen | {found}, found, other, False
                    longer[state] = longer.get(state, 0) + number
            if passed:
                over += number
            else:
                state = seen, word, other, True
                longer[state] = longer.get(state, 0) + number
        games = longer
        counts.append(sum(games.values()) + over)
    return counts


@pytest.mark.parametrize("depth", [13, pytest.param(20, marks=pytest.mark.slow)])
def test_all_games_on_2x2_are_those_of_an_independent_enumeration(depth):
    """2,571,096 games of 20 plies; all there are, 386,356,909,593 by the paper above, are too many to play."""
    position = Position(Go(size=2, superko="positional", suicide=False))
    assert [position.perft(d) for d in range(1, depth + 1)] == games_on_2x2(depth)


@pytest.mark.parametrize("size", [(2, 2), (1, 5), (3, 3), (4, 3), (5, 5)])
@pytest.mark.parametrize("superko", ["simple", "positional", "situational"])
@pytest.mark.parametrize("suicide", [False, True])
def test_random_games_agree_with_the_naive_board(size, superko, suicide):
    """Every point's legality, the stones and the score at every ply, to the very end of superko's possibilities."""
    width, height = size
    rng = random.Random(f"{size} {superko} {suicide}")
    for _ in range(4):
        go = Go(size=size, superko=superko, suicide=suicide, komi=0)
        naive, position = NaiveGo(width, height, superko, suicide), Position(go)
        while position.outcome() is None:
            points = [(x, y) for y in range(height) for x in range(width)]
            legal = [naive.is_legal(p) for p in points]
            assert go.legal(position.state)[0, :-1].tolist() == legal, str(position)
            go.check(position.state)
            choices = [p for p, ok in zip(points, legal, strict=True) if ok]
            point = rng.choice(choices) if choices and rng.random() < 0.95 else None
            naive.play(point)
            position.play(go.layout.area if point is None else point[1] * width + point[0])
            board = position.board()
            assert {(x, y): int(board[y, x]) for x, y in points if board[y, x]} == naive.stones
            assert position.score() == naive.area()


@pytest.mark.parametrize("size", [9, 19])
def test_random_games_agree_with_sgfmill(size):
    """Captures, simple ko and area score against an independent implementation, without own-eye filling."""
    boards = pytest.importorskip("sgfmill.boards")
    go = Go(size=size, superko="simple", suicide=False, komi=0)
    rng = np.random.default_rng(size)
    position, theirs, ko = Position(go), boards.Board(size), None
    while position.outcome() is None:
        sensible = np.flatnonzero(go.sensible(position.state)[0])
        action = int(rng.choice(sensible[:-1] if len(sensible) > 1 else sensible))
        if action < size * size:
            row, column = size - 1 - action // size, action % size
            assert ko != (row, column)
            ko = theirs.play(row, column, "bw"[position.turn])
        else:
            ko = None
        position.play(action)
        record = position.state[0]
        our_ko = None
        if record.ko:
            y, x = divmod(int(record.ko), size + 1)
            our_ko = (size - y, x - 1)
        assert our_ko == ko
        expected = np.zeros((size, size), int)
        for colour, (row, column) in theirs.list_occupied_points():
            expected[size - 1 - row, column] = 1 if colour == "b" else -1
        assert (position.board() == expected).all()
    assert position.ply > size * size
    assert position.score() == theirs.area_score()


def played(moves, **options):
    position = Position(Go(**{"size": 5, **options}))
    for move in moves.split():
        position.play(move)
    return position


KO = "B1 C1 A2 D2 B3 C3 C2 B2"  # Black's C2 is taken by White's B2; Black may not retake at once


def test_ko_may_not_be_retaken_at_once_but_after_a_threat():
    position = played(KO, rules="japanese")
    with pytest.raises(IllegalMove, match="ko may not be retaken"):
        position.play("C2")
    position.play("E5")
    position.play("E4")
    position.play("C2")
    assert position.board()[3].tolist() == [1, 0, 1, -1, 0]


def test_superko_names_its_rule():
    with pytest.raises(IllegalMove, match="positional superko"):
        played(KO + " C2")
    with pytest.raises(IllegalMove, match="occupied"):
        played("C3 C3")


def test_suicide_by_rule_set():
    moves = "A2 E5 B1 E4 pass"
    for rules in RULES:
        position = played(moves, rules=rules)
        if RULES[rules].superko == "positional" and RULES[rules].suicide:
            # The single stone would bring back the position before it.
            with pytest.raises(IllegalMove, match="repeats"):
                position.play("A1")
        elif not RULES[rules].suicide:
            with pytest.raises(IllegalMove, match="suicide is not allowed"):
                position.play("A1")
    position = played("A2 A1 B2 B1 C1", rules="new-zealand", size=4)
    assert position.board()[3].tolist() == [0, 0, 1, 0]
    two = Position(Go(size=4, rules="new-zealand"), "4x4 4/4/XX2/O1X1 w")
    two.play("B1")
    assert two.text() == "4x4 4/4/XX2/2X1 b prisoners 2-0"


def test_positional_and_situational_superko_differ():
    """Suicide of one stone leaves the board as it was, with the other side to move."""
    positional, situational = (Go(size=(3, 2), superko=k, suicide=True) for k in ("positional", "situational"))
    corner = Position(situational, "3x2 1OX/OO1 b")
    assert "A2" in corner.legal_moves()
    assert "A2" not in Position(positional, "3x2 1OX/OO1 b").legal_moves()


def test_two_passes_end_the_game_and_the_move_limit_too():
    position = played("pass pass")
    assert position.outcome().ending is Ending.TWO_PASSES
    assert position.outcome().winner == 1
    assert position.legal_moves() == []
    with pytest.raises(IllegalMove, match="the game has ended"):
        position.play("A1")
    assert played("A1 A2 A3", max_plies=3).outcome().ending is Ending.MOVE_LIMIT


def test_playing_beyond_the_end_stays_within_its_row():
    go = Go(size=3, max_plies=20)
    states = go.new(3)
    before = states.copy()
    for _ in range(100):
        go.play(states[1:2], np.array([4]))
    assert (states[0] == before[0]) & (states[2] == before[2])


def test_sizes_live_side_by_side():
    small, large = Position(Go(size=(9, 13))), Position(Go(size=25))
    large.play("Z25")
    small.play("J13")
    large.play("A1")
    assert small.board().shape == (13, 9)
    assert small.board()[0, 8] == 1
    assert large.board()[0, 24] == 1
    assert large.board()[24, 0] == -1


def test_replay_moves_stops_at_the_first_illegal_move():
    go = Go(size=5, superko="simple", suicide=False)
    moves = [
        [go.parse_move(None, m) for m in line.split()] for line in (KO + " C2", "A1 A1 B1 pass pass pass pass E5 D5")
    ]
    moves.append([0, 25, 25, 25, 25, 1, 2, 3, 99])
    states = go.new(3)
    assert go.replay_moves(states, np.array(moves), np.array([9, 9, 9])).tolist() == [8, 1, 8]
    assert states["ply"].tolist() == [8, 1, 8]


@pytest.mark.parametrize("rules", RULES)
def test_a_rollout_of_an_ended_game_is_its_result(rules):
    for moves, options in (("E5 pass pass", {}), ("E5 D4 C3", {"max_plies": 3})):
        position = played(moves, size=9, rules=rules, **options)
        rng = np.arange(8, dtype=np.uint64)
        results = position.game.rollout(np.repeat(position.state, 8), rng)
        assert (results == position.game.result(position.state)).all()


@pytest.mark.parametrize("rules", RULES)
def test_a_ko_survives_in_the_position_text(rules):
    position = played(KO, rules=rules)
    again = Position(position.game, position.text())
    assert "ko C2" in position.text()
    assert "C2" not in position.legal_moves()
    assert again.legal_moves() == position.legal_moves()


def test_batches_of_the_wrong_shape_are_refused():
    """Kernels check no bounds: a batch of another game would be read, and written, far out of it."""
    small, large = Go(size=9), Go(size=19)
    states = small.new(4)
    with pytest.raises(ValueError, match="records of 18"):
        large.legal(states)
    with pytest.raises(ValueError, match=r"\[4\] is wanted, got \[1\]"):
        small.play(states, np.array([0]))
    with pytest.raises(ValueError, match=r"\[4, any\] is wanted, got \[2, 3\]"):
        small.replay(states, np.zeros((2, 3), np.int32), np.zeros(4, np.int32))
    with pytest.raises(ValueError, match=r"rng must be .*uint64 \[4\]"):
        small.rollout(states, np.zeros(1, np.uint64))
    with pytest.raises(TypeError, match="whole numbers are wanted, got float64"):
        small.play(states, np.zeros(4))
    with pytest.raises(ValueError, match=r"\[4, 81\] is wanted"):
        small.score(states, np.zeros((1, 81), bool))
    with pytest.raises(ValueError, match="contiguous and writable"):
        small.play(small.new(8)[::2], np.zeros(4, int))


@pytest.mark.parametrize("rules", RULES)
def test_empty_batches_are_batches(rules):
    go = Go(size=5, rules=rules)
    none = go.new(0)
    assert go.legal(none).shape == (0, 26)
    assert go.observe(none).shape == (0, 17, 5, 5)
    assert go.result(none).shape == go.settled_score(none).shape == go.final_score(none).shape == (0,)
    assert [mask.shape for mask in go.judge(none)] == [(0, 25)] * 2


@pytest.mark.parametrize(
    "options",
    [
        {"size": (9.7, 9)},
        {"size": "99"},
        {"size": True},
        {"size": 26},
        {"size": (0, 9)},
        {"size": (9, 9, 9)},
        {"komi": "7"},
        {"komi": None},
        {"komi": float("nan")},
        {"komi": 10**400},
        {"rules": ["x"]},
        {"rules": "chines"},
        {"superko": "psk"},
        {"suicide": "no"},
        {"max_plies": "3"},
        {"max_plies": 1.5},
    ],
)
def test_settings_that_do_not_exist_are_refused(options):
    with pytest.raises(ValueError):
        Go(**options)


def test_the_same_settings_make_the_same_game():
    assert Go(np.int64(9)) == Go((9, 9)) == Go(size=9, komi=7.5)
    assert Go(9, komi=7) == Go(9, komi=7.0)
    assert Go(9, komi=-0.0).komi == 0


@pytest.mark.parametrize(
    "text",
    [
        "5x5 5/5/5/5/5 b ko C3 ko C2",
        "5x5 5/5/5/5/5 b passes 1 passes 2",
        "5x5 5/5/5/5/5 b handicap 9",
        "5x5 ٥/5/5/5/5 b",
        "5x5 00X4/5/5/5/5 b",
        "5x5 5/5/5/5 b",
        "5x5 5/5/5/5/5",
        "5x5 5/5/5/5/6 b",
        "5x5 XX3/X4/5/5/5 x",
        "26x26 b",
        "2x2 XX/X1 b ko A2",
        "2x2 XX/XX b",
    ],
)
def test_bad_position_texts_are_refused(text):
    with pytest.raises(BadNotation, match=r"not a Go position|has a chain without liberties"):
        Position(Go(size=2 if text.startswith("2x2") else 5), text)

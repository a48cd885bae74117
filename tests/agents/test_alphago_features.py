"""The input planes against definitions in plain Python, on random positions and on ones drawn for the purpose."""

import numpy as np
import pytest

from sakiyomi.agents.alphago.features import PLANES, encode_plies, feature_planes, ladder_moves, warm_up
from sakiyomi.boards import rows
from sakiyomi.boards.go import Go
from sakiyomi.boards.random import pick, seeds
from sakiyomi.sgf import main_line_of, parse, record_of
from sakiyomi.sgf.replay import Batch

SIZES = [1, 2, 5, 7, 9, (13, 9), (3, 25), 19]


def both_sides(size):
    return (size, size) if isinstance(size, int) else size


def play_at_random(game, count, plies, seed):
    """[plies + 1, count], all positions of random games, one of 16 moves a pass, and the actions [count, plies]."""
    states, rng, chance = game.new(count), seeds(np.random.default_rng(seed), count), np.random.default_rng(seed)
    found, moves = [states.copy()], np.zeros((count, plies), np.int32)
    for ply in range(plies):
        mask = game.sensible(states)
        mask[:, :-1] &= (chance.random(count) > 1 / 16)[:, None]
        mask[:, -1] |= ~mask.any(axis=1)
        states["passes"] = 0  # on and on
        moves[:, ply] = pick(mask, rng)
        game.play(states, moves[:, ply])
        found.append(states.copy())
    return np.stack(found), moves


# The plain definitions. A board is a dict from (row, column) to colour, 0 empty, 1 black, 2 white.


def as_dict(game, state):
    return {(y, x): int(c) % 3 for (y, x), c in np.ndenumerate(game.board(state))}


def chain_of(board, p):
    """The chain's stones and its liberties."""
    chain, todo, free = {p}, [p], set()
    while todo:
        y, x = todo.pop()
        for n in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if board.get(n) == 0:
                free.add(n)
            elif board.get(n) == board[p] and n not in chain:
                chain.add(n)
                todo.append(n)
    return chain, free


def after(board, p, colour):
    """The board after a move, and how many of the opponent's stones it took; suicide takes the own ones."""
    board, taken = {**board, p: colour}, 0
    for gone in (3 - colour, colour):
        for n in ((p[0] - 1, p[1]), (p[0] + 1, p[1]), (p[0], p[1] - 1), (p[0], p[1] + 1), p):
            if board.get(n) == gone and not chain_of(board, n)[1]:
                chain = chain_of(board, n)[0]
                taken += len(chain) * (gone != colour)
                board.update(dict.fromkeys(chain, 0))
    return board, taken


def fills_an_eye(board, p, colour):
    y, x = p
    sides = [board.get(n, colour) for n in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1))]
    corners = [board.get(n) for n in ((y - 1, x - 1), (y - 1, x + 1), (y + 1, x - 1), (y + 1, x + 1))]
    return set(sides) == {colour} and corners.count(3 - colour) + (None in corners) < 2


def plain_planes(game, state, ages):
    """[49, H, W] but the ladders, for one position whose stones are `ages` plies old (a dict)."""
    board, own = as_dict(game, state), 1 + int(game.turn(state)[0])
    planes = np.zeros((49, game.layout.height, game.layout.width), np.uint8)
    planes[3] = 1
    planes[48] = own == 1
    for p, c in board.items():
        planes[(2, 0, 1)[c and 1 + (c != own)]][p] = 1
        if c:
            planes[3 + min(8, ages[p])][p] = 1
            planes[11 + min(8, len(chain_of(board, p)[1]))][p] = 1
    for a in np.flatnonzero(game.legal(state)[0, :-1]).tolist():
        p = divmod(a, game.layout.width)
        then, taken = after(board, p, own)
        planes[20 + min(7, taken)][p] = 1
        if then[p]:
            chain, free = chain_of(then, p)
            planes[35 + min(8, len(free))][p] = 1
            if len(free) == 1:
                planes[27 + min(8, len(chain))][p] = 1
        planes[46][p] = not fills_an_eye(board, p, own)
    return planes


def ages_of(game, states):
    """For each of the positions of one game, the age of each stone: what a move puts on the board is 1 ply old."""
    ages, before = [{p: 8 for p, c in as_dict(game, states[:1]).items() if c}], as_dict(game, states[:1])
    for i in range(1, len(states)):
        now = as_dict(game, states[i : i + 1])
        old = ages[-1]
        ages.append({p: old[p] + 1 if before[p] == c else 1 for p, c in now.items() if c})
        before = now
    return ages


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("rules", ["japanese", "tromp-taylor"])  # simple ko without suicide; superko and suicide
def test_random_games_against_the_plain_definitions(size, rules):
    width, height = both_sides(size)
    game = Go(size, rules=rules, max_plies=500)
    plies = {19: 350}.get(size, 2 * width * height)
    states, _ = play_at_random(game, 2, plies, 1)
    for g in range(2):
        line = states[:, g].copy()
        line["passes"] = 0
        ages = ages_of(game, line)
        found = feature_planes(game, line, 49)
        assert (found[:, 44:46] == ladder_moves(game, line)).all()
        found[:, 44:46] = 0
        for ply in range(0, plies + 1, 1 if plies < 60 else 17):
            expected = plain_planes(game, line[ply : ply + 1], ages[ply])
            wrong = np.argwhere(found[ply] != expected)
            assert not len(wrong), f"plane, row, column {wrong[:5].tolist()} of\n{game.draw(line[ply : ply + 1])}"


def position(diagram, turn="b", **rules):
    lines = diagram.split()
    board = "/".join("".join(c if c in "XO" else "." for c in line) for line in lines)
    game = Go((len(lines[0]), len(lines)), **{"rules": "japanese", **rules})
    return game, game.parse_position(f"{len(lines[0])}x{len(lines)} {board} {turn}")


def groups(diagram, turn="b", **rules):
    """For each letter: stones taken, stones in self-atari, liberties after it, is it sensible; None if illegal."""
    game, state = position(diagram, turn, **rules)
    planes = feature_planes(game, state)[0]
    found = {}
    for y, line in enumerate(diagram.split()):
        for x, letter in enumerate(line):
            if letter.islower():
                taken, atari, free = (np.flatnonzero(planes[k : k + 8, y, x]) for k in (20, 28, 36))
                sizes = (taken, 1 + atari, 1 + free)
                assert all(len(s) <= 1 for s in sizes)
                numbers = tuple(int(s[0]) if len(s) else 0 for s in sizes)
                found[letter] = (*numbers, int(planes[46, y, x])) if len(taken) else None
    return found


def test_snapback():
    snap = """
        OOO.OX.
        XXOaOX.
        .XXOOX.
        ...XXX.
        ......."""
    assert groups(snap, "b")["a"] == (0, 1, 1, 1)  # thrown in: one stone of one liberty
    taken = snap.replace("OaO", "OXO").replace("OOO.O", "OOOaO")
    assert groups(taken, "w")["a"] == (1, 8, 1, 1)  # takes it, and all eight are in atari by that


def test_liberties_freed_by_a_capture_are_counted():
    diagram = """
        aOX..
        OOX..
        XX...
        .....
        ....."""
    assert groups(diagram, "b")["a"] == (3, 0, 2, 1)
    assert groups(diagram, "w")["a"] is None
    assert groups(diagram, "w", suicide=True)["a"] == (0, 0, 0, 0)
    ko = """
        .XO..
        XaXO.
        .XO..
        .....
        ....."""
    assert groups(ko, "w")["a"] == (1, 1, 1, 1)


def test_a_capturing_race():
    diagram = """
        aXXOb.
        cOOXX.
        OOXX..
        XXX...
        ......"""
    assert groups(diagram, "b") == {"a": (0, 3, 1, 1), "b": (1, 0, 8, 1), "c": (4, 0, 3, 1)}
    assert groups(diagram, "w") == {"a": (2, 0, 2, 1), "b": (0, 2, 1, 1), "c": (0, 5, 1, 1)}


def test_sensible_moves_fill_no_eye():
    diagram = """
        aX.XX
        XX.Xb
        ..XXX
        .XcX.
        ..X.."""
    found = groups(diagram, "b")
    assert [found[k][3] for k in "abc"] == [0, 0, 0]
    assert found["a"][0] == 0
    broken = groups(diagram.replace("XX.X", "XO.X", 1), "b")
    assert broken["a"][3] == 1


def test_a_ko_point_is_in_no_plane_of_moves():
    game, state = position(".XO../XaXO./.XO../...../.....".replace("/", " "), "w")
    game.play(state, np.array([6]))
    planes = feature_planes(game, state)[0]
    assert not planes[20:47, 1, 2].any()
    assert planes[20:28].any(axis=0).sum() == game.legal(state)[0, :-1].sum()
    game.play(state, np.array([25]))
    game.play(state, np.array([25]))
    state["passes"] = 0
    assert feature_planes(game, state)[0, 21, 1, 2]


def age_board(game, state):
    """[H, W], 0 where empty."""
    planes = feature_planes(game, state, 12)[0, 4:]
    assert (planes.sum(axis=0) == (game.board(state) != 0)).all()
    return np.tensordot(np.arange(1, 9), planes.astype(int), 1)


def test_ages_of_taken_and_replayed_points_and_passes():
    game = Go(5, rules="japanese")
    state = game.new(1)

    def play(*moves):
        for move in moves:
            game.play(state, np.array([game.parse_move(None, move)]))

    play("A5", "B5")
    assert (age_board(game, state)[0, :2] == [2, 1]).all()
    play("E1", "A4")  # takes A5
    assert (age_board(game, state)[:2, :2] == [[0, 3], [1, 0]]).all()
    play("B4", "pass", "E2", "pass")
    assert age_board(game, state)[0, 1] == 7
    play("C5")
    assert age_board(game, state)[0, 1] == 8
    play("A5")  # White's own stone, on the point that Black's stood on
    assert age_board(game, state)[0, 0] == 1
    assert age_board(game, state)[4, 4] == 8
    assert age_board(game, state)[3, 4] == 4


def test_handicap_stones_are_old():
    game = Go(9)
    state = game.handicap(4)
    assert set(age_board(game, state)[game.board(state) != 0]) == {8}
    game.play(state, np.array([40]))
    ages = age_board(game, state)
    assert ages[4, 4] == 1
    assert sorted(ages[ages > 1]) == [8] * 4
    assert feature_planes(game, state, 49)[0, 48].all()


def test_fewer_planes_are_the_first_ones():
    game = Go((7, 5))
    states, _ = play_at_random(game, 20, 30, 2)
    whole = feature_planes(game, states[-1], 49)
    assert whole.shape == (20, 49, 5, 7)
    assert whole.dtype == np.uint8
    assert whole.max() == 1
    assert not whole[:, 47].any()
    for planes in PLANES:
        assert (feature_planes(game, states[-1], planes) == whole[:, :planes]).all()


def test_a_batch_is_its_positions_one_by_one():
    game = Go(9)
    states, _ = play_at_random(game, 1, 70, 3)
    batch = feature_planes(game, states[:, 0], 49)
    assert (batch == np.concatenate([feature_planes(game, state, 49) for state in states])).all()
    assert feature_planes(game, states[:0, 0]).shape == (0, 48, 9, 9)
    assert (feature_planes(game, states[::2, 0], 49) == batch[::2]).all()
    before = rows.setting()
    try:
        rows.set_threads(3)
        assert (feature_planes(game, states[:, 0], 49) == batch).all()
    finally:
        rows.set_threads(before)


@pytest.mark.parametrize("size", [9, (13, 9), 19], ids=str)
def test_turned_games_have_turned_planes(size):
    game = Go(size)
    _, moves = play_at_random(game, 4, 100, 4)
    plies = np.array([[20, 60, 99]] * 4)
    found = encode_plies(game, game.new(4), moves, plies, 49)
    for symmetry in game.symmetries():
        turned = encode_plies(game, game.new(4), symmetry.actions[moves], plies, 49)
        assert (turned == symmetry.planes(found)).all()


def test_plies_of_a_game_replayed_once():
    game = Go(9)
    states, moves = play_at_random(game, 5, 60, 5)
    plies = np.random.default_rng(6).integers(0, 61, (5, 7))
    found = encode_plies(game, game.new(5), moves, plies, 49)
    assert found.shape == (5, 7, 49, 9, 9)
    states["passes"] = 0
    for g, k in np.ndindex(plies.shape):
        assert (found[g, k] == feature_planes(game, states[plies[g, k], g : g + 1], 49)[0]).all()
    started = states[20].copy()
    again = encode_plies(game, started, moves[:, 20:], np.full((5, 1), 40), 49)
    assert (again[:, 0] == feature_planes(game, states[60], 49)).all()
    assert (game.colours(started) == game.colours(states[20])).all()


def test_no_move_is_in_the_planes_after_the_end():
    game = Go(5)
    passes = np.full((1, 2), 25, np.int32)
    state = game.replay(game.new(1), passes, np.array([2], np.int32))
    assert not feature_planes(game, state)[0, 20:47].any()
    assert encode_plies(game, game.new(1), passes, np.array([[2]]))[0, 0, 20].all()  # records go on


def test_wrong_numbers_are_refused():
    game = Go(5)
    with pytest.raises(ValueError, match="4, 12, 20, 48, 49 feature planes to choose from, not 17"):
        feature_planes(game, game.new(1), 17)
    with pytest.raises(ValueError, match="this game's positions"):
        feature_planes(game, Go(9).new(1))
    moves = np.zeros((1, 3), np.int32)
    for plies in ([[4]], [[-1]]):
        with pytest.raises(ValueError, match=r"plies must lie in 0\.\.3 here"):
            encode_plies(game, game.new(1), moves, np.array(plies))
    short = Go(5, max_plies=3)
    at_the_limit = short.replay(short.new(1), moves, np.array([3], np.int32))
    with pytest.raises(ValueError, match=r"0\.\.0 here"):
        encode_plies(short, at_the_limit, moves, np.array([[1]]))
    with pytest.raises(ValueError, match="shape"):
        encode_plies(game, game.new(2), moves, np.zeros((2, 1), np.int32))


def test_warming_up_compiles_one_signature_each():
    warm_up()
    feature_planes(Go(9), Go(9).new(3), 49)
    from sakiyomi.agents.alphago import ladders, liberties, plane_kernels

    kernels = [f for module in (ladders, liberties, plane_kernels) for f in vars(module).values()]
    entries = [f for f in kernels if hasattr(f, "signatures") and f.py_func.__name__.endswith("_rows")]
    assert {len(f.signatures) for f in entries} == {1}


def test_real_games(records):
    games = [record_of(parse(path.read_bytes())[0]) for path in sorted((records / "go" / "samples").glob("*.sgf"))]
    lines = [main_line_of(record) for record in games if record.game == "go-19x19"]
    batch = Batch([line for line in lines if line.plain], 19, 19, False)
    played = batch.play()
    plies = np.stack([played // 4, played // 2, played - 1], axis=1)
    found = encode_plies(batch.game, batch.states, batch.actions, plies)
    for g in range(len(played)):
        for k in range(3):
            action = int(batch.actions[g, plies[g, k]])
            if action < 361:
                assert found[g, k, 20:28].reshape(8, 361)[:, action].sum() == 1  # what was played was legal
        state = batch.game.replay(batch.states[g : g + 1], batch.actions[g : g + 1], plies[g, 1:2].astype(np.int32))
        expected = plain_planes(batch.game, state, dict.fromkeys(as_dict(batch.game, state), 8))
        kept = [*range(4), *range(12, 44), *range(46, 48)]
        assert (found[g, 1][kept] == expected[kept]).all()

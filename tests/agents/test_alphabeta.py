"""Alpha-beta against plain minimax with the same evaluation, and against weaker players; chess also in its own file."""

import time
from threading import Event, Timer

import numpy as np
import pytest

from sakiyomi.agents.alphabeta import AlphaBetaPlayer
from sakiyomi.agents.greedy import GreedyPlayer
from sakiyomi.agents.parts.alphabeta import connect4_search, othello_search
from sakiyomi.agents.parts.alphabeta.small_games import best_action
from sakiyomi.agents.random_player import RandomPlayer
from sakiyomi.boards import Budget, IllegalMove, Position
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.go import Go
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.tictactoe import TicTacToe


def points(game, player, opponent, games):
    """What `player` makes of `games` games with alternating colours, 1 a win and 1/2 a draw."""
    total = 0.0
    for seed in range(games):
        side, rng = seed % 2, np.random.default_rng(seed)
        seats = (opponent, player) if side else (player, opponent)
        for number, seat in enumerate(seats):
            seat.begin(game, number, rng)
        position = Position(game)
        while position.outcome() is None:
            position.play(seats[position.turn].choose(position, Budget()))
        winner = position.outcome().winner
        total += 0.5 if winner is None else float(winner == side)
    return total


def random_position(game, plies, rng):
    position = Position(game)
    while position.ply < plies and position.outcome() is None:
        position.play(int(rng.choice(position.legal_actions())))
    return position if position.outcome() is None else random_position(game, plies, rng)


def discs(position, field):
    first, second = position.state[field][0]
    return (second, first) if position.turn else (first, second)


def connect4_minimax(position, depth):
    """The value for the mover by trying everything."""
    if (outcome := position.outcome()) is not None:
        return 0 if outcome.winner is None else -(connect4_search.WIN + depth + 1)
    values = []
    own, other = discs(position, "stones")
    for action in position.legal_actions():
        after = position.after(int(action))
        if (outcome := after.outcome()) is not None and outcome.winner is not None:
            return connect4_search.WIN + depth
        if depth > 0:
            values.append(-connect4_minimax(after, depth - 1))
    return max(values) if values else int(connect4_search.evaluate(own, own | other))


def evaluate(position):
    """The evaluation for the mover."""
    own, other = discs(position, "discs")
    size = position.game.size
    board = np.uint64(sum(1 << 8 * y + x for y in range(size) for x in range(size)))
    return int(othello_search.evaluate(own, other, board, np.uint64(othello_search.corners_of(size))))


def othello_minimax(position, depth):
    """The value for the mover by trying everything; a pass costs no depth."""
    own, other = discs(position, "discs")
    size = position.game.size
    if position.outcome() is not None:
        return othello_search.FINAL * (int(own).bit_count() - int(other).bit_count())
    actions = position.legal_actions().tolist()
    if actions == [size * size]:
        return -othello_minimax(position.after(actions[0]), depth)
    if depth == 0:
        return evaluate(position)
    return max(-othello_minimax(position.after(action), depth - 1) for action in actions)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_connect4_is_minimax(depth):
    rng = np.random.default_rng(depth)
    for plies in (4, 12, 20, 26, 30, 32):
        position = random_position(ConnectFour(), plies, rng)
        own, other = discs(position, "stones")
        actions = rng.permutation(position.legal_actions())
        action, value = connect4_search.best_action(own, own | other, depth, actions, np.zeros(1, np.int64))
        assert value == connect4_minimax(position, depth)
        after = position.after(int(action))
        if value < connect4_search.WIN:
            assert -connect4_minimax(after, depth - 1) == value
        bound = 2 * connect4_search.WIN
        searched = connect4_search.value(own, own | other, depth, -bound, bound, np.zeros(1, np.int64))
        assert searched == value


@pytest.mark.parametrize("size", [6, 8])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_othello_is_minimax(size, depth):
    rng = np.random.default_rng(10 * size + depth)
    for plies in (3, 12, 20, size * size - 10, size * size - 8, size * size - 7):
        position = random_position(Othello(size), plies, rng)
        actions = rng.permutation(position.legal_actions())
        if actions[0] == size * size:
            continue
        own, other = discs(position, "discs")
        nodes = np.zeros(1, np.int64)
        action, value = othello_search.best_action(own, other, size, depth, actions, nodes)
        assert value == othello_minimax(position, depth)
        assert -othello_minimax(position.after(int(action)), depth - 1) == value


def test_othello_evaluation_by_hand():
    """A corner, and a disc diagonally next to an empty corner, each with one move and frontier discs counted."""

    def value(text):
        return evaluate(Position(Othello(), text))

    empty = "/".join(["........"] * 7)
    assert value(f"X......./{empty} X") == 32 - 1
    assert value(f"X......./{empty} O") == -(32 - 1)
    rest = "/".join(["........"] * 6)
    assert value(f"......../.X....../{rest} X") == -12 - 1
    assert value(f"XO....../{empty} X") == 32 + 4 * (1 - 0) - (1 - 1)


@pytest.mark.parametrize("game", [TicTacToe(), ConnectFour(), Othello(size=6)], ids=lambda game: game.name)
def test_equals_are_chosen_at_random(game):
    """From the start, some moves mirror each other; each is played at times."""
    player = AlphaBetaPlayer(2, seed=0)
    symmetric = {player.choose(Position(game), Budget()) for _ in range(40)}
    assert len(symmetric) >= (1 if game.name == "connect4" else 4)


@pytest.mark.parametrize(
    ("game", "games", "least"), [(TicTacToe(), 40, 33), (ConnectFour(), 30, 27), (Othello(), 20, 18)], ids=str
)
def test_beats_random(game, games, least):
    assert points(game, AlphaBetaPlayer(4), RandomPlayer(), games) >= least


@pytest.mark.parametrize(("game", "least"), [(ConnectFour(), 15), (Othello(), 15)], ids=str)
def test_beats_greedy(game, least):
    assert points(game, AlphaBetaPlayer(4), GreedyPlayer(), 20) >= least


def test_deeper_is_stronger():
    assert points(Othello(), AlphaBetaPlayer(5), AlphaBetaPlayer(1), 20) >= 15


def test_seconds_limit_the_depth():
    """With hardly any time it looks one ply ahead; with a second, as far as it was told and no farther."""
    position = Position(ConnectFour())
    start = time.monotonic()
    AlphaBetaPlayer(30).choose(position, Budget(seconds=0.3))
    assert time.monotonic() - start < 10
    shallow = {AlphaBetaPlayer(1, seed=seed).choose(position, Budget()) for seed in range(9)}
    assert {AlphaBetaPlayer(30, seed=seed).choose(position, Budget(seconds=1e-9)) for seed in range(9)} == shallow


def test_settings_and_games():
    assert AlphaBetaPlayer(6).name == "alphabeta:6"
    with pytest.raises(ValueError, match="depth of alphabeta must be a whole number of 1 or more plies, got 0"):
        AlphaBetaPlayer(0)
    for act in (
        lambda: AlphaBetaPlayer().choose(Position(Go(size=5)), Budget()),
        lambda: AlphaBetaPlayer().begin(Go(size=5), 0, np.random.default_rng()),
    ):
        with pytest.raises(
            ValueError, match="alphabeta plays chess, chess960, shogi, tictactoe, connect4 and othello, not go-5x5; uct"
        ):
            act()


def test_forced_moves_need_no_search():
    game = Othello()
    root = game.parse_position("XO....../......../......../......../......../......../......../........ O")
    assert best_action(game, root, 5, np.array([64])) == 64


# --- chess


def chess_game(seeds, depths=(2, 2), budget=None, chess960=False, plies=40):
    """The moves of a game of two alpha-beta players, at most so many; `Position` refuses what is illegal."""
    game = Chess(chess960)
    players = [AlphaBetaPlayer(depth) for depth in depths]
    for side, (player, seed) in enumerate(zip(players, seeds, strict=True)):
        player.begin(game, side, np.random.default_rng(seed))
    position = Position(game)
    if chess960:
        position.state = game.start([int(np.random.default_rng(seeds).integers(960))])
    moves = []
    while position.outcome() is None and len(moves) < plies:
        moves.append(players[position.turn].choose(position, budget or Budget()))
        position.play(moves[-1])
    return moves


def test_chess_games_repeat_with_their_seeds_and_differ_with_others():
    for budget in (Budget(), Budget(simulations=500, depth=9)):
        games = [tuple(chess_game(seeds, budget=budget)) for seeds in [(1, 2), (1, 2), (3, 4), (5, 6)]]
        assert games[0] == games[1]
        assert len(set(games)) == 3


@pytest.mark.parametrize("chess960", [False, True])
def test_chess_is_played_to_its_end(chess960):
    for seed in range(3):
        moves = chess_game((seed, seed), (1, 3), chess960=chess960, plies=600)
        assert len(moves) < 600


def test_chess_beats_random_and_greedy():
    assert points(Chess(), AlphaBetaPlayer(3), RandomPlayer(), 4) >= 3.5
    assert points(Chess(), AlphaBetaPlayer(3), GreedyPlayer(), 4) >= 3.5


def test_chess_deeper_is_stronger():
    assert points(Chess(), AlphaBetaPlayer(5), AlphaBetaPlayer(1), 10) >= 8


def thought(position, budget, moves=None, stop=None, player=None):
    """What a player says while it thinks, and its move."""
    told, before = [], position.text()
    player = player or AlphaBetaPlayer(4, seed=0)
    move = player.think(position, budget, moves=moves, stop=stop or Event(), tell=told.append)
    assert position.text() == before
    return move, told


@pytest.mark.parametrize("chess960", [False, True])
def test_chess_thoughts(chess960):
    position = Position(Chess(chess960))
    move, told = thought(position, Budget(depth=6))
    assert [one.depth for one in told] == [1, 2, 3, 4, 5, 6]
    assert told[-1].line[0] == move
    assert [one.nodes for one in told] == sorted(one.nodes for one in told)
    assert [one.seconds for one in told] == sorted(one.seconds for one in told)
    for one in told:
        after = position.copy()
        for text in one.line:
            after.play(text)
        assert -1 < one.value < 1
        assert one.mate is None
        assert -200 < one.centipawns < 200
    assert thought(position, Budget(simulations=5000))[1][-1].depth == 4, "the player's own depth"
    assert thought(position, Budget(simulations=5000, depth=50))[1][-1].nodes <= 5000


def test_chess_thinks_of_the_moves_it_is_told():
    position = Position(Chess())
    for moves in (["a2a3"], ["a2a3", "h2h3", "a2a3"]):
        move, told = thought(position, Budget(depth=4), moves)
        assert move in moves
        assert all(one.line[0] in moves for one in told)
    with pytest.raises(ValueError, match="the list of moves is empty"):
        thought(position, Budget(), [])
    with pytest.raises(IllegalMove, match="illegal move a1a5"):
        thought(position, Budget(), ["a1a5"])


def test_chess_thinks_until_it_is_stopped():
    stop = Event()
    Timer(0.3, stop.set).start()
    start = time.monotonic()
    move, told = thought(Position(Chess()), Budget(), stop=stop)
    assert 0.25 < time.monotonic() - start < 5
    assert told[-1].depth > 4
    assert told[-1].line[0] == move
    assert thought(Position(Chess()), Budget(), stop=stop)[0], "set before it began"


def test_chess_thinks_no_longer_than_a_mate_takes():
    move, told = thought(Position(Chess(), "6k1/5ppp/8/8/8/8/5PPP/R5K1 w - - 0 1"), Budget())
    assert (move, told[-1].mate, told[-1].value, told[-1].depth) == ("a1a8", 1, 1.0, 1)


def test_chess_keeps_to_its_seconds():
    player = AlphaBetaPlayer(60, seed=1)
    player.choose(Position(Chess()), Budget(seconds=0.01))
    late = []
    for _ in range(3):
        start = time.monotonic()
        player.choose(Position(Chess()), Budget(seconds=0.2))
        late.append(time.monotonic() - start - 0.2)
    assert min(late) < 0.05


@pytest.mark.parametrize("game", [TicTacToe(), ConnectFour(), Othello(size=6)], ids=lambda game: game.name)
def test_small_games_are_thought_about_too(game):
    move, told = thought(Position(game), Budget())
    assert [one.depth for one in told] == [1, 2, 3, 4]
    assert told[-1].line == (move,)
    moves = Position(game).legal_moves()[:2]
    stop = Event()
    stop.set()
    move, told = thought(Position(game), Budget(depth=30), moves, stop)
    assert move in moves
    assert len(told) == 1


def test_its_thought_is_that_of_its_last_iteration():
    player, position = AlphaBetaPlayer(3, seed=1), Position(Chess(), "6k1/5ppp/8/8/8/8/8/R3K3 w Q - 0 1")
    assert player.thought is None
    move = player.choose(position, Budget())
    position.play(move)
    thought = player.thought
    assert (move, thought.line[0], thought.mate, thought.value) == ("a1a8", "a1a8", 1, 1.0)
    player.choose(Position(Chess()), Budget(depth=2))
    assert (player.thought.depth, player.thought.mate) == (2, None)
    assert abs(player.thought.centipawns) < 100
    assert player.thought.candidates[0].line == player.thought.line
    small = AlphaBetaPlayer(2, seed=1)
    move = small.choose(Position(ConnectFour()), Budget())
    assert (small.thought.line, small.thought.depth) == ((move,), 2)
    small.begin(ConnectFour(), 0, np.random.default_rng(0))
    assert small.thought is None

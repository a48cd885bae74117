"""The shogi search and the rules that end games; its limits; the alpha-beta player at shogi."""

from threading import Event

import cshogi
import numpy as np
import pytest

from sakiyomi.agents.alphabeta import AlphaBetaPlayer
from sakiyomi.agents.parts.alphabeta import nodes as search_nodes
from sakiyomi.agents.parts.alphabeta import shogi_search
from sakiyomi.agents.parts.alphabeta.deepening import Limits, thought_of
from sakiyomi.agents.parts.alphabeta.nodes import EVERYTHING, QUIESCENCE, TABLE
from sakiyomi.agents.parts.alphabeta.shogi_search import PERPETUAL
from sakiyomi.agents.parts.alphabeta.shogi_thinking import ShogiSearcher
from sakiyomi.agents.parts.alphabeta.table import MATE, WON
from sakiyomi.agents.random_player import RandomPlayer
from sakiyomi.boards import DECLARE, Budget, Ending, Position
from sakiyomi.boards.shogi import Shogi, usi

U = np.uint64
GAME = Shogi()
MIDDLE = "l6nl/5+P1gk/2np1S3/p1p4Pp/3P2Sp1/1PPb2P1P/P5GS1/R8/LN4bKL w GR5pnsg 1"
ENTERED = "K+P+P+P+P+P+P+P+P/+P+P7/9/9/9/9/9/9/8k {} {} 1"  # ten of Black's pieces beside his king


def searched(position, limits, features=EVERYTHING, moves=None, bonus=0):
    """What a new searcher finds, among `moves` alone if given."""
    texts = moves or position.legal_moves()
    searcher = ShogiSearcher(position.game, 4, features)
    choices = searcher.moves_of(position.state, np.array([position.action(text) for text in texts]))
    found = searcher.search(position.state, choices, np.full(len(choices), bonus, np.int64), limits)
    return found, list(searcher.texts(position.state, found.play))


def played(moves, sfen=None, game=GAME):
    position = Position(game, sfen)
    for move in moves.split():
        position.play(move)
    return position


def random_boards(seed, count, most):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        board = cshogi.Board()
        for _ in range(int(rng.integers(20, most))):
            moves = list(board.legal_moves)
            if not moves:
                board.pop()
                break
            board.push(moves[int(rng.integers(len(moves)))])
        yield board


# --- mates


def mates(board, move):
    board.push(move)
    mate = board.is_check() and not list(board.legal_moves)
    board.pop()
    return mate


def test_mates_that_another_program_knows_are_found():
    """In one ply at once; where there is one in three, perhaps a longer one; the expected play is as long as told."""
    tried = {1: 0, 3: 0}
    for board in random_boards(0, 250, 250):
        if board.is_check():
            continue
        plies = 1 if any(mates(board, move) for move in board.legal_moves) else 3 if board.mate_move(3) else 0
        if not plies or tried[plies] >= 12:
            continue
        tried[plies] += 1
        position = Position(GAME, board.sfen())
        found, texts = searched(position, Limits(depth=9, nodes=300_000))
        assert found.value == MATE - 1 if plies == 1 else found.value > WON, board.sfen()
        for text in texts:
            position.play(text)
        assert position.outcome().ending == Ending.CHECKMATE
        assert len(texts) == MATE - found.value
    assert min(tried.values()) >= 5, tried


def test_being_mated_is_told():
    """Wherever the king goes, a gold before him mates."""
    found, texts = searched(Position(GAME, "4k4/R8/9/9/9/9/9/9/4K4 w G 1"), Limits(4))
    thought = thought_of(found, texts, 600, 0.0)
    assert (found.value, thought.mate, thought.value, thought.centipawns) == (2 - MATE, -1, -1.0, None)


def test_a_pawn_drop_may_not_mate():
    for piece, value in (("L", MATE - 1), ("G", MATE - 1)):
        assert searched(Position(GAME, f"7nk/9/6G2/7N1/9/9/9/9/K8 b {piece} 1"), Limits(1))[0].value == value
    position = Position(GAME, "7nk/9/6G2/7N1/9/9/9/9/K8 b P 1")
    assert "P*1b" not in position.legal_moves()
    assert searched(position, Limits(1))[0].value < WON


# --- repetition


def reference(line, at):
    """What `judge` is to find, by the rule read aloud."""
    keys, checks = line[0::2], line[1::2]
    for since in range(at - 4, -1, -2):
        if keys[since] == keys[at]:
            theirs, ours = all(checks[since + 2 : at + 1 : 2]), all(checks[since + 1 : at + 1 : 2])
            if theirs == ours:
                return shogi_search.DRAWN
            return shogi_search.LOSES if ours else shogi_search.WINS
    return shogi_search.NEW


def test_repetitions_are_judged_however_far_back_they_reach():
    rng, seen = np.random.default_rng(1), set()
    for _ in range(6000):
        at = int(rng.integers(0, 30))
        line = np.empty(2 * (at + 1), np.uint64)
        line[0::2] = rng.integers(0, 9, at + 1)
        for side in (0, 1):
            line[1::2][side::2] = rng.random(len(line[1::2][side::2])) < rng.choice([0.0, 0.7, 1.0])
        verdict = reference(line, at)
        assert shogi_search.judge(line, U(at)) == verdict
        seen.add(verdict)
    assert len(seen) == 4


CHECKING = "k8/9/9/9/9/9/9/1R7/8K b - 1"


def test_perpetual_check_loses():
    """The rook drives the king to and fro: who brings the position back loses if he checks, and wins if he flees."""
    position = played("8h9h 9a8a 9h8h 8a9a", CHECKING)
    assert searched(position, Limits(1), moves=["8h9h"])[0].value == -PERPETUAL
    assert searched(position, Limits(4), moves=["8h9h"])[0].value == -PERPETUAL
    assert searched(position, Limits(4))[0].value > 0
    fleeing = played("8h9h 9a8a 9h8h", CHECKING)
    assert searched(fleeing, Limits(4), moves=["8a9a"])[0].value == PERPETUAL


@pytest.mark.parametrize("bonus", [0, 28])
def test_perpetual_check_is_no_mate(bonus):
    found, texts = searched(played("8h9h 9a8a 9h8h", CHECKING), Limits(4), moves=["8a9a"], bonus=bonus)
    thought = thought_of(found, texts, 600, 0.0)
    assert (thought.mate, thought.centipawns) == (None, found.value)
    assert thought.value == pytest.approx(1)


def test_repetition_is_a_draw():
    position = played("2h3h 8b7b 3h2h")
    assert searched(position, Limits(3), moves=["7b8b"])[0].value == 0
    rook_up = played("2h3h 5a4a 3h2h", "4k4/9/9/9/9/9/9/7R1/4K4 b - 1")
    assert searched(rook_up, Limits(4), moves=["4a5a"])[0].value == 0
    assert searched(rook_up, Limits(4))[0].value == 0, "Black is a rook up: White takes the draw"


# --- declaration and the limit of plies


def test_the_entering_king_wins_without_a_mate():
    """White can do nothing against the declaration that comes next; without it or a point short he is not lost yet."""
    for rule, hand, lost in (
        ("27", "2RB3P", True),
        ("27", "2RB2P", False),
        ("24", "2R2BP", True),
        ("24", "2R2B", False),
        ("none", "2R2BP", False),
    ):
        position = Position(Shogi(declaration=rule), ENTERED.format("w", hand))
        found, _ = searched(position, Limits(1), features=0)
        assert (found.value == 2 - MATE) == lost, (rule, hand)


def test_the_player_declares_what_wins_and_a_draw_if_behind():
    def choice(rule, hand, moves=None):
        position = Position(Shogi(declaration=rule), ENTERED.format("b", hand))
        if moves is None:
            assert AlphaBetaPlayer(2, seed=0).choose(position, Budget()) == think(position, None)
        return think(position, moves)

    def think(position, moves):
        stop, told = Event(), []
        return AlphaBetaPlayer(2, seed=0).think(position, Budget(depth=2), moves=moves, stop=stop, tell=told.append)

    assert choice("27", "2RB3P") == DECLARE
    assert choice("24", "2R2BP") == DECLARE
    assert choice("27", "2RB3P", ["9b9c", "R*5e"]) in ("9b9c", "R*5e")
    assert choice("24", "2R2B") != DECLARE, "a draw, but far ahead"
    assert choice("none", "2R2BP") != DECLARE
    behind = Position(Shogi(declaration="24"), "K+P+P+P+P+P+P+P+P/+P+P7/9/9/9/9/9/9/7rk b 2B4Pr4g4s4n4l 1")
    assert behind.game.declarations(behind.state)[0] == 2
    assert AlphaBetaPlayer(2).choose(behind, Budget()) == DECLARE


def test_the_last_ply_makes_a_draw_unless_it_mates():
    for sfen, value in (("4k4/9/4P4/9/9/9/9/9/4K4 b G 1", MATE - 1), ("4k4/9/9/4P4/9/9/9/9/4K4 b G 1", 0)):
        assert searched(Position(Shogi(max_plies=1), sfen), Limits(3))[0].value == value
    position = Position(Shogi(max_plies=4))
    assert searched(position, Limits(3), features=QUIESCENCE)[0].value != 0
    assert searched(position, Limits(4), features=QUIESCENCE)[0].value == 0
    assert searched(played("7g7f", game=position.game), Limits(3), features=TABLE)[0].value == 0


# --- limits and memory


def test_nodes_are_kept_to_exactly_and_nothing_is_left_of_other_searches():
    for sfen in (None, MIDDLE):
        position = Position(GAME, sfen)
        choices = usi.moves(position.state)
        bonus, used = np.zeros(len(choices), np.int64), ShogiSearcher(GAME, 1)
        for nodes in (1, 2, 47, 1000, 12_345):
            used.search(
                Position(GAME).state, usi.moves(Position(GAME).state), np.zeros(30, np.int64), Limits(nodes=5000)
            )
            used.forget()
            found = used.search(position.state, choices, bonus, Limits(nodes=nodes))
            fresh = ShogiSearcher(GAME, 1)
            assert found == fresh.search(position.state, choices, bonus, Limits(nodes=nodes))
            assert fresh.deepening.control[search_nodes.NODES] == nodes
            assert found.play[0] in choices
    with pytest.raises(ValueError, match="whole number of 1 or more megabytes, got 0"):
        ShogiSearcher(GAME, 0)


# --- the player


def points(player, opponent, games, max_plies=300):
    total = 0.0
    for seed in range(games):
        side, game = seed % 2, Shogi(max_plies=max_plies)
        seats = (opponent, player) if side else (player, opponent)
        for number, seat in enumerate(seats):
            seat.begin(game, number, np.random.default_rng(seed))
        position = Position(game)
        while (outcome := position.outcome()) is None:
            move = seats[position.turn].choose(position, Budget())
            if move == DECLARE:
                break
            position.play(move)
        winner = position.turn if outcome is None else outcome.winner
        total += 0.5 if winner is None else float(winner == side)
    return total


def test_beats_random():
    assert points(AlphaBetaPlayer(2), RandomPlayer(), 6) == 6


def test_deeper_is_stronger():
    assert points(AlphaBetaPlayer(4), AlphaBetaPlayer(2), 6) >= 5


def test_games_repeat_with_their_seeds():
    def game(seed):
        players, position = [AlphaBetaPlayer(2), AlphaBetaPlayer(3)], Position(GAME)
        for side, player in enumerate(players):
            player.begin(GAME, side, np.random.default_rng([seed, side]))
        while position.outcome() is None and position.ply < 30:
            position.play(players[position.turn].choose(position, Budget(simulations=2000)))
        return position.text()

    assert game(1) == game(1) != game(2)


@pytest.mark.parametrize("sfen", [None, MIDDLE, "4k4/9/4P4/9/9/9/9/9/4K4 b G 1"])
def test_thoughts(sfen):
    position, told = Position(GAME, sfen), []
    move = AlphaBetaPlayer(5, seed=0).think(
        position, Budget(simulations=20_000), moves=None, stop=Event(), tell=told.append
    )
    assert told[-1].line[0] == move
    assert [one.nodes for one in told] == sorted(one.nodes for one in told)
    for one in told:
        after = position.copy()
        for text in one.line:
            after.play(text)
        assert one.nodes <= 20_000
        assert -1 < one.value < 1 or one.mate is not None

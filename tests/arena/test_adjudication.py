"""Games that end before their end: the rules against their definitions, and results that are known."""

import random
from types import SimpleNamespace

import chess
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sakiyomi.arena.adjudication import Adjudication, DrawRule, Ruling, parse_draw, parse_resign
from sakiyomi.arena.known_results import Tablebases, solved_result
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.go import Go
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.player import Thought
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi
from sakiyomi.boards.tictactoe import TicTacToe

SCORES = st.sampled_from([-900, -600, -599, -11, -10, 0, 10, 11, 599, 600, 900, "mate", "mated", None])


def thought(score) -> Thought | None:
    """What a player thinks that gives this score."""
    if score is None:
        return None
    if isinstance(score, str):
        return Thought((), 1.0, mate=3 if score == "mate" else -2)
    return Thought((), centipawns=score)


def at(ply: int, game=None):
    """A position of which a referee looks at nothing but how many plies were played."""
    return SimpleNamespace(actions=(0,) * ply, game=game or Chess())


def points(score) -> float:
    return {"mate": np.inf, "mated": -np.inf, None: np.nan}.get(score, score)


def defined(rules: Adjudication, scores: list) -> tuple[int, int | None] | None:
    """The first ply after which a rule ends the game, and the winner, by the words of the rules."""
    for ply in range(1, len(scores) + 1):
        of = [[points(score) for score in scores[side:ply:2]] for side in (0, 1)]
        resign, draw = rules.resign, rules.draw
        if resign is not None:
            for loser in (0, 1):
                last, other = of[loser][-resign.moves :], of[1 - loser][-resign.moves :]
                lost = len(last) == resign.moves and all(score <= -resign.score for score in last)
                agreed = len(other) == resign.moves and all(score >= resign.score for score in other)
                if lost and (agreed or not resign.both):
                    return ply, 1 - loser
        if draw is not None and ply >= 2 * draw.start:
            last = [score for side in of for score in side[-draw.moves :]]
            if len(last) == 2 * draw.moves and all(abs(score) <= draw.score for score in last):
                return ply, None
    return None


@given(
    st.lists(SCORES, max_size=40),
    st.sampled_from(["", "moves=1,score=600", "moves=2,score=10", "moves=2,score=600,both=no", "moves=3,score=600"]),
    st.sampled_from(["", "moves=1,score=10", "from=5,moves=2,score=10", "from=3,moves=3,score=599"]),
)
def test_scores_end_games_as_the_rules_are_worded(scores, resign, draw):
    rules = Adjudication.of({"resign": resign, "draw": draw})
    referee, found = rules.referee(Chess()), None
    for ply, score in enumerate(scores, 1):
        ruling = referee.after(at(ply), (ply - 1) % 2, thought(score))
        if ruling is not None:
            found = (ply, ruling.winner)
            break
    assert found == defined(rules, scores)


def test_who_is_far_behind_by_the_word_of_both_has_lost():
    """The usual rule of engine matches, from a losing game of White's."""
    referee = Adjudication.of({"resign": "moves=3,score=600"}).referee(Chess())
    rulings = [
        referee.after(at(ply), (ply - 1) % 2, Thought((), centipawns=-700 if ply % 2 else 650)) for ply in range(1, 7)
    ]
    assert rulings[:5] == [None] * 5
    assert rulings[5] == Ruling(1, "both players hold the game to be lost (moves=3,score=600)")


@pytest.mark.parametrize(("value", "ends"), [(0.95, True), (0.93, False)])
def test_players_without_centipawns_are_judged_by_what_they_expect(value, ends):
    """600 centipawns belong to an expected result of 0.939."""
    referee = Adjudication.of({"resign": "moves=1,score=600"}).referee(Go(size=9))
    assert referee.after(at(1), 0, Thought((), value)) is None
    assert (referee.after(at(2), 1, Thought((), -value)) is not None) is ends
    even = Adjudication(draw=DrawRule(1, 10, 0.2)).referee(Go(size=9))
    assert even.after(at(1), 0, Thought((), 0.2)) is None
    assert even.after(at(2), 1, Thought((), -0.19)).winner is None


def test_a_move_limit_draws_chess_and_counts_go():
    for game, score in ((Chess(), False), (Shogi(), False), (Go(size=9), True)):
        referee = Adjudication.of({"max_moves": 3}).referee(game)
        rulings = [referee.after(at(ply, game), (ply - 1) % 2, None) for ply in range(1, 7)]
        over = rulings.index(Ruling(None, "3 moves were played", score))
        assert over == (5 if game.name == "chess" else 2)  # a move of each side is one in chess alone
        assert rulings[:over] == [None] * over


@pytest.mark.parametrize("settings", [{"max_moves": 3}, {"draw": "from=3,moves=1,score=10"}])
def test_moves_before_the_setup_are_none_of_the_game(settings):
    """The counter of moves in a FEN may hold anything."""
    position = Position(Chess(), "4k3/7p/8/8/8/8/7P/4K3 b - - 0 90")
    referee, rulings = Adjudication.of(settings).referee(Chess()), []
    for move in ("h7h6", "h2h3", "h6h5", "h3h4", "e8d8", "e1d1"):
        side = position.turn
        position.play(move)
        rulings.append(referee.after(position, side, Thought((), centipawns=0)))
    assert rulings[:5] == [None] * 5
    assert rulings[5].winner is None


# --- settings


@given(
    st.integers(1, 99),
    st.integers(0, 2000),
    st.none() | st.sampled_from([0.0, 0.25, 0.9, 0.12345678, 1e-7, 1.0]),
    st.booleans(),
    st.integers(0, 80),
)
def test_settings_are_read_back(moves, score, value, both, start):
    words = f"moves={moves},score={score}" + ("" if value is None else f",value={value}")
    resign, draw = parse_resign(words + ("" if both else ",both=no")), parse_draw(f"{words},from={start}")
    assert (resign.moves, resign.score, resign.value, resign.both) == (moves, score, value, both)
    assert (draw.moves, draw.score, draw.value, draw.start) == (moves, score, value, start)
    rules = Adjudication(resign, draw, max_moves=200, solved=both, tablebases="a:b")
    assert Adjudication.of(rules.settings) == rules
    assert rules


def test_nothing_set_is_no_adjudication():
    assert not Adjudication()
    assert not Adjudication.of({"resign": "", "solved": False})
    assert Adjudication().settings == {}
    assert Adjudication.of({"solved": True})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"resign": "3,600"}, "'3' is none of moves=, score=, value=, both="),
        ({"resign": "moves=0,score=600"}, "moves is a whole number of 1 or more, not 0"),
        ({"resign": "moves=3,score=six"}, "score is a whole number, not 'six'"),
        ({"resign": "moves=3,score=-600"}, "score is a whole number, not '-600'"),
        ({"resign": "moves=3"}, "score or value is missing"),
        ({"resign": "moves=3,moves=4,score=1"}, "moves stands there twice"),
        ({"resign": "score=600,both=perhaps"}, "both is yes or no, not 'perhaps'"),
        ({"resign": "score=600,from=3"}, "'from=3' is none of"),
        ({"draw": "score=10,value=2"}, "value is an expected result of 0 to 1, not 2.0"),
        ({"draw": "score=10,both=no"}, "'both=no' is none of moves=, score=, value=, from="),
        ({"max_moves": 0}, "max_moves is a whole number of 1 or more, not 0"),
    ],
)
def test_wrong_settings_are_explained_in_one_line(settings, words):
    with pytest.raises(ValueError, match=r"wanted: |max_moves") as caught:
        Adjudication.of(settings)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


# --- known results


def test_what_a_game_does_not_have_is_refused(tmp_path):
    with pytest.raises(ValueError, match="solved: tictactoe, connect4 and othello can be solved, not chess"):
        Adjudication(solved=True).referee(Chess())
    with pytest.raises(ValueError, match="there are tablebases of chess, not of shogi"):
        Adjudication(tablebases=str(tmp_path)).referee(Shogi())
    with pytest.raises(ValueError, match="there is no folder '/no/such/folder'"):
        Adjudication(tablebases="/no/such/folder").referee(Chess())
    with pytest.raises(ValueError, match="there is no Syzygy file"):
        Adjudication(tablebases=str(tmp_path)).referee(Chess())


def value_of(position: Position) -> int:
    """The result for the first player under best play, by trying everything."""
    outcome = position.outcome()
    if outcome is not None:
        return 0 if outcome.winner is None else 1 - 2 * outcome.winner
    values = [value_of(position.after(int(action))) for action in position.legal_actions()]
    return min(values) if position.turn else max(values)


@pytest.mark.parametrize(("game", "left"), [(TicTacToe(), 6), (ConnectFour(), 7), (Othello(size=6), 5)])
def test_solved_results_are_those_of_best_play(game, left):
    rng, seen = random.Random(1), set()
    for _ in range(30):
        position = Position(game)
        while position.outcome() is None and np.count_nonzero(position.board() == 0) > left:
            position.play(rng.choice(position.legal_moves()))
        if position.outcome() is None:
            winner, _ = solved_result(position)
            assert (0 if winner is None else 1 - 2 * winner) == value_of(position)
            seen.add(winner)
    assert seen


def test_early_positions_are_played_on():
    assert solved_result(Position(ConnectFour())) is None
    assert solved_result(Position(Othello(size=8))) is None
    referee = Adjudication(solved=True).referee(TicTacToe())
    position = Position(TicTacToe())
    position.play("a1")
    assert referee.after(position, 0, None) == Ruling(None, "the game is solved from here")


class Tables:
    """Tablebases that say the same of every position, as `chess.syzygy.Tablebase` says it."""

    def __init__(self, wdl, dtz=None):
        self.wdl = {"KQvK": None, "KRPvKR": None}
        self._told = wdl, dtz

    def get_wdl(self, board: chess.Board):
        assert not board.castling_rights
        return self._told[0]

    def get_dtz(self, board: chess.Board):
        return self._told[1]


@pytest.mark.parametrize(
    ("wdl", "dtz", "clock", "winner"),
    [
        (2, None, 0, 0),
        (-2, None, 0, 1),
        (0, None, 30, None),
        (1, None, 0, None),
        (-1, 110, 0, None),
        (2, None, 4, "unknown"),
        (2, 60, 30, 0),
        (-2, -60, 30, 1),
        (2, 60, 40, "unknown"),
        (None, None, 0, "unknown"),
    ],
)
def test_tablebases_are_read_with_the_fifty_move_rule(wdl, dtz, clock, winner):
    found = Tablebases(Tables(wdl, dtz)).result(Position(Chess(), f"8/8/8/8/4k3/8/8/QK6 w - - {clock} 60"))
    assert ("unknown" if found is None else found[0]) == winner


def test_tablebases_know_few_pieces_and_no_castling():
    tables = Tablebases(Tables(2))
    assert tables.result(Position(Chess())) is None
    assert tables.result(Position(Chess(), "4k3/8/8/8/8/8/8/R3K3 w Q - 0 1")) is None
    assert tables.result(Position(Chess(), "4k3/8/8/8/8/8/8/R3K3 b - - 0 1")) == (1, "won by the tablebases")

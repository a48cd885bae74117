"""One game: moves, results, and every way in which a player can fail."""

import fakes
import pytest

from sakiyomi.arena import Budget, Conditions, Played, Termination, play, play_game
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.game import BadNotation, IllegalMove
from sakiyomi.boards.go import Go
from sakiyomi.boards.player import DECLARE
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi
from sakiyomi.boards.tictactoe import TicTacToe
from sakiyomi.sgf import load, save
from sakiyomi.sgf.replay import game_of

GAME = TicTacToe()


def test_a_game_is_played_to_its_end_and_recorded():
    record = play_game(GAME, (fakes.First(), fakes.First()))
    assert record.game == "tictactoe"
    assert record.moves == ("a3", "b3", "c3", "a2", "b2", "c2", "a1")
    assert (record.result, record.ending, record.players) == ("1-0", "line", ("first", "first"))


def test_same_seed_same_game_and_other_seeds_others():
    games = [play_game(GAME, (fakes.Dice(), fakes.Dice()), seed=seed).moves for seed in (1, 1, 2, 3)]
    assert games[0] == games[1]
    assert len(set(games)) == 3


def test_the_players_have_different_random_numbers():
    class Noting(fakes.First):
        def begin(self, game, side, rng):
            self.drawn = rng.integers(1 << 60)

    players = Noting(), Noting()
    play_game(GAME, players)
    assert players[0].drawn != players[1].drawn


def test_an_opening_is_played_first_and_written_as_the_game_writes_it():
    record = play_game(GAME, (fakes.First(), fakes.First()), opening=["B2", " a3"])
    assert record.moves[:3] == ("b2", "a3", "b3")


def test_a_set_up_position():
    record = play_game(GAME, (fakes.First(), fakes.First()), setup="XX./OO./...")
    assert (record.setup, record.moves, record.result) == ("XX./OO./...", ("c3",), "1-0")


@pytest.mark.parametrize(("opening", "error"), [(["b2", "b2"], IllegalMove), (["e9"], BadNotation)])
def test_a_wrong_opening_is_the_callers_mistake(opening, error):
    with pytest.raises(error):
        play_game(GAME, (fakes.First(), fakes.First()), opening=opening)


FAULTS = [
    (fakes.Illegal, Termination.ILLEGAL_MOVE, "the square is taken"),
    (fakes.Rubbish, Termination.ILLEGAL_MOVE, "'rubbish' is no move of tic-tac-toe"),
    (fakes.Number, Termination.ILLEGAL_MOVE, "4 is no move"),
    (fakes.Quitter, Termination.RESIGNATION, ""),
    (fakes.Raiser, Termination.CRASH, "KeyError: 'no such\\nthing'"),
    (fakes.Array, Termination.ILLEGAL_MOVE, "is no move"),
    (fakes.Leaver, Termination.CRASH, "SystemExit: 3"),
    (fakes.Mute, Termination.STALL, "no answer in 5 s"),
]


@pytest.mark.parametrize(("faulty", "termination", "words"), FAULTS)
@pytest.mark.parametrize("side", [0, 1])
def test_who_fails_loses_and_the_reason_is_kept(faulty, termination, words, side):
    players = (faulty(), fakes.Vandal()) if side == 0 else (fakes.Vandal(), faulty())
    played = play(GAME, players, names=("one", "two"))
    assert played.record.result == ("0-1", "1-0")[side]
    assert (played.termination, played.record.ending, played.rated) == (termination, termination.value, True)
    assert words in played.detail
    assert "\n" not in played.detail
    if words:
        assert played.detail.startswith(("one: ", "two: ")[side])
        assert played.record.comments == {len(played.record.moves): played.detail}


def test_who_could_not_start_has_played_no_game():
    played = play(GAME, (fakes.First(), fakes.Sulker()))
    assert (played.termination, played.record.result) == (Termination.COULD_NOT_START, "*")
    assert not played.rated
    assert "the licence has run out" in played.detail


def test_late_moves_lose_on_time():
    played = play(GAME, (fakes.Slow(), fakes.First()), Conditions(Budget(seconds=0.01), margin=0.01))
    assert (played.termination, played.record.result, played.record.moves) == (Termination.TIME_FORFEIT, "0-1", ())
    assert played.seconds[0] > 0.035


def test_a_margin_covers_what_is_not_thinking():
    assert (
        play(GAME, (fakes.Slow(), fakes.First()), Conditions(Budget(seconds=0.01), margin=5.0)).termination == "normal"
    )


def test_a_player_cannot_spoil_the_game():
    record = play_game(GAME, (fakes.Vandal(), fakes.Vandal()))
    position = Position(GAME)
    for move in record.moves:
        position.play(move)
    assert position.outcome() is not None


def test_interrupting_is_not_a_fault_of_the_player():
    class Interrupted(fakes.First):
        def choose(self, position, budget):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play_game(GAME, (Interrupted(), fakes.First()))


def test_thinking_times_and_turns_are_told():
    turns = []
    played = play(
        GAME, (fakes.Slow(), fakes.First()), on_turn=lambda side, moves, clocks: turns.append((side, len(moves)))
    )
    assert played.seconds[0] > 0.11 > played.seconds[1]
    assert turns[:4] == [(0, 0), (1, 0), (0, 0), (1, 1)]


class PointsGame(TicTacToe):
    """Tic-tac-toe that counts pieces, for results in points."""

    def score(self, states):
        return states["board"].sum(axis=1) + 0.5

    komi, rules = 6.5, "made-up"


@pytest.mark.parametrize(
    ("players", "result"),
    [
        ((fakes.First(), fakes.First()), "B+1.5"),
        ((fakes.Quitter(), fakes.First()), "W+R"),
        ((fakes.First(), fakes.Raiser()), "B+F"),
    ],
)
def test_results_of_games_with_points(players, result):
    record = play_game(PointsGame(), players)
    assert (record.result, dict(record.tags)) == (result, {"komi": "6.5", "rules": "made-up"})


def test_dead_stones_are_judged_where_the_game_can():
    class Settled(PointsGame):
        def final_score(self, states):
            return states["board"].sum(axis=1) * 0.0

    record = play_game(Settled(), (fakes.First(), fakes.First()))
    assert (record.result, record.score) == ("0", 0.5)


def test_unfinished_games_are_not_rated():
    record = play_game(GAME, (fakes.First(), fakes.First()))
    assert Played(record, Termination.NORMAL).rated
    assert not Played(record, Termination.INTERRUPTED).rated


@pytest.mark.parametrize("komi", [0, -0.0, 7.5, 7.3, 3.75, 375, 650, 100, -9999.5, 1234.5678, 0.00001])
def test_any_komi_survives_the_record(tmp_path, komi):
    game = Go(size=2, komi=komi, rules="chinese")
    record = play_game(game, (fakes.Passer(), fakes.Passer()))
    assert record.tags["komi"] == f"{komi + 0.0:.12f}".rstrip("0").rstrip(".")
    save(record, tmp_path / "game.sgf")
    (again,) = load(tmp_path / "game.sgf")
    assert (again, again.score) == (record, record.score)
    assert game_of(again).komi == komi


def test_results_keep_their_digits():
    players = fakes.Passer(), fakes.Passer()
    assert play_game(Go(size=2, komi=7.3), players).result == "W+7.3"
    assert play_game(Go(size=2, komi=1234.5678), players).result == "W+1234.5678"
    assert play_game(Go(size=2, komi=-0.00001), players).result == "B+0.00001"


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"simulations": 0}, "simulations must be a whole number of 1 or more, got 0"),
        ({"simulations": 1.5}, "simulations must be .*, got 1.5"),
        ({"simulations": True}, "simulations must be .*, got True"),
        ({"seconds": 0}, "seconds must be a number over 0, got 0"),
        ({"seconds": -1.0}, "seconds must be"),
        ({"seconds": float("nan")}, "seconds must be .*, got nan"),
        ({"seconds": float("inf")}, "seconds must be .*, got inf"),
        ({"seconds": "3"}, "seconds must be .*, got '3'"),
    ],
)
def test_a_budget_that_is_none(limits, words):
    with pytest.raises(ValueError, match=words):
        Budget(**limits)


class Scripted(fakes.First):
    """Plays the moves that it was given."""

    def __init__(self, moves):
        self.moves = iter(moves)

    def choose(self, position, budget):
        return next(self.moves)


def test_draws_that_may_be_claimed_are_claimed():
    white, black = ["g1f3", "f3g1"] * 2, ["g8f6", "f6g8"] * 2
    record = play_game(Chess(), (Scripted(white), Scripted(black)))
    assert (record.result, record.ending, len(record.moves)) == ("1/2-1/2", "repetition", 8)
    fifty = play_game(Chess(), (Scripted(["a1a2"]), Scripted([])), setup="1k6/8/8/8/8/8/8/R3K3 w - - 99 80")
    assert (fifty.result, fifty.ending, len(fifty.moves)) == ("1/2-1/2", "fifty moves", 1)
    mate = play_game(Chess(), (Scripted(["a1a8"]), Scripted([])), setup="6k1/5ppp/8/8/8/8/8/R3K3 w - - 99 80")
    assert (mate.result, mate.ending) == ("1-0", "checkmate")


@pytest.mark.parametrize(
    ("setup", "rule", "result", "ending"),
    [
        ("KRB+P+P+P+P+P+P/+P+P7/9/9/9/9/9/9/4k4 b 10P 1", "27", "1-0", "declaration"),
        ("KRB+P+P+P+P+P+P/+P+P7/9/9/9/9/9/9/4k4 b 10P 1", "24", "1/2-1/2", "declaration"),
        ("4K4/9/9/9/9/9/9/7+p+p/+p+p+p+p+p+pbrk w 9p 1", "27", "0-1", "declaration"),
        ("4K4/9/9/9/9/9/9/7+p+p/+p+p+p+p+p+pbrk w 8p 1", "27", "1-0", "illegal move"),
    ],
)
def test_declaring_the_entering_king(setup, rule, result, ending):
    declarer = Scripted([DECLARE])
    record = play_game(Shogi(declaration=rule), (declarer, declarer), setup=setup)
    assert (record.result, record.ending, record.moves) == (result, ending, ())

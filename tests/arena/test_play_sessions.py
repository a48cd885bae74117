"""Games in the browser without a browser: players that fail, thinking that ends, what is told, what expires."""

import threading
from threading import Event, Semaphore

import pytest
from play_talk import session, until

from sakiyomi.arena.pages import play_room, play_session
from sakiyomi.arena.pages.play_data import expected, legal_data, thought_data
from sakiyomi.arena.pages.play_room import Room
from sakiyomi.arena.pages.play_seats import Seat
from sakiyomi.arena.pages.play_session import Refused, Session
from sakiyomi.arena.pages.play_setup import Setup, read_setup
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.player import Budget, Candidate, Thought
from sakiyomi.boards.position import Position


class Ponderer:
    """A thinker that tells one thought and then waits to be stopped; `closed` tells of its end."""

    name = "ponderer"

    def __init__(self):
        self.thinking, self.closed = Event(), Event()

    def begin(self, game, side, rng):
        pass

    def think(self, position, budget, *, moves, stop, tell):
        move = position.legal_moves()[0]
        self.budget = budget
        tell(Thought((move,), 0.25, depth=3, nodes=10, candidates=(Candidate(move, 10, 0.25, 0.5),)))
        self.thinking.set()
        assert stop.wait(60)
        self.thinking.clear()
        return move

    def close(self):
        self.closed.set()


@pytest.fixture
def ponderers(monkeypatch):
    """Lets seats with the spec "uct:1" be taken by ponderers, which are listed here."""
    made = []

    def make(spec, game):
        made.append(Ponderer())
        return made[-1]

    monkeypatch.setattr("sakiyomi.arena.pages.play_seats.make_player", make)
    return made


def thinking(made, number=1):
    """The player number `number`, once it thinks."""
    until(lambda: len(made) >= number and made[number - 1].thinking.is_set())
    return made[number - 1]


def test_undo_stops_the_thinking(ponderers):
    game = session("tictactoe", "", "uct:1")
    game.move("a1", 0)
    player = thinking(ponderers)
    assert game.state()["thinking"] == {"kind": "move", "by": "uct:1", "side": 1}
    game.undo()
    until(lambda: not player.thinking.is_set())
    assert (game.moves, game.thinking, game.state()["turn"]) == ([], "", 0)


def test_a_player_may_be_told_to_move_now(ponderers):
    game = session("tictactoe", "", "uct:1")
    game.move("a1", 0)
    thinking(ponderers)
    game.stop()
    until(lambda: not game.thinking)
    assert game.moves == ["a1", "a3"]


def test_closing_stops_and_closes_the_players(ponderers):
    game = session("tictactoe", "uct:1", "")
    player = thinking(ponderers)
    told = []
    game.listen(lambda event, data: told.append(event))
    game.close()
    assert player.closed.wait(60)
    assert told[-1] == "closed"
    until(lambda: not any(thread.name == "move of uct:1" and thread.is_alive() for thread in threading.enumerate()))


def test_only_so_many_think_at_a_time(ponderers):
    slots = Semaphore(1)

    def game():
        made = make_game("tictactoe")
        return Session("key", Setup(made, None, (Seat(made, 0, "uct:1"), Seat(made, 1))), slots)

    one, two = game(), game()
    thinking(ponderers)
    assert len(ponderers) == 1  # the other has not even been made
    one.close()
    thinking(ponderers, 2)
    two.close()


def test_a_game_that_is_left_is_analysed_no_longer(ponderers, monkeypatch):
    room = Room()
    game = room.open(read_setup({"game": "tictactoe", "seats": [{}, {}]}))
    game.analyse("uct:1", 0)
    player = thinking(ponderers)
    assert room.look_round()
    assert game.thinking == "analysis"
    monkeypatch.setattr(play_room, "LEFT", -1.0)
    heard = []
    game.listen(lambda event, data: heard.append(event))
    room.look_round()
    assert game.thinking == "analysis"  # somebody looks
    assert heard[0] == "state"
    monkeypatch.setattr(play_room, "LONGEST", -1.0)
    room.look_round()
    assert game.thinking == ""  # but not for ever
    game.analyse("uct:1", 0)
    player = thinking(ponderers, 2)
    monkeypatch.setattr(play_room, "LONGEST", 1e9)
    game.unlisten(game._listeners[0])
    room.look_round()
    assert game.thinking == ""
    assert player.closed.wait(60)
    assert Room(expires=-1.0).look_round() is False
    room.close_all()


def test_a_player_goes_on_when_somebody_comes_back(ponderers, monkeypatch):
    monkeypatch.setattr(play_room, "LEFT", -1.0)
    room = Room()
    game = room.open(read_setup({"game": "tictactoe", "seats": [{"spec": "random"}, {}]}))
    player = thinking(ponderers, 2)  # the first was made to check the spec
    room.look_round()
    until(lambda: not player.thinking.is_set())
    assert (game.thinking, game.moves) == ("", [])
    states = []
    game.listen(lambda event, data: states.append(data["thinking"]) if event == "state" else None)
    assert [thought and thought["kind"] for thought in states] == [None, "move"]
    thinking(ponderers, 2)
    with pytest.raises(Refused, match="only players who play each other"):
        game.pause(True)
    room.close_all()


def test_a_game_expires(ponderers):
    room = Room(expires=-1.0)
    game = room.open(read_setup({"game": "tictactoe", "seats": [{}, {}]}))
    assert room.look_round() is False
    with pytest.raises(KeyError):
        room.get(game.key)


def test_thoughts_belong_to_the_position_that_they_are_about(ponderers):
    game = session("tictactoe")
    game.move("b2", 0)
    game.move("a1", 1)
    told = []
    game.listen(lambda event, data: told.append((event, data)))
    game.analyse("uct:1", 1)
    thinking(ponderers)
    until(lambda: any(event == "thought" for event, _ in told))
    thought = next(data for event, data in told if event == "thought")
    assert (thought["ply"], thought["value"], thought["turn"]) == (1, -0.25, 1)
    assert ponderers[0].budget == play_session.ANALYSIS
    game.stop()
    late = []
    game.listen(lambda event, data: late.append((event, data and data.get("ply"))))
    assert ("thought", 1) in late
    game.undo()
    game.undo()
    late.clear()
    game.listen(lambda event, data: late.append((event, data and data.get("ply"))))
    assert late == [("state", 0)]
    game.close()


@pytest.mark.parametrize(
    ("name", "result", "words"),
    [
        ("Rubbish", "1-0", "X wins (illegal move). python:fakes:Rubbish: "),
        ("Raiser", "1-0", "X wins (crash). python:fakes:Raiser: KeyError: 'no such\\nthing'"),
        ("Mute", "1-0", "X wins (stall). python:fakes:Mute: no answer in 5 s"),
        ("Sulker", "*", "No result: python:fakes:Sulker: the licence has run out"),
        ("Quitter", "1-0", "X wins by resignation"),
    ],
)
def test_players_that_fail_end_the_game(name, result, words):
    game = session("tictactoe", "", f"python:fakes:{name}")
    game.move("a1", 0)
    until(lambda: game.ended)
    assert game.ended.result == result
    assert game.ended.words.startswith(words)
    game.undo()  # and one may go on
    assert game.state()["turn"] == 0


def test_players_who_play_each_other_can_be_held_up(monkeypatch):
    monkeypatch.setattr(play_session, "WATCHED", 0.01)
    game = session("connect4", "random", "random")
    assert [seat["name"] for seat in game.state()["seats"]] == ["random", "random"]
    until(lambda: len(game.moves) >= 2)
    game.pause(True)
    played = len(game.moves)
    assert game.thinking == ""
    with pytest.raises(Refused, match="no game of yours"):
        game.resign()
    with pytest.raises(Refused, match="the turn of random"):
        game.move("1", played)
    game.pause(False)
    until(lambda: game.ended)
    assert len(game.moves) > played
    assert game.ended.result in ("1-0", "0-1", "1/2-1/2")


@pytest.mark.parametrize(
    ("game", "moves", "words"),
    [
        ("chess", ["f3", "e5", "g4", "Qh4"], "Black wins by checkmate"),
        ("go-5x5", ["c3", "pass", "pass"], "Black wins by 17.5 points after two passes, counted by tromp-taylor rules"),
        ("tictactoe", ["a1", "b1", "a2", "b2", "a3"], "X wins with a full line"),
        ("connect4", ["1", "2"] * 3 + ["1"], "Red wins with a full line"),
    ],
)
def test_results_in_words(game, moves, words):
    played = session(game)
    for ply, move in enumerate(moves):
        played.move(move, ply)
    state = played.state()
    assert state["ended"]["words"] == words
    assert (state["turn"], state["legal"]) == (None, [])
    assert state["film"]["games"][0][2] == state["ended"]["result"]


def test_a_declaration_of_the_entering_king():
    text = "GGGGK4/PPPPPPP2/9/9/9/9/9/9/8k b RR2B 1"
    game = session("shogi", text=text)
    assert game.state()["claim"] == "Black wins by declaring the entering king"
    game.claim()
    assert (game.ended.result, game.ended.winner) == ("1-0", 0)
    with pytest.raises(Refused, match="points, 28 are wanted"):
        session("shogi", text="GGGGK4/PPPPPPP2/9/9/9/9/9/9/8k b - 1").claim()


def test_legal_moves_name_the_cells_of_the_drawn_board():
    def of(game, text, *, position=None):
        return next(entry for entry in legal_data(Position(make_game(game), position)) if entry[0] == text)

    assert of("go-9x9", "A9") == ["A9", 0, -1, 0]
    assert of("go-9x9", "J1") == ["J1", 80, -1, 0]
    assert of("go-9x9", "pass") == ["pass", -1, -1, 0]
    assert of("othello", "d3") == ["d3", 19, -1, 0]
    assert of("tictactoe", "a1") == ["a1", 6, -1, 0]
    assert of("connect4", "3") == ["3", 37, -1, 0]
    assert of("chess", "e2e4") == ["e2e4", 36, 52, 0]
    assert of("chess", "a7a8n", position="7k/P7/8/8/8/8/8/7K w - - 0 1") == ["a7a8n", 0, 8, 2]
    assert of("shogi", "7g7f") == ["7g7f", 47, 56, 0]
    text = "4k4/9/9/9/9/9/9/1r7/4K4 w Bp 1"
    assert of("shogi", "P*5e", position=text) == ["P*5e", 40, 88, 0]
    assert of("shogi", "8h8i+", position=text) == ["8h8i+", 73, 64, 1]


def test_connect_four_fills_its_columns():
    position = Position(make_game("connect4"))
    for _ in range(6):
        position.play("3")
    assert "3" not in [entry[0] for entry in legal_data(position)]
    assert ["4", 38, -1, 0] in legal_data(position)


def test_what_a_thought_expects():
    assert expected(Thought((), 0.5, 300)) == 0.5
    assert expected(Thought((), None, 0)) == 0
    assert expected(Thought((), None, 400)) == pytest.approx(9 / 11)  # ten to one
    assert expected(Thought((), None, None, -3)) == -1
    assert expected(Thought((), None, 10**9)) <= 1
    assert expected(Thought(())) is None


def test_a_thought_is_sent_for_the_first_player_with_its_lines_as_films():
    position = Position(make_game("chess"))
    position.play("e2e4")
    thought = Thought(
        ("e7e5", "g1f3"),
        0.1,
        -35,
        None,
        7,
        500,
        0.25,
        (Candidate("e7e5", 5, 0.1, 0.5, ("e7e5", "g1f3")), Candidate("c7c5")),
    )
    data = thought_data(thought, position, "x")
    assert (data["value"], data["centipawns"], data["mate"], data["before"]) == (-0.1, 35, None, 1)
    assert [game[8] for game in data["lines"]["games"]] == ["e4 e5 Nf3", "e4 e5 Nf3", "e4 c5"]
    assert data["candidates"][1] == {"move": "c7c5", "visits": None, "value": None, "prior": None}
    start = thought_data(thought, Position(make_game("chess"), "8/8/8/8/8/8/k7/7K b - - 0 1"), "x")
    assert start["before"] == 0


def test_a_seat_without_limits_gets_one(ponderers):
    made = make_game("tictactoe")
    seat = Seat(made, 0, "uct:1")
    stop = Event()
    stop.set()
    seat.choose(Position(made), stop, lambda thought: None)
    assert ponderers[0].budget.seconds == 1.0
    ponderers[0].simulations = 7
    seat.choose(Position(made), stop, lambda thought: None)
    assert ponderers[0].budget == Budget(7)
    seat.budget = Budget(seconds=3)
    seat.choose(Position(made), stop, lambda thought: None)
    assert ponderers[0].budget == Budget(seconds=3)
    seat.close()
    assert ponderers[0].closed.is_set()

"""The routes under /play over HTTP: rules, turns, limits, and what a page may not do."""

import re

import pytest
from play_talk import Talk
from served import site

from sakiyomi.arena.engines.process import find_program
from sakiyomi.arena.pages.play import LARGEST, routes
from sakiyomi.arena.pages.play_room import Room
from sakiyomi.arena.pages.play_seats import check_spec, offers
from sakiyomi.arena.pages.play_session import Refused
from sakiyomi.arena.pages.play_setup import read_setup
from sakiyomi.arena.players import ENGINES, parse_spec
from sakiyomi.boards.catalog import make_game


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    with site(tmp_path_factory.mktemp("none")) as running:
        yield running


@pytest.fixture(scope="module")
def talk(here):
    return Talk(here.port)


def test_the_page_asks_nobody_else(here):
    page = here.get("/play")
    assert 'aria-current="page">Play' in page
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert address.startswith(("/", "#", "data:")), address
        if address.startswith("/static/"):
            here.get(address)


def test_a_person_and_a_player_take_turns(talk):
    state = talk.new("go-5x5", "", "greedy")
    assert (state["turn"], state["thinking"], len(state["legal"])) == (0, None, 26)
    state = talk.move(state, "c3")
    assert state["turn"] == 0
    assert state["ply"] == 2
    assert state["film"]["games"][0][8].startswith("C3 ")


def test_a_player_that_moves_first_does_so(talk):
    state = talk.settled(talk.new("tictactoe", "perfect", ""))
    assert (state["ply"], state["turn"], state["undo"]) == (1, 1, False)
    assert talk.refused(state, "undo")[1] == "there is no move of yours to take back"


def test_an_illegal_move_is_refused_with_the_rule(talk):
    state = talk.move(talk.new("go-5x5"), "c3")
    assert talk.refused(state, "move", move="c3", ply=1) == (400, "illegal move c3: the point is occupied")
    state = talk.new("chess")
    assert talk.refused(state, "move", move="e2e5", ply=0)[1].startswith("illegal move e2e5: ")
    assert talk.refused(state, "move", move="zz", ply=0)[0] == 400
    assert talk.state(state)["ply"] == 0


@pytest.mark.parametrize(
    ("game", "text"), [("chess", "Nf3"), ("shogi", "P-7f"), ("shogi", "▲７六歩"), ("othello", "d3")]
)
def test_moves_are_read_as_people_write_them(talk, game, text):
    assert talk.move(talk.new(game), text)["ply"] == 1


def test_a_move_that_comes_late_is_refused(talk):
    state = talk.new("tictactoe")
    talk.move(state, "a1")
    assert talk.refused(state, "move", move="b1", ply=0) == (409, "the game has gone on since")


def test_undo_takes_back_the_persons_move_and_the_answer(talk):
    state = talk.move(talk.new("go-5x5", "", "random"), "c3")
    state = talk.move(state, state["legal"][0][0])
    state = talk.act(state, "undo")
    assert (state["ply"], state["turn"]) == (2, 0)
    assert talk.act(state, "undo")["ply"] == 0
    alone = talk.act(talk.move(talk.new("tictactoe"), "a1", "b1"), "undo")
    assert (alone["ply"], alone["turn"]) == (1, 1)


def test_resigning_ends_the_game_and_undo_goes_on(talk):
    state = talk.act(talk.move(talk.new("chess", "", "random"), "e4"), "resign")
    assert state["ended"] == {"result": "0-1", "winner": 1, "words": "Black wins by resignation"}
    assert (state["turn"], state["legal"]) == (None, [])
    assert talk.refused(state, "resign")[0] == 409
    assert talk.refused(state, "move", move="d4", ply=2) == (409, "the game is over: Black wins by resignation")
    assert talk.act(state, "undo")["turn"] == 0


def test_claims_and_declarations_say_why_not(talk):
    assert talk.refused(talk.new("chess"), "claim") == (409, "no draw can be claimed here in chess")
    why = "the entering king cannot be declared: your king is not in the three furthest ranks"
    assert talk.refused(talk.new("shogi"), "claim") == (409, why)
    state = talk.new("chess")
    state = talk.move(state, *["Nf3", "Nf6", "Ng1", "Ng8"] * 2)
    assert state["claim"] == "Drawn by repetition"
    assert talk.act(state, "claim")["ended"]["result"] == "1/2-1/2"


def test_first_positions(talk):
    assert talk.new("go-9x9", "", "", handicap=2, options={"komi": 0.5})["turn"] == 1
    assert talk.new("shogi", handicap="two-piece")["turn"] == 1
    assert talk.new("chess960", number=0)["text"].startswith("bbqnnrkr/")
    assert talk.new("chess960", number=-1)["ply"] == 0
    fen = "7k/P7/8/8/8/8/8/7K w - - 0 1"
    state = talk.new("chess", position=fen)
    assert state["text"] == fen
    assert sorted(piece for text, _, _, piece in state["legal"] if text.startswith("a7a8")) == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "'game' is missing"),
        ({"game": "go"}, "unknown game 'go'"),
        ({"game": 5}, "'game' must be a text"),
        ({"game": "chess", "seats": [{}]}, "'seats' must be a list of two"),
        ({"game": "chess", "options": {"rules": "x"}}, "does not take the option"),
        ({"game": "chess", "options": {"size": 3}}, "unknown option 'size'"),
        ({"game": "chess", "position": "8/8"}, "8/8"),
        ({"game": "chess", "handicap": 2}, "chess has no handicaps"),
        ({"game": "shogi", "handicap": "queen"}, "queen"),
        ({"game": "chess960", "number": 960}, "numbered 0 to 959"),
        ({"game": "chess960", "number": 1, "position": "x"}, "given twice"),
        ({"game": "tictactoe", "position": "XXX/OO./..."}, "over in its first position"),
        ({"game": "chess", "seats": [{}, {"spec": "uct:100", "seconds": 1000}]}, "at the most"),
        ({"game": "chess", "seats": [{}, {"spec": "uct:100", "seconds": 1, "simulations": 1}]}, "not of both"),
        ({"game": "chess", "seats": [{}, {"spec": "uct:100", "seconds": -1}]}, "seconds must be a number over 0"),
        ({"game": "chess", "seats": [{}, {"spec": "uct:100", "simulations": True}]}, "simulations must be"),
        ({"game": "chess", "seats": [{}, {"spec": "grandmaster"}]}, "unknown player 'grandmaster'"),
        ({"game": "go-5x5", "seats": [{}, {"spec": "alphabeta:3"}]}, "alphabeta plays chess"),
    ],
)
def test_what_no_game_can_be_begun_with(talk, wrong, words):
    status, answer = talk.post("/play/new", {"seats": [{}, {}]} | wrong)
    assert status == 400
    assert words in answer["error"]


@pytest.mark.parametrize(
    "spec", ["gtp:touch x", "uci:/bin/sh", "x=usi:sh -c ls", "python:os:getcwd", "python:fakes:First"]
)
def test_a_page_may_start_no_program_or_code_of_its_choice(talk, spec):
    for game in ("go-5x5", "chess"):
        status, answer = talk.post("/play/new", {"game": game, "seats": [{}, {"spec": spec}]})
        assert status == 400
        assert "a page may not name" in answer["error"]
    state = talk.new("chess")
    assert "a page may not name" in talk.refused(state, "hint", spec=spec)[1]


def test_commands_are_for_the_servers_owner_to_allow():
    game = make_game("go-5x5")
    with pytest.raises(ValueError, match="none of the engines offered"):
        check_spec("gtp:true", game)
    assert check_spec("gtp:true", game, commands=True) == "gtp:true"
    with pytest.raises(ValueError, match="may not name code"):
        check_spec("python:fakes:First", game, commands=True)
    assert len(routes(commands=True)) == len(routes())


def test_engines_that_are_offered_are_installed():
    for name in ("go-9x9", "chess", "shogi"):
        for offer in offers(name):
            check_spec(offer.spec, make_game(name))
            parsed = parse_spec(offer.spec)
            if parsed.kind.name in ENGINES:
                find_program(parsed.argument.partition("@")[0])


def test_only_pages_of_this_server_are_answered(talk, here):
    body = {"game": "chess", "seats": [{}, {}]}
    assert talk.post("/play/new", body, Origin=here.address)[0] == 200
    assert talk.post("/play/new", body, Origin="http://evil.example")[0] == 403
    assert talk.post("/play/new", body, Origin="null")[0] == 403
    assert talk.post("/play/new", body, Host="evil.example")[0] == 400
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        status, answer = talk.post("/play/new", body, Content_Type=kind)
        assert status == 415
        assert "application/json" in answer["error"]


def test_bodies_that_are_none(talk):
    for text in ("{", "[]", "3", "[" * 5000):
        assert talk.post("/play/new", text=text)[0] == 400
    assert talk.post("/play/new", text=" " * (LARGEST + 1))[0] == 413


def test_games_that_are_not_there(talk, here):
    assert talk.post("/play/nothing/move", {"move": "a1", "ply": 0})[0] == 404
    assert here.ask("/play/nothing/state")[0] == 404
    assert here.ask("/play/nothing/events")[0] == 404
    state = talk.new("tictactoe")
    assert talk.refused(state, "explode")[0] == 404
    talk.act(state, "close")
    assert talk.refused(state, "undo")[0] == 404


def test_a_new_game_ends_the_one_it_replaces(talk):
    state = talk.new("tictactoe")
    talk.new("tictactoe", replaces=state["key"])
    assert talk.refused(state, "undo")[0] == 404


def test_so_many_games_and_no_more():
    room = Room(most=2)
    games = [room.open(read_setup({"game": "tictactoe", "seats": [{}, {}]})) for _ in range(2)]
    for game in games:
        game.listen(lambda event, data: None)
    with pytest.raises(Refused, match="2 games are being played here"):
        room.open(read_setup({"game": "tictactoe", "seats": [{}, {}]}))
    games[0].unlisten(games[0]._listeners[0])  # its page is gone
    third = room.open(read_setup({"game": "tictactoe", "seats": [{}, {}]}))
    with pytest.raises(KeyError):
        room.get(games[0].key)
    assert room.get(third.key) is third
    room.close_all()


def test_what_happens_is_told_as_it_comes(talk, here):
    state = talk.new("go-5x5", "", "uct:200")
    events = here.events(f"/play/{state['key']}/events")
    name, first, _ = next(events)
    assert (name, first["ply"]) == ("state", 0)
    talk.act(state, "move", move="c3", ply=0)
    seen = []
    for name, data, _ in events:
        seen.append(name)
        if name == "thought":
            thought = data
        if name == "state" and data["ply"] == 2:
            break
    assert "thought" in seen
    assert (thought["ply"], thought["by"], thought["turn"]) == (1, "uct:200", 1)
    assert -1 <= thought["value"] <= 1
    assert sum(candidate["visits"] for candidate in thought["candidates"]) > 0
    talk.act(state, "close")
    assert next(events)[0] == "closed"


def test_analysis_goes_on_until_it_is_stopped(talk, here):
    state = talk.move(talk.new("tictactoe"), "a1", "b2")
    events = here.events(f"/play/{state['key']}/events")
    state = talk.act(state, "analyse", spec="uct:100", ply=1)
    assert state["thinking"] == {"kind": "analysis", "by": "uct:100", "side": 1}
    thought = next(data for name, data, _ in events if name == "thought")
    assert thought["ply"] == 1
    assert thought["before"] == 1
    assert thought["lines"]["games"][0][8].startswith("a1 ")
    assert talk.act(state, "stop")["thinking"] is None
    assert talk.refused(state, "analyse", spec="random", ply=1)[1] == "random cannot be watched while it thinks"
    assert talk.refused(state, "analyse", spec="uct:100", ply=3)[0] == 409
    talk.act(state, "close")


def test_a_hint_is_a_legal_move(talk, here):
    state = talk.move(talk.new("tictactoe"), "a1", "b2", "a2", "c1")
    events = here.events(f"/play/{state['key']}/events")
    assert next(events)[0] == "state"  # it listens
    talk.act(state, "hint", spec="alphabeta:2")
    hint = next(data for name, data, _ in events if name == "hint")
    assert hint == {"ply": 4, "move": "a3", "words": ""}
    talk.act(state, "close")

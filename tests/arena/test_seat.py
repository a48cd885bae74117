"""Agents at the board: what they are shown, what becomes of their answers, and how specs name them."""

from threading import Event, Timer

import numpy as np
import pytest
from fake_agents import Blind, Resigner, Scripted

from sakiyomi.agents.agent import Agent
from sakiyomi.arena import AgentPlayer, agent_specs, make_player, play_game
from sakiyomi.arena.agent_specs import AGENTS, Paper, agent_class, listed
from sakiyomi.arena.players import check_player, parse_spec
from sakiyomi.arena.tournament import Tournament
from sakiyomi.boards import ConnectFour, Position, TicTacToe
from sakiyomi.boards.clock import Clock
from sakiyomi.boards.game import IllegalMove
from sakiyomi.boards.player import RESIGN, Budget, Thinker, Thoughtful

GAME = TicTacToe()


def seated(agent=None, **settings):
    return AgentPlayer(agent or Scripted(), name="fake", **settings)


def firsts(seat):
    """Of the turns that the carry remembers, which were called the first of an episode?"""
    return [bool(turn.is_first[0]) for turn in seat._carry["turns"]]


@pytest.fixture
def saved(tmp_path):
    Scripted(steps=7).save(tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def shipped(monkeypatch, tmp_path):
    """The package as if it had the fake agent, with weights for tic-tac-toe."""
    monkeypatch.setattr(agent_specs, "AGENTS", {"alphazero": Paper("Scripted", "a fake")})
    monkeypatch.setattr("sakiyomi.agents.Scripted", Scripted, raising=False)
    monkeypatch.setattr(agent_specs, "weights_of", lambda name: tmp_path / "weights" / name)
    Scripted(steps=9).save(tmp_path / "weights" / "alphazero" / "tictactoe")
    return tmp_path


def test_the_types_fit():
    agent: Agent = Scripted()
    player: Thinker = AgentPlayer(agent)
    thoughtful: Thoughtful = AgentPlayer(agent)
    assert player.name == thoughtful.name == "agent"


def test_what_an_agent_is_shown():
    seat = seated()
    clocks = (Clock(60.0), Clock(50.0))
    position = Position(GAME)
    position.play("b2")
    budget = Budget(simulations=30, seconds=2.0, clocks=clocks)
    assert seat.choose(position, budget) == "c1"
    (turn,) = seat._carry["turns"]
    assert turn.game == GAME
    assert turn.states.tobytes() == position.state.tobytes()
    assert turn.states is not position.state
    assert (turn.observation == GAME.observe(position.state)).all()
    assert (turn.legal == GAME.legal(position.state)).all()
    assert (turn.budget, turn.stop, turn.tell) == (budget, None, None)
    assert (turn.is_first.tolist(), turn.reward.tolist()) == ([True], [0.0])


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (Budget(), Budget(simulations=50)),
        (Budget(depth=3), Budget(simulations=50, depth=3)),
        (Budget(simulations=9), Budget(simulations=9)),
        (Budget(seconds=0.5), Budget(seconds=0.5)),
    ],
)
def test_the_simulations_of_a_spec_hold_where_nothing_else_is_said(given, shown):
    seat = seated(simulations=50)
    seat.choose(Position(GAME), given)
    assert seat._carry["turns"][0].budget == shown


def test_the_carry_lasts_for_a_game():
    seat, position = seated(seed=1), Position(GAME)
    for _ in range(2):
        position.play(seat.choose(position, Budget()))
        position.play(position.legal_moves()[0])
    assert firsts(seat) == [True, False]
    position.undo()
    position.undo()  # the position that it last saw: the game did not go on from what it remembers
    seat.choose(position, Budget())
    assert firsts(seat) == [True, False, True]
    position.play(position.legal_moves()[0])
    seat.begin(GAME, 0, np.random.default_rng(5))
    seat.choose(position, Budget())
    assert len(seat._carry["turns"]) == 1
    again = seated()
    again.begin(GAME, 1, np.random.default_rng(5))
    again.choose(position, Budget())
    assert again._carry["seed"] == seat._carry["seed"]


def test_a_new_game_is_made_ready_before_the_clock_runs(monkeypatch):
    seat, made = seated(), []
    monkeypatch.setattr(seat.agent, "initial", lambda batch, seed: made.append(seed) or {"turns": ()})
    for game in range(2):
        seat.begin(GAME, 0, np.random.default_rng(game))
        assert len(made) == game + 1
        seat.choose(Position(GAME), Budget())
        assert len(made) == game + 1
        assert firsts(seat) == [True]
    assert made[0] != made[1]


def test_of_a_decision_that_fails_nothing_is_kept():
    seat, position = seated(), Position(GAME)
    seat.choose(position, Budget())
    seat.agent.answer = 99
    with pytest.raises(IllegalMove):
        seat.choose(position, Budget())
    seat.agent.answer = "none"
    with pytest.raises(ValueError, match="invalid literal"):
        seat.choose(position, Budget())
    assert seat.thought is None
    seat.agent.answer = None
    seat.choose(position, Budget())
    assert firsts(seat) == [True]


def test_what_it_thought():
    seat, position = seated(), Position(GAME)
    assert seat.thought is None
    position.play("a3")
    seat.choose(position, Budget())
    thought = seat.thought
    assert thought is seat.thought
    assert (thought.value, thought.nodes, thought.depth) == (0.25, 40, 3)
    assert thought.line == ("c1", "b1", "a1")
    assert [candidate.move for candidate in thought.candidates] == ["c1", "b1", "a1", "c2", "b2", "a2", "c3", "b3"]
    assert thought.candidates[0].line == thought.line
    assert thought.candidates[1].line == ("b1",)
    assert [candidate.visits for candidate in thought.candidates] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert thought.candidates[0].prior == pytest.approx(8 / 36)
    assert (thought.candidates[0].value, thought.candidates[-1].value) == (0.5, None)
    seat.begin(GAME, 0, np.random.default_rng(0))
    assert seat.thought is None


def test_an_agent_may_foresee_nothing():
    seat = seated(Blind())
    seat.choose(Position(GAME), Budget())
    assert seat.thought is None
    told = []
    seat.think(Position(GAME), Budget(simulations=1), moves=None, stop=Event(), tell=told.append)
    assert told == []


def test_it_gives_up_and_is_not_believed_blindly():
    assert seated(Resigner()).choose(Position(GAME), Budget()) == RESIGN
    for action in (-1, 9, 4):
        position = Position(GAME)
        position.play("b2")  # action 4
        with pytest.raises(IllegalMove, match=f"fake chose action {action}, which it may not"):
            seated(Scripted(answer=action)).choose(position, Budget())
    with pytest.raises(ValueError, match="fake has learnt tictactoe, not connect4"):
        seated().choose(Position(ConnectFour()), Budget())
    record = play_game(GAME, (seated(), seated(Resigner())))
    assert (record.result, record.moves) == ("1-0", ("c1",))


def test_it_is_watched_and_stopped():
    seat, stop, told = seated(simulations=5), Event(), []

    def tell(thought):
        told.append(thought)
        if len(told) == 3:
            stop.set()

    move = seat.think(Position(GAME), Budget(), moves=["a1", "b2"], stop=stop, tell=tell)
    assert move == "a1"
    assert seat._carry["turns"][0].budget == Budget()  # no limit at all, whatever the spec says
    assert len(told) >= 4
    assert told[-1] == seat.thought
    assert {candidate.move for candidate in told[0].candidates} == {"a1", "b2"}
    with pytest.raises(ValueError, match="the list of moves is empty"):
        seat.think(Position(GAME), Budget(), moves=[], stop=stop, tell=tell)


def test_it_is_stopped_by_another_thread():
    seat, stop = seated(), Event()
    Timer(0.05, stop.set).start()
    assert seat.think(Position(GAME), Budget(), moves=None, stop=stop, tell=lambda thought: None) == "c1"


@pytest.mark.parametrize(
    ("spec", "name", "argument"),
    [
        ("alphazero", "alphazero", ""),
        ("alphazero@sims=50", "alphazero@sims=50", "@sims=50"),
        ("alphazero:runs/c4@sims=400", "alphazero:runs/c4@sims=400", "runs/c4@sims=400"),
        ("strong=alphazero@sims=50,colour=a:b", "strong", "@sims=50,colour=a:b"),
        ("az=alphagozero:C:/runs", "az", "C:/runs"),
    ],
)
def test_specs_are_taken_apart(spec, name, argument):
    parsed = parse_spec(spec)
    assert (parsed.name, parsed.argument) == (name, argument)
    assert parsed.kind.name in AGENTS


@pytest.mark.parametrize("settings", ["", "@sims=50", "@sims=50,colour=blue", "@colour=blue,size=4"])
def test_a_player_by_spec(saved, settings):
    player = make_player(f"python:fake_agents:Scripted:{saved}{settings}", GAME)
    assert player.agent.steps == 7
    assert player.simulations == (50 if "sims" in settings else None)
    assert player.agent.colour == ("blue" if "blue" in settings else "red")
    assert player.choose(Position(GAME), Budget()) == "c1"
    player.close()


def test_weights_of_the_package(shipped):
    assert make_player("alphazero", GAME).agent.steps == 9
    player = make_player("fifty=alphazero@sims=50", GAME)
    assert (player.name, player.simulations) == ("fifty", 50)
    Scripted(steps=3).save(shipped / "mine")
    assert make_player(f"alphazero:{shipped / 'mine'}", GAME).agent.steps == 3
    assert ("alphazero", "a fake; with weights: tictactoe") in listed()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("alphazero:", "is to be written 'alphazero:DIR@sims=N'"),
        ("alphazero:/no/such", "/no/such holds no Scripted agent"),
        ("alphazero@sims=0", "simulations of alphazero:@sims=0 must be a whole number of 1 or more"),
        ("alphazero@sims=few", "sims=few: a whole number is wanted"),
        ("alphazero@simz=5", "no setting 'simz=5'; there are: sims, colour, size"),
        ("alphazero@size=big", "size=big: a whole number is wanted"),
        ("python:fake_agents:Nobody:x", "has no attribute 'Nobody'"),
        ("python:nosuchmodule:X:y", "No module named 'nosuchmodule'"),
        ("python:fake_agents:NoAgent:x", "is no agent: it has no 'initial'"),
        ("python:fake_agents:Scripted", "it is an agent: name the folder"),
    ],
)
def test_mistakes_are_answered_in_one_line(shipped, spec, words):
    with pytest.raises(ValueError, match=words) as caught:
        check_player(spec, GAME)
    assert "\n" not in str(caught.value)


def test_games_without_weights_are_told(shipped):
    with pytest.raises(ValueError, match=r"no weights for connect4 in the package \(it has some for tictactoe\)"):
        make_player("alphazero@sims=5", ConnectFour())
    with pytest.raises(ValueError, match="has learnt tictactoe, not connect4"):
        make_player(f"alphazero:{shipped / 'weights' / 'alphazero' / 'tictactoe'}", ConnectFour())


def test_a_missing_package_is_named(monkeypatch):
    def gone(name):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("sakiyomi.agents.__getattr__", gone)
    with pytest.raises(ValueError, match=r"'alphazero' needs the package torch: pip install \"sakiyomi\[torch\]\""):
        agent_class("alphazero")


def test_unknown_agents():
    with pytest.raises(ValueError, match=r"unknown agent 'alphazer0'; did you mean 'alphazero'\?"):
        agent_class("alphazer0")
    with pytest.raises(ValueError, match=r"there are: alphazero, alphagozero, .*, python:MODULE:NAME"):
        agent_class("q")


def test_a_tournament_with_agents(saved):
    with_objects = Tournament(GAME, [AgentPlayer(Scripted(), name="object"), "random"], games=2, workers=0)
    assert len(list(with_objects.stream())) == 2
    spec = f"mine=python:fake_agents:Scripted:{saved}"
    with_workers = Tournament(GAME, [spec, "random"], games=2, workers=1)
    played = list(with_workers.stream())
    assert len(played) == 2
    assert all(game.rated for game in played)

"""Play over learned dynamics: what episodes hold, time limits, pieces, files, and the number of network calls."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
gymnasium = pytest.importorskip("gymnasium")

from sakiyomi.agents.parts.muzero.lookahead import Lookahead, line_after  # noqa: E402
from sakiyomi.agents.parts.muzero.playing import LatentPlay  # noqa: E402
from sakiyomi.agents.parts.muzero.stages import BoardStage, TaskStage, plays_columns, stage_of  # noqa: E402
from sakiyomi.agents.parts.search import Dirichlet, Gumbel, Puct  # noqa: E402
from sakiyomi.boards import ConnectFour, Go, Othello, TicTacToe  # noqa: E402
from sakiyomi.boards.game import Ending  # noqa: E402
from sakiyomi.envs.task import Task  # noqa: E402

LIMIT = 7


class Corridor(gymnasium.Env):
    """Counts its steps; action 1 goes on, action 0 ends with a chance that the seed decides. Each step brings 1."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, limit=LIMIT):
        self.limit = limit

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at, self.drawn = 0, self.np_random.random()
        return np.array([self.at, self.drawn], np.float32), {}

    def step(self, action):
        self.at += 1
        self.drawn = self.np_random.random()
        over = bool(action == 0 and self.drawn < 0.3)
        seen = np.array([self.at, self.drawn], np.float32)
        return seen, 1.0, over, self.at >= self.limit and not over, {}


def corridor(limit=LIMIT):
    return Task(
        name="corridor",
        observation_space=Corridor.observation_space,
        action_space=Corridor.action_space,
        horizon=limit,
        reward_range=(0.0, 1.0),
        build=lambda: Corridor(limit),
    )


class Counting:
    """Dynamics of which all is the sum of what was observed: the value; and which count how often they are asked."""

    def __init__(self, actions, favourite=None):
        self.actions, self.favourite, self.calls, self.rows = actions, favourite, 0, 0

    def room(self, trees, nodes):
        return np.zeros((trees, nodes), np.float32)

    def initial(self, observations):
        sums = observations.reshape(len(observations), -1).sum(1)
        return *self.read(sums), sums

    def recurrent(self, latents, actions):
        logits, values = self.read(latents)
        return logits, values, np.zeros(len(actions), np.float32), latents

    def read(self, latents):
        self.calls, self.rows = self.calls + 1, self.rows + len(latents)
        logits = np.zeros((len(latents), self.actions), np.float32)
        if self.favourite is not None:
            logits[:, self.favourite] = 9
        return logits, np.tanh(latents / 10).astype(np.float32)


def playing(stage, *, simulations=6, favourite=None, selection=None, discount=1.0, seed=0, **settings):
    look = Lookahead(
        Counting(stage.actions, favourite),
        stage.rows,
        stage.actions,
        simulations=simulations,
        selection=selection or Puct(scale="tree"),
        noise=Dirichlet(alpha=1.0),
        discount=discount,
        players=stage.players,
        rng=np.random.default_rng(seed),
    )
    return LatentPlay(stage, look, **settings)


def games(rows=6, **settings):
    return BoardStage(TicTacToe(), rows, np.random.default_rng(1), **settings)


def test_games_as_they_were_played():
    game = TicTacToe()
    episodes = playing(games()).play(30)
    assert len(episodes) > 10
    for played in episodes:
        states = game.new(1)
        assert played.terminated
        for t, action in enumerate(played.actions):
            assert (played.observations[t] == game.observe(states)[0]).all()
            assert played.turns[t] == game.turn(states)[0] == t % 2
            assert (played.legal[t] == game.legal(states)[0]).all()
            assert played.legal[t, action]
            assert played.policies[t].sum() == pytest.approx(1)
            assert not played.policies[t][~played.legal[t]].any()
            game.play(states, np.array([action], np.int32))
        assert game.ending(states)[0] != Ending.ONGOING
        assert (played.observations[-1] == game.observe(states)[0]).all()
        mover = 1 if played.turns[-2] == 0 else -1
        assert played.rewards.tolist() == [0.0] * len(played.actions) + [mover * game.result(states)[0]]
        assert played.turns[-1] == 1 - played.turns[-2]
        assert played.values[-1] == 0


def test_policies_are_shares_of_the_visits():
    """Of all simulations, before any temperature (and not of the root itself)."""
    for played in playing(games(), temperature=0.1).play(12):
        visits = played.policies * 6
        assert np.allclose(visits, np.round(visits), atol=1e-5)


def test_games_begin_elsewhere_and_are_cut():
    episodes = playing(games(20, random_plies=5)).play(20)
    starts = {int(played.observations[0][:2].sum()) for played in episodes}
    assert starts >= {0, 1, 2, 3}
    go = BoardStage(Go(5), 2, np.random.default_rng(0), cap=6)
    for played in playing(go, simulations=2).play(12):
        assert len(played.actions) == 6
        assert played.terminated
        assert played.rewards[-1] in (-1, 0, 1)


def test_one_call_of_the_network_for_all_rows_a_simulation():
    play = playing(games(5), simulations=9)
    play.play(3)
    dynamics = play.lookahead.model.dynamics
    assert dynamics.calls == 3 * (9 + 1)
    assert dynamics.rows == 5 * dynamics.calls


def test_a_time_limit_is_told_from_an_end():
    play = playing(TaskStage(corridor(), 6, 0), favourite=1, temperature=0.0)
    episodes = play.play(30)
    cut = [played for played in episodes if not played.terminated]
    assert len(cut) > 3
    for played in cut:
        assert len(played.actions) == LIMIT
        # the search's value there: without rewards all nodes of it are worth what is observed
        assert played.values[-1] == pytest.approx(np.tanh(played.observations[-1].sum() / 10), abs=1e-5)
        assert played.observations[-1][0] == LIMIT
    play = playing(TaskStage(corridor(), 6, 0), favourite=0)
    ended = [played for played in play.play(30) if played.terminated]
    assert len(ended) > 3
    assert all(played.values[-1] == 0 for played in ended)
    assert play.scores[:3] == [float(length) for length in play.lengths[:3]]
    assert play.steps == 6 * 30


def test_pieces_put_together_are_the_episode():
    whole = playing(TaskStage(corridor(), 3, 0), favourite=1, temperature=0.0, stack=3).play(20)
    pieces = playing(TaskStage(corridor(), 3, 0), favourite=1, temperature=0.0, stack=3, piece=3).play(20)
    assert {len(piece.actions) - piece.lead for piece in pieces} <= {1, 2, 3}
    assert {piece.lead for piece in pieces} == {0, 2}
    by_row = {float(played.observations[0][1]): played for played in whole}
    checked = 0
    for piece in pieces:
        if piece.lead == 0 and float(piece.observations[0][1]) in by_row:
            played = by_row[float(piece.observations[0][1])]
            begin = 0
        elif piece.lead:
            found = [p for p in whole if piece.observations[0].tolist() in p.observations.tolist()]
            if not found:
                continue
            played = found[0]
            begin = played.observations.tolist().index(piece.observations[0].tolist())
        else:
            continue
        stop = begin + len(piece.actions)
        assert (piece.observations == played.observations[begin : stop + 1]).all()
        assert (piece.actions == played.actions[begin:stop]).all()
        assert (piece.rewards[1:] == played.rewards[begin + 1 : stop + 1]).all()
        assert piece.values == pytest.approx(played.values[begin : stop + 1], abs=1e-5)
        assert piece.terminated == (played.terminated and stop == len(played.actions))
        checked += 1
    assert checked > 5


@pytest.mark.parametrize("kind", ["games", "task"])
@pytest.mark.parametrize("selection", [Puct(scale="tree"), Gumbel(considered=4)], ids=["puct", "gumbel"])
def test_saved_in_the_midst_it_goes_on_the_same(tmp_path, kind, selection):
    def made(seed=0):
        stage = games(4, random_plies=2) if kind == "games" else TaskStage(corridor(), 4, 0)
        return stage, playing(stage, selection=selection, stack=2, seed=seed, piece=4)

    stage, play = made()
    play.play(5)
    stage.save(tmp_path / "stage")
    play.save(tmp_path / "play")
    other_stage, other = made(seed=9)
    other.play(2)
    other_stage.load(tmp_path / "stage")
    other.load(tmp_path / "play")
    for one, two in zip(play.play(12), other.play(12), strict=True):
        for name, value in vars(one).items():
            np.testing.assert_array_equal(value, getattr(two, name), err_msg=name)
    assert play.steps == other.steps


def test_actions_that_are_columns():
    assert plays_columns(ConnectFour())
    assert not any(plays_columns(game) for game in (TicTacToe(), Othello(6), Go(5)))


def test_only_what_begins_is_seeded(monkeypatch):
    made, make = [], np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda seed=None: made.append(seed) or make(seed))
    stage, begun = TaskStage(corridor(), 6, 5), 6
    assert made == [[5, number] for number in range(6)]
    for _ in range(20):
        begun += int(stage.play(np.zeros(6, np.int64)).ended.sum())
    assert begun > 12
    assert made == [[5, number] for number in range(begun)]


def test_what_is_saved_fits_no_other_stage(tmp_path):
    one, two = games(2), games(3)
    one.save(tmp_path / "stage")
    with pytest.raises(ValueError, match="2 games of tictactoe"):
        two.load(tmp_path / "stage")
    task = TaskStage(corridor(), 2, 0)
    task.save(tmp_path / "task")
    with pytest.raises(ValueError, match="2 episodes of corridor"):
        TaskStage(corridor(), 3, 0).load(tmp_path / "task")
    with pytest.raises(ValueError, match="no choices"):
        stage_of(replace(corridor(), action_space=gymnasium.spaces.Box(-1, 1, (1,))), 2, 0)


class Ladder(Counting):
    """One player climbs: action 1 brings a reward of 2 and a step up, and a state is worth its height."""

    def recurrent(self, latents, actions):
        after = latents + actions
        logits, _ = self.read(after)
        return logits, after.astype(np.float32), 2.0 * actions.astype(np.float32), after


def test_the_line_that_was_found():
    look = Lookahead(
        Ladder(2),
        1,
        2,
        simulations=60,
        selection=Puct(scale="tree"),
        discount=0.9,
        players=1,
        rng=np.random.default_rng(0),
    )
    found = look.find(np.zeros((1, 1), np.float32))
    line = line_after(look.search, 0, 1)
    assert len(line.actions) >= 3
    assert line.actions[:3].tolist() == [1, 1, 1]
    assert line.rewards[:3].tolist() == [2, 2, 2]
    assert found.means[0, 1] == pytest.approx(line.rewards[0] + 0.9 * line.values[0], rel=1e-3)
    at_once = look.find(np.zeros((1, 1), np.float32), seconds=0.0)
    assert at_once.visits.sum() == 0  # the root alone was looked at

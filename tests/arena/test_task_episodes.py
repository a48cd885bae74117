"""One episode: what is told of it, and whose fault it is when it is broken off."""

import numpy as np
import pytest
import task_fakes

from sakiyomi.arena.match import PlayerFault, Termination
from sakiyomi.arena.tasks import episodes
from sakiyomi.arena.tasks.episodes import Episode, Episodes, Outcome, player_seed, run_seed
from sakiyomi.arena.tasks.players import make_task_player
from sakiyomi.envs import Task, make_task

gymnasium = pytest.importorskip("gymnasium")

NAMES = ("Drawn", "Raiser", "Leaver", "Sulker", "Nan", "Words", "Wide", "Strong", "Unmade")
SPECS = {name: f"python:task_fakes:{name}" for name in NAMES} | {"zero": "zero", "random": "random"}


def outcome(player, task="cartpole-swingup", run=1, bench=None):
    bench = bench or Episodes((task,), SPECS).bench()
    return bench.do(Episode(1, task, player, run, run_seed(0, run)))


def test_the_return_is_the_sum_of_the_rewards():
    env, player = make_task("pendulum").make(), make_task_player("random")
    job = Episode(1, "pendulum", "random", 3, run_seed(0, 3))
    observation, _ = env.reset(seed=job.seed)
    player.begin(make_task("pendulum"), player_seed(job))
    total = sum(env.step(player.act(observation))[1] for _ in range(40))
    found = outcome("random", "pendulum", 3)
    assert found.total == pytest.approx(total, abs=1e-12)
    assert (found.steps, found.ending, found.termination, found.detail) == (40, "truncated", Termination.NORMAL, "")
    assert 0 < found.seconds < 10


def test_an_episode_that_the_task_ends():
    found = outcome("zero", "gym/CartPole-v1")
    assert found.ending == "terminated"
    assert found.total == found.steps < 20


def test_episodes_do_not_depend_on_those_before():
    bench = Episodes(("cartpole-swingup", "pendulum"), SPECS).bench()
    together = [outcome("Drawn", run=run, bench=bench).total for run in (1, 2, 3)]
    assert together == [outcome("Drawn", run=run).total for run in (1, 2, 3)]
    assert len(set(together)) == 3


@pytest.mark.parametrize(
    ("player", "termination", "steps", "words"),
    [
        ("Raiser", Termination.CRASH, 2, "Raiser: KeyError: 'out of\\\\nfuel'"),
        ("Leaver", Termination.CRASH, 0, "Leaver: SystemExit: 3"),
        ("Sulker", Termination.COULD_NOT_START, 0, "Sulker: no licence"),
        ("Unmade", Termination.COULD_NOT_START, 0, "cannot be made: no weights"),
        ("Nan", Termination.ILLEGAL_MOVE, 0, "no action of cartpole-swingup: Box"),
        ("Words", Termination.ILLEGAL_MOVE, 0, "'left' is no action of cartpole-swingup"),
        ("Wide", Termination.ILLEGAL_MOVE, 0, "no action of cartpole-swingup"),
    ],
)
def test_faults_of_players(player, termination, steps, words):
    found = outcome(player)
    assert (found.termination, found.steps, found.ending) == (termination, steps, termination.value)
    assert words.replace("\\\\n", "\\n") in found.detail
    assert "\n" not in found.detail
    assert not found.whole
    assert found.counts == (termination is not Termination.COULD_NOT_START)


def test_a_player_that_failed_plays_the_next_episode():
    bench = Episodes(("cartpole-swingup", "pendulum"), SPECS).bench()
    assert [outcome("Raiser", run=run, bench=bench).steps for run in (1, 2)] == [2, 2]
    assert outcome("zero", bench=bench).whole


@pytest.mark.parametrize(("lean", "most"), [(True, 1), (False, 2)])
def test_players_are_kept_unless_memory_counts(lean, most):
    task_fakes.Counted.alive = 0
    specs = dict.fromkeys(("one", "other"), "python:task_fakes:Counted")
    bench = Episodes(("pendulum",), specs, lean).bench()
    assert all(outcome(player, "pendulum", bench=bench).whole for player in ("one", "other", "one"))
    assert task_fakes.Counted.alive == most
    bench.close()
    assert task_fakes.Counted.alive == 0


def test_vectors_beyond_the_bounds_are_cut_to_them():
    found = outcome("Strong")
    bench = Episodes(("cartpole-swingup",), {"Strong": "constant:10"}).bench()
    assert found.total == outcome("Strong", bench=bench).total


def test_actions_of_discrete_tasks():
    task = make_task("gym/CartPole-v1")
    assert [episodes.checked_action(task, action) for action in (1, np.int64(1), np.array(1))] == [1, 1, 1]
    for wrong in (2, -1, 0.5, "1", None, np.array([1, 1])):
        with pytest.raises(PlayerFault, match="no action of gym/CartPole-v1"):
            episodes.checked_action(task, wrong)


class Broken(gymnasium.Env):
    """A task whose own code fails, in its fifth step or by a reward that is no number."""

    action_space = observation_space = gymnasium.spaces.Discrete(2)

    def __init__(self, reward):
        self.reward, self.steps = reward, 0

    def reset(self, seed=None, options=None):
        self.steps = 0
        return 0, {}

    def step(self, action):
        self.steps += 1
        if self.steps == 5:
            raise OSError("the simulator has gone")
        return 0, self.reward, False, False, {}


@pytest.mark.parametrize(("reward", "words"), [(1.0, "OSError: the simulator has gone"), (np.nan, "the reward nan")])
def test_what_the_task_itself_does_wrong_is_nobodys_fault(monkeypatch, capfd, reward, words):
    task = Task("broken", Broken.observation_space, Broken.action_space, None, (0, 1), lambda: Broken(reward))
    monkeypatch.setattr(episodes, "make_task", lambda name: task)
    found = outcome("zero", "broken")
    assert found.termination is Termination.INTERRUPTED
    assert words in found.detail
    assert not found.counts
    assert "Traceback" in capfd.readouterr().err


def test_endless_tasks_are_cut_off(monkeypatch):
    class Endless(Broken):
        def step(self, action):
            return 0, 1.0, False, False, {}

    task = Task("endless", Endless.observation_space, Endless.action_space, None, (0, 1), lambda: Endless(1.0))
    monkeypatch.setattr(episodes, "make_task", lambda name: task)
    monkeypatch.setattr(episodes, "STEP_LIMIT", 50)
    found = outcome("zero", "endless")
    assert (found.total, found.steps, found.ending) == (50.0, 50, "truncated")


def test_points_count_where_a_task_has_them(monkeypatch):
    class Scoring(Broken):
        def step(self, action):
            self.steps += 1
            return 0, 1.0, self.steps == 4, False, {"points": 10 * self.steps}

    task = Task("scoring", Scoring.observation_space, Scoring.action_space, None, (0, 1), lambda: Scoring(1.0))
    monkeypatch.setattr(episodes, "make_task", lambda name: task)
    assert outcome("zero", "scoring").total == 10 + 20 + 30 + 40


def test_it_is_told_whose_code_runs():
    told = []
    bench = Episodes(("cartpole-swingup", "pendulum"), SPECS).bench()
    bench.do(Episode(1, "pendulum", "zero", 1, 0), lambda side, moves, clocks: told.append(side))
    assert told == [0, -1] * 42  # to make the player, to begin, to act 40 times; the task's own code between


def test_an_episode_whose_worker_died():
    fault = PlayerFault(Termination.STALL, "no move for 5 s")
    job = Episode(1, "pendulum", "zero", 1, 0)
    assert Episodes((), SPECS).lost(job, 0, fault, ()) == Outcome(
        0, 0, 0, Termination.STALL, "stall", "no move for 5 s"
    )
    assert Episodes((), SPECS).lost(job, None, fault, ()).termination is Termination.INTERRUPTED


def test_seeds():
    assert len({run_seed(seed, run) for seed in range(20) for run in range(1, 21)}) == 400
    assert all(0 <= run_seed(0, run) < 1 << 31 for run in range(50))
    one = Episode(1, "pendulum", "a", 1, 5)
    assert len({player_seed(e) for e in (one, Episode(1, "pendulum", "b", 1, 5), Episode(1, "x", "a", 1, 5))}) == 3
    assert player_seed(one) == player_seed(Episode(9, "pendulum", "a", 1, 5))

"""Players of tasks by spec: what each does, and what is said of a spec that names none."""

import numpy as np
import pytest

from sakiyomi.arena.tasks.players import check_task_player, make_task_player, parse_task_spec
from sakiyomi.envs import Task, make_task

spaces = pytest.importorskip("gymnasium.spaces")

CART, ROD, CHOICES = (make_task(name) for name in ("cartpole-swingup", "pendulum", "gym/CartPole-v1"))


def task_of(space):
    return Task("odd", space, space, 1, (0.0, 0.0), lambda: None)


def actions(spec, task, count=3, seed=0):
    player = make_task_player(spec)
    player.begin(task, seed)
    return [player.act(task.observation_space.sample()) for _ in range(count)]


def test_random_actions_come_from_the_seed_alone():
    assert np.array_equal(actions("random", CART), actions("random", CART))
    assert not np.array_equal(actions("random", CART), actions("random", CART, seed=1))
    assert all(CART.action_space.contains(action) for action in actions("random", CART, 100))
    assert set(actions("random", CHOICES, 50)) == {0, 1}


@pytest.mark.parametrize("spec", ["zero", "noop"])
def test_zero_does_nothing(spec):
    assert actions(spec, CART, 1)[0].tolist() == [0.0]
    assert actions(spec, CHOICES, 1) == [0]
    assert actions(spec, task_of(spaces.Discrete(3, start=2)), 1) == [2]
    assert actions(spec, task_of(spaces.MultiBinary(2)), 1)[0].tolist() == [0, 0]


def test_a_constant_action():
    assert actions("constant:-2.5", CART, 2)[1].tolist() == [-2.5]
    assert actions("constant:1", CHOICES, 2) == [1, 1]


@pytest.mark.parametrize(
    ("spec", "task", "words"),
    [
        ("constant:11", CART, "'11' is no action of cartpole-swingup, whose actions are Box"),
        ("constant:1,2", CART, "'1,2' is no action of cartpole-swingup"),
        ("constant:2", CHOICES, "'2' is no action of gym/CartPole-v1"),
        ("constant:0.5", CHOICES, "'0.5' is no action"),
        ("constant:left", CHOICES, "constant:left: numbers are wanted"),
        ("zero", task_of(spaces.Text(5)), "odd has actions Text.*of which none is constant"),
        ("swingup", CHOICES, "swingup plays cartpole-swingup and pendulum, not gym/CartPole-v1"),
        ("swing", CART, "unknown player of tasks 'swing'; did you mean 'swingup'"),
        ("uct:100", CART, "unknown player of tasks 'uct:100'; there are: random, zero"),
        ("random:3", CART, "player 'random:3' is to be written 'random'"),
        ("constant", CART, "player 'constant' is to be written 'constant:ACTION'"),
        ("python:task_fakes:Nobody", CART, "cannot be made: .*Nobody"),
        ("python:task_fakes:Unmade", CART, "cannot be made: no weights"),
        ("python:task_fakes:Half", CART, "plays no tasks: it has no method 'act'"),
    ],
)
def test_what_cannot_play_is_refused(spec, task, words):
    with pytest.raises(ValueError, match=words):
        check_task_player(spec, [task])


def test_names():
    assert parse_task_spec("random").name == "random"
    assert parse_task_spec("push = constant:3").name == "push"
    assert parse_task_spec("constant:3").name == "constant:3"
    assert make_task_player("me=python:task_fakes:Drawn").name == "me"


@pytest.mark.parametrize(("task", "least"), [(CART, 20.0), (ROD, 20.0)])
def test_swingup_swings_up_and_balances(task, least):
    env, player = task.make(), make_task_player("swingup")
    totals = []
    for seed in range(8):
        player.begin(task, 0)
        observation, _ = env.reset(seed=seed)
        rewards, over = [], False
        while not over:
            observation, reward, _, over, _ = env.step(player.act(observation))
            rewards.append(reward)
        totals.append(sum(rewards))
    assert np.median(totals) > least
    assert np.mean(rewards[-10:]) > 0.95

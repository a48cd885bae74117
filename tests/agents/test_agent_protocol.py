"""What agents are given and what they tell: turns of games, foresight in moves, budgets."""

import numpy as np
import pytest

from sakiyomi.agents.agent import Agent, Foresight, Predicted, Progress, TrainingBudget, Turn
from sakiyomi.boards import ConnectFour, Go, Position
from sakiyomi.boards.player import Budget
from sakiyomi.envs.batch import RESIGN as RESIGNS_IN_A_BATCH


class PlanOnly:
    """The least that a world-model agent may be: its carry is the plan that it goes on from."""

    presets = {"usual": None}  # noqa: RUF012
    config, task = None, "point-mass"

    def initial(self, batch: int, seed: int = 0) -> np.ndarray:
        return np.zeros((batch, 3, 2))

    def act(self, carry: np.ndarray, turn: Turn, explore: bool) -> tuple[np.ndarray, np.ndarray]:
        plan = np.where(turn.is_first[:, None, None], 0.0, carry)
        plan = np.concatenate((plan[:, 1:], np.asarray(turn.observation)[:, None, :2]), axis=1)
        return plan[:, 0], plan

    def foresee(self, carry: np.ndarray, turn: Turn, row: int = 0) -> Foresight:
        states = np.cumsum(carry[row], axis=0)
        samples = states + np.random.default_rng(0).normal(size=(20, 3, 2))
        return Foresight(
            value=1.0,
            lines=(carry[row],),
            future={"state": Predicted(states, samples.std(axis=0), samples=samples)},
            depth=3,
        )

    def save(self, folder) -> None: ...

    @classmethod
    def load(cls, folder):
        return cls()

    @classmethod
    def train(cls, task, folder, budget, *, config, seed=0, resume=False):
        yield Progress(1, 40, 0.5, 1.0, {"return": 3.0})


def test_the_number_that_gives_up_is_that_of_batches():
    from sakiyomi.agents.agent import RESIGN

    assert RESIGN == RESIGNS_IN_A_BATCH


def test_a_turn_of_a_game():
    game = ConnectFour()
    states = game.new(3)
    game.play(states[1:2], np.array([3], np.int32))
    turn = Turn.of_game(game, states)
    assert (turn.legal == game.legal(states)).all()
    assert (turn.observation == game.observe(states)).all()
    assert turn.reward.tolist() == [0.0] * 3
    assert turn.is_first.tolist() == [True] * 3
    assert (turn.game, turn.budget, turn.stop, turn.tell) == (game, Budget(), None, None)
    legal = np.zeros((3, 7), np.bool_)
    given = Turn.of_game(game, states, np.array([True, False, True]), legal=legal, budget=Budget(simulations=4))
    assert given.is_first.tolist() == [True, False, True]
    assert given.legal is legal
    assert given.budget.simulations == 4


def test_foresight_in_moves():
    game = Go(5)
    position = Position(game)
    position.play("c3")
    actions = [position.action(move) for move in ("c2", "b3", "d4")]
    answer = position.after("c2").action("c4")
    foresight = Foresight(
        value=-0.125,
        actions=np.array(actions),
        visits=np.array([30, 12, 0]),
        values=np.array([-0.1, -0.2, np.nan], np.float32),
        priors=np.array([0.5, 0.25, 0.125], np.float32),
        lines=(np.array([actions[0], answer]), np.array([actions[1]])),
        simulations=42,
        depth=6,
    )
    before = position.state.copy()
    thought = foresight.thought(game, position.state, 1.5)
    assert position.state.tobytes() == before.tobytes()
    assert thought.line == ("C2", "C4")
    assert (thought.value, thought.nodes, thought.depth, thought.seconds) == (-0.125, 42, 6, 1.5)
    assert [(c.move, c.visits, c.prior, c.line) for c in thought.candidates] == [
        ("C2", 30, 0.5, ("C2", "C4")),
        ("B3", 12, 0.25, ("B3",)),
        ("D4", 0, 0.125, ("D4",)),
    ]
    assert thought.candidates[0].value == pytest.approx(-0.1)
    assert thought.candidates[2].value is None
    assert foresight.plan.tolist() == [actions[0], answer]


def test_foresight_of_little():
    game = ConnectFour()
    assert Foresight().plan is None
    nothing = Foresight(value=0.5).thought(game, game.new(1))
    assert (nothing.line, nothing.value, nothing.candidates) == ((), 0.5, ())
    moves = Foresight(actions=np.array([3, 2])).thought(game, game.new(1))
    assert [(c.move, c.visits, c.value, c.prior, c.line) for c in moves.candidates] == [
        ("4", None, None, None, ("4",)),
        ("3", None, None, None, ("3",)),
    ]


def test_an_agent_with_a_world_model_fits_the_protocol(tmp_path):
    agent: Agent = PlanOnly()
    carry = agent.initial(2)
    turn = Turn(np.ones((2, 4), np.float32), np.array([True, False]), np.zeros(2, np.float32))
    actions, carry = agent.act(carry, turn, explore=True)
    assert actions.shape == (2, 2)
    foresight = agent.foresee(carry, turn, row=1)
    assert (foresight.plan == carry[1]).all()
    state = foresight.future["state"]
    assert (state.mean.shape, state.std.shape, state.samples.shape) == ((3, 2), (3, 2), (20, 3, 2))
    assert [progress.scalars for progress in agent.train(None, tmp_path, TrainingBudget(), config=None)] == [
        {"return": 3.0}
    ]


@pytest.mark.parametrize(
    ("budget", "spent"),
    [
        (TrainingBudget(), 0.0),
        (TrainingBudget(seconds=100.0), 0.5),
        (TrainingBudget(steps=40), 0.25),
        (TrainingBudget(environment_steps=1000), 2.0),
        (TrainingBudget(seconds=100.0, steps=40), 0.5),
        (TrainingBudget(seconds=100.0, steps=11, environment_steps=4000), 10 / 11),
    ],
)
def test_a_budget_ends_with_its_first_limit(budget, spent):
    assert budget.spent(50.0, 10, 2000) == pytest.approx(spent)


@pytest.mark.parametrize("limits", [{"seconds": 0.0}, {"steps": -1}, {"seconds": float("inf")}, {"steps": 0}])
def test_a_budget_is_over_0(limits):
    with pytest.raises(ValueError, match=f"{next(iter(limits))} to train must be over 0"):
        TrainingBudget(**limits)

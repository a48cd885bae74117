"""Who plays the games that an agent learns from where it is given none."""

import pytest
from fake_agents import Config, Scripted

from sakiyomi.agents.agent import TrainingBudget
from sakiyomi.agents.alphago.own_games import play_own_games
from sakiyomi.arena import training
from sakiyomi.boards import Chess, Go
from sakiyomi.sgf import Collection


class Teacher:
    """Knows whether it was closed."""

    closed = False

    def close(self):
        self.closed = True


class Pupil(Scripted):
    """Takes teachers."""

    @classmethod
    def train(cls, task, folder, budget, *, config, seed=0, resume=False, records=None, teachers=()):
        cls.had = list(teachers)
        yield from super().train(task, folder, budget, config=config, seed=seed, resume=resume)


@pytest.fixture
def teacher(monkeypatch):
    given = Teacher()
    monkeypatch.setattr(training, "teachers", lambda game: [given])
    monkeypatch.setattr(training, "agent_class", lambda name: Pupil)
    return given


@pytest.mark.parametrize("to_the_end", [True, False])
def test_teachers_are_given_and_closed(teacher, tmp_path, to_the_end):
    run = training.Run("pupil", "go-5x5", Config())
    progress = run.start(tmp_path / "run", TrainingBudget(steps=3))
    next(progress)
    assert Pupil.had == [teacher]
    assert not teacher.closed
    if to_the_end:
        list(progress)
    else:
        progress.close()
    assert teacher.closed


def test_who_has_records_needs_no_teacher(teacher, tmp_path):
    run = training.Run("pupil", "go-5x5", Config())
    list(run.start(tmp_path / "run", TrainingBudget(steps=2), records="games"))
    assert Pupil.had == []


def test_other_games_have_none(monkeypatch):
    assert training.teachers(Chess()) == []

    def missing(spec, game):
        raise ValueError("not installed")

    monkeypatch.setattr(training, "make_player", missing)
    assert training.teachers(Go(9)) == []


@pytest.mark.engines
def test_gnu_go_plays_games_to_learn_from(tmp_path):
    players = training.teachers(Go(7))
    assert [player.name for player in players] == ["GNU Go 1", "GNU Go 10"]
    assert list(play_own_games(Go(7), players, 2, tmp_path, opening_plies=2, seed=0)) == [1, 2]
    for player in players:
        player.close()
    for record in Collection(tmp_path):
        assert record.score is not None
        assert set(record.players) <= {"GNU Go 1", "GNU Go 10"}
        assert len(record.moves) > 20

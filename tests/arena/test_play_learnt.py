"""Agents that have learnt, in the browser: those that come with the package are offered, folders are not read."""

import pytest
from fake_agents import Scripted
from play_talk import session, until

from sakiyomi.arena import agent_specs
from sakiyomi.arena.agent_specs import Paper
from sakiyomi.arena.pages import play_seats
from sakiyomi.arena.pages.play_seats import check_spec, offers, thinks
from sakiyomi.arena.settings import read_settings
from sakiyomi.boards import TicTacToe
from sakiyomi.boards.player import Budget

GAME = TicTacToe()


@pytest.fixture(autouse=True)
def shipped(monkeypatch, tmp_path):
    """The package as if it had weights of an agent for tic-tac-toe; returns the folder of another one."""
    monkeypatch.setattr(agent_specs, "AGENTS", {"alphazero": Paper("Scripted", "a fake")})
    monkeypatch.setattr("sakiyomi.agents.Scripted", Scripted, raising=False)
    for module in (agent_specs, play_seats):
        monkeypatch.setattr(module, "weights_of", lambda name: tmp_path / "weights" / name)
    monkeypatch.setattr(play_seats, "missing_packages", list)
    Scripted(steps=9).save(tmp_path / "weights" / "alphazero" / "tictactoe")
    Scripted(steps=7).save(tmp_path / "run")
    offers.cache_clear()
    yield tmp_path / "run"
    offers.cache_clear()


def learnt(name):
    return [offer for offer in offers(name) if offer.spec.startswith("alphazero")]


def test_games_with_weights_offer_the_agent():
    found = learnt("tictactoe")
    assert [offer.name for offer in found] == [f"AlphaZero, {n} simulations" for n in ("10", "100", "1,000")]
    for offer in found:
        assert check_spec(offer.spec, GAME) == offer.spec
        assert thinks(offer.spec)
    assert learnt("connect4") == []


def test_without_its_packages_it_is_not_offered(monkeypatch):
    monkeypatch.setattr(agent_specs, "find_spec", lambda name: None if name == "torch" else name)
    monkeypatch.setattr(play_seats, "missing_packages", agent_specs.missing_packages)
    assert learnt("tictactoe") == []


@pytest.mark.parametrize("form", ["alphazero:{}", "alphazero:{}@sims=3", "mine=alphazero: {}", "alphazero:@a=b@sims=3"])
def test_a_page_may_not_name_a_folder(shipped, form):
    spec = form.format(shipped)
    with pytest.raises(ValueError, match="a page may not name folders to read, only alphazero as it comes"):
        check_spec(spec, GAME)


def test_the_servers_owner_may_allow_folders(shipped):
    spec = f"alphazero:{shipped}@sims=3"
    assert check_spec(spec, GAME, commands=True) == spec


@pytest.mark.parametrize(
    ("game", "package", "left"), [("tictactoe", "", ()), ("connect4", "", ("az",)), ("tictactoe", "torch", ("az",))]
)
def test_a_tournament_has_it_if_it_is_there(monkeypatch, tmp_path, game, package, left):
    monkeypatch.setattr(agent_specs, "find_spec", lambda name: None if name == package else name)
    path = tmp_path / "a.toml"
    path.write_text(f'game = "{game}"\nif_installed = ["az"]\n[players]\nr = "random"\naz = "alphazero@sims=3"\n')
    settings = read_settings(path)
    assert settings.missing == left
    assert len(settings.players) == 2 - len(left)
    path.write_text(path.read_text().replace("alphazero@", "alphazero:run@"))
    with pytest.raises(ValueError, match="if_installed names 'az', which is no player with"):
        read_settings(path)


def test_it_is_played_against():
    played = session("tictactoe", "", "alphazero@sims=3", budget=Budget())
    played.move("b2", 0)
    until(lambda: len(played.moves) == 2 or played.ended)
    assert played.ended is None
    played.close()

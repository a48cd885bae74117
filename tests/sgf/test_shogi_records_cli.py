"""`sakiyomi records` with shogi: check, convert and stats."""

import json

import pytest
from made_shogi import made_records
from typer.testing import CliRunner

from sakiyomi.arena.cli_records import app
from sakiyomi.arena.players import make_player
from sakiyomi.arena.playing import play
from sakiyomi.boards import Shogi
from sakiyomi.sgf import Record, load, save


@pytest.fixture
def games(tmp_path):
    folder = tmp_path / "games"
    folder.mkdir()
    records = made_records(6)
    for record, ending in zip(records, ("csa", "kif", "kifu", "ki2", "csa.gz", "usi"), strict=True):
        save(record, folder / f"game.{ending}")
    return folder


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_check(games):
    done = run("check", games)
    assert done.exit_code == 0, done.stdout
    assert "6 sound games, 0 failures" in done.stdout
    (games / "bad.csa").write_text("PI\n+\n+7776FU\n-3335FU\n")
    (games / "bad.kif").write_text("手合割：平手\n   1 ７五歩(77)\n   2 投了\n")
    done = run("check", games)
    assert done.exit_code == 1
    assert "bad.csa: game 1, byte 13, line 4: move 2: '-3335FU' in " in done.stdout
    assert "bad.kif: game 1, byte 19, line 2: move 1: '７五歩(77)' in " in done.stdout
    assert done.stdout.count("cannot go to") == 2


@pytest.mark.parametrize("ending", ["csa", "kif", "kifu", "ki2", "csa.xz"])
def test_convert(games, tmp_path, ending):
    out = tmp_path / f"all.{ending}"
    done = run("convert", games, "--out", out)
    assert done.exit_code == 0, done.stdout
    assert "6 games written" in done.stdout
    assert {record.moves for record in load(out)} == {record.moves for record in made_records(6)}


def test_convert_to_usi_and_json(games, tmp_path):
    assert run("convert", games, "--out", tmp_path / "all.usi").exit_code == 0
    assert len((tmp_path / "all.usi").read_text().splitlines()) == 6
    assert run("convert", games, "--out", tmp_path / "all.jsonl").exit_code == 0
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert {line["game"] for line in lines} == {"shogi"}


def test_stats(games):
    counted = json.loads(run("stats", games, "--json").stdout)
    assert counted["games"] == 6
    assert counted["game"] == {"shogi": 6}
    assert counted["moves"] == sum(len(record.moves) for record in made_records(6))
    assert counted["handicap"] == dict.fromkeys(("even", "lance", "right-lance", "bishop", "rook", "rook-lance"), 1)


def test_stats_of_other_first_positions(tmp_path):
    save(Record("shogi", setup="4k4/9/9/9/9/9/9/9/4K4 b G 1"), tmp_path / "game.csa")
    assert json.loads(run("stats", tmp_path, "--json").stdout)["handicap"] == {"another position": 1}


def test_games_of_players_name_both_and_the_ending(tmp_path):
    game = Shogi(max_plies=40)
    players = make_player("random", game), make_player("alphabeta:1", game)
    record = play(game, players, seed=3, names=("first", "second")).record
    for ending in ("csa", "kif", "ki2"):
        save(record, tmp_path / f"game.{ending}")
        (back,) = load(tmp_path / f"game.{ending}")
        assert back.players == ("first", "second")
        assert (back.moves, back.result, back.ending) == (record.moves, record.result, record.ending)
    assert record.ending in ("checkmate", "move limit")

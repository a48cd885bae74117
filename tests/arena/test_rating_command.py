"""The command `ratings` on files as people have them."""

import csv
import json

import pytest

from sakiyomi.arena.cli import main
from sakiyomi.arena.cli_ratings import anchor_of
from sakiyomi.arena.rating.anchors import Anchor

GAMES = [("Alder", "Birch", "1-0")] * 6 + [("Birch", "Alder", "1/2-1/2")] * 5 + [("Alder", "Cedar", "1-0")] * 4
GAMES += [("Cedar", "Birch", "0-1")] * 4 + [("Birch", "Cedar", "0-1")] * 3 + [("Cedar", "Alder", "1-0")] * 2


def pgn(games):
    return "".join(f'[White "{a}"]\n[Black "{b}"]\n[Result "{r}"]\n\n{r}\n\n' for a, b, r in games)


@pytest.fixture
def rate(capsys, tmp_path):
    """Runs the command on games: exit code, output, errors."""

    def run(*arguments, games=GAMES):
        path = tmp_path / "games.pgn"
        path.write_text(pgn(games))
        with pytest.raises(SystemExit) as ended:
            main(["ratings", str(path), *map(str, arguments)])
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return run


def test_the_table(rate):
    code, out, err = rate()
    assert code == 0
    lines = out.splitlines()
    assert " ".join(lines[0].split()) == "# player Elo 95 % interval error LOS score games won drawn lost"
    assert [line.split()[1] for line in lines[2:5]] == ["Alder", "Birch", "Cedar"]
    assert lines[2].split()[-4:] == ["17", "10", "5", "2"]
    assert "moving first is worth" in out
    assert "equals draw" in out
    assert "24 games read, 24 rated" in err


def test_json_says_everything(rate):
    code, out, _ = rate("--json", "--los", "--expected", "--head-to-head", "Alder", "--anchor", "Birch=1000")
    assert code == 0
    found = json.loads(out)
    rows = {row["name"]: row for row in found["ratings"]}
    assert rows["Birch"]["elo"] == 1000
    assert found["players"][0] == "Alder"
    assert found["los"][0][0] == 0.5
    assert found["los"][0][1] + found["los"][1][0] == pytest.approx(1)
    assert found["expected"][0][1] > 0.5
    assert found["ratings"][-1]["los"] is None
    against = {row["name"]: row for row in found["head_to_head"]["Alder"]}
    assert (against["Birch"]["wins"], against["Birch"]["draws"], against["Cedar"]["losses"]) == (6, 5, 2)
    assert found["advantage"]["low"] < found["advantage"]["elo"]
    assert (found["games"], found["model"]) == (24, "davidson")


def test_matrices_and_opponents_are_printed(rate):
    _, out, _ = rate("--los", "--expected", "--head-to-head", "Cedar")
    for words in ("LOS of row over column, %", "Expected score of row against column, %", "Cedar against", "opponent"):
        assert words in out


def test_pools_are_told_apart_in_words(rate):
    _, out, _ = rate(games=[*GAMES, ("Yew", "Zelkova", "1-0"), ("Zelkova", "Yew", "1/2-1/2")])
    assert "Pool 1 of 2: 3 players who met nobody of another pool" in out
    assert "Pool 2 of 2: 2 players" in out
    assert "do not compare" in out
    _, out, _ = rate()
    assert "Pool" not in out


def test_marks_without_a_prior(rate):
    won = [("Yew", "Alder", "1-0")] * 3
    code, out, _ = rate("--prior", "none", games=GAMES + won)
    assert code == 0
    assert ">+" in out.splitlines()[2]
    _, out, _ = rate("--prior", "none", "--json", games=GAMES + won)
    row = json.loads(out)["ratings"][0]
    assert (row["name"], row["mark"], row["high"]) == ("Yew", ">", None)


def test_several_anchors(rate):
    _, out, _ = rate("--anchor", "Alder=1500", "--anchor", "Birch=1400", "--anchor", "Cedar=1450+-5", "--json")
    rows = {row["name"]: row["elo"] for row in json.loads(out)["ratings"]}
    assert rows["Alder"] == 1500
    assert rows["Birch"] == pytest.approx(1400)
    assert rows["Cedar"] == pytest.approx(1450, abs=3)


@pytest.mark.parametrize("how", ["--simulate", "--bootstrap"])
def test_errors_by_doing_it_again(rate, how):
    one, other, third = (rate(how, 30, "--seed", seed, "--json", "--los")[1] for seed in (1, 1, 2))
    assert one == other != third
    assert all(row["low"] < row["high"] for row in json.loads(one)["ratings"])


def test_csv(rate, tmp_path):
    code, _, _ = rate("--csv", tmp_path / "table.csv", "--min-games", 10)
    assert code == 0
    with (tmp_path / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["rank"], row["name"], row["games"]) for row in rows] == [
        ("1", "Alder", "17"),
        ("2", "Birch", "18"),
        ("3", "Cedar", "13"),
    ]
    assert rows[-1]["los"] == ""


def test_few_games_are_not_shown_but_count(rate):
    more = [*GAMES, ("Yew", "Alder", "1-0")]
    _, with_all, _ = rate("--json", games=more)
    _, without, _ = rate("--json", "--min-games", 5, games=more)
    shown = [row for row in json.loads(with_all)["ratings"] if row["name"] != "Yew"]
    assert [row["elo"] for row in json.loads(without)["ratings"]] == [row["elo"] for row in shown]


def test_aliases(rate, tmp_path):
    (tmp_path / "names").write_text("Alder\tCedar\n")
    _, out, err = rate("--alias", tmp_path / "names", "--json")
    assert {row["name"] for row in json.loads(out)["ratings"]} == {"Alder", "Birch"}
    assert "6 of a player against itself" in err


def test_bayeselo_and_ordo(rate):
    _, bayeselo, _ = rate("--draws", "rao-kupper", "--prior", "bayeselo", "--json")
    _, ordo, _ = rate("--draws", "half-wins", "--prior", "none", "--json")
    assert json.loads(bayeselo)["model"] == "rao-kupper"
    assert json.loads(ordo)["draw_rate"] == 0


def test_what_is_left_out_is_told(rate):
    _, _, err = rate(games=[*GAMES, ("Alder", "Birch", "*"), ("?", "Birch", "1-0")])
    assert "26 games read, 24 rated; 1 without a result; 1 without both names" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--draws", "elo"], "--draws elo: there are: davidson, rao-kupper, half-wins"),
        (["--prior", "strong"], "--prior strong: there are: weak, none, bayeselo"),
        (["--relative-to", "me"], "--relative-to me: there are: anchor, pool"),
        (["--simulate", "5", "--bootstrap", "5"], "choose one"),
        (["--simulate", "1"], "at least 2 samples"),
        (["--simulate", "5", "--prior", "none"], "need a prior"),
        (["--anchor", "Alder=strong"], "wanted NAME=ELO or NAME=ELO+-ERROR"),
        (["--anchor", "Yew=3"], "anchor 'Yew' has no rated game"),
        (["--head-to-head", "Yew"], "'Yew' has no rated game"),
        (["--alias", "/nowhere/names"], "names"),
    ],
)
def test_mistakes_are_one_line(rate, arguments, message):
    code, out, err = rate(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.strip().count("\n") == 0


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("a=5", Anchor("a", 5)),
        ("a=b=-7.5", Anchor("a=b", -7.5)),
        ("Fruit 2.1=2700+-20", Anchor("Fruit 2.1", 2700, 20)),
        ("x=1±2", Anchor("x", 1, 2)),
        ("plain", Anchor("plain", 33)),
    ],
)
def test_anchors_as_text(text, anchor):
    assert anchor_of(text, 33) == anchor

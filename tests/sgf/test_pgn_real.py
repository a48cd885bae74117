"""Real PGN: read as python-chess reads it, and written without loss."""

import io
import logging
import lzma
from dataclasses import replace
from itertools import islice

import chess.pgn
import pytest

from sakiyomi.sgf import BadRecord, Collection, Fault, read_pgn, to_pgn

FILES = {
    "annotated": 1166,
    "chess960": 222,
    "lichess-clocks-evals": 438,
    "lichess-studies": 209,
    "misc-benchmark": 100,
    "players": 8814,
    "twic1599": 1110,
    "twic2020": 232,
}
FAST = 25  # games of each file that are looked at in the fast tests


def data_of(records, name):
    return lzma.open(records / "chess" / f"{name}.pgn.xz").read()


def decoded(data):
    """As somebody would open the file for python-chess: in UTF-8, or else byte by byte."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def theirs_of(data):
    handle = io.StringIO(decoded(data))
    logging.getLogger("chess.pgn").setLevel(logging.CRITICAL)
    while (game := chess.pgn.read_game(handle)) is not None:
        yield game


def moves_of(game):
    board, moves = game.board(), []
    for move in game.mainline_moves():
        moves.append(board.uci(move))
        board.push(move)
    return tuple(moves)


def words(comments):
    """Comments by ply, without regard to white space and to what is not ASCII."""
    plain = {ply: text.encode("ascii", "ignore").decode().split() for ply, text in comments.items()}
    return {ply: text for ply, text in plain.items() if text}


def agrees(record, game):
    """Both readers have the same moves, result and main line's comments; so has the tree."""
    assert game.errors == []
    assert moves_of(game) == record.moves
    stated = game.headers.get("Result", "*")
    if stated != record.result:  # 1/2 for 1/2-1/2
        assert record.tags["result"] == stated
        assert Fault.UNKNOWN_RESULT_TAG in [found.fault for found in record.tree.faults]
    # The decoding of the whole file is not that of the game, where charsets are mixed.
    expected = {ply: node.comment for ply, node in enumerate([game, *game.mainline()])}
    for node in game.mainline():
        if node.starting_comment:
            expected[node.ply() - game.ply()] = f"{node.starting_comment} {node.comment}"
    if record.tree.charset == "US-ASCII":
        assert words(record.comments) == words(expected)
    assert moves_of(record.tree.game()) == record.moves


def round_trips(records):
    read = read_pgn(to_pgn(records))
    assert read == records
    bare = [replace(record, tree=None) for record in records]
    assert read_pgn(to_pgn(bare)) == bare


@pytest.mark.parametrize("name", FILES)
def test_every_game_is_read(records, name):
    collection = Collection(records / "chess" / f"{name}.pgn.xz", legal=True)
    assert sum(1 for _ in collection) == FILES[name]
    assert collection.failures == []


@pytest.mark.parametrize("name", FILES)
def test_some_games_agree_with_python_chess_and_survive_the_round_trip(records, name):
    data = data_of(records, name)
    ours = read_pgn(data)
    for record, game in zip(islice(ours, FAST), theirs_of(data), strict=False):
        agrees(record, game)
    round_trips(ours[:: max(len(ours) // FAST, 1)])


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_every_game_agrees_with_python_chess_and_survives_the_round_trip(records, name):
    data = data_of(records, name)
    ours = read_pgn(data)
    games = list(theirs_of(data))
    assert len(games) == len(ours) == FILES[name]
    for record, game in zip(ours, games, strict=True):
        agrees(record, game)
    round_trips(ours)


def test_the_faults_of_real_files(records):
    """What README and eye say of them: charsets mixed, 1/2 as a result, results that disagree, a game without one."""
    found = [found for record in read_pgn(data_of(records, "annotated")) for found in record.tree.faults]
    counts = {fault: sum(f.fault is fault for f in found) for fault in {f.fault for f in found}}
    assert counts == {
        Fault.NOT_UTF8: 83,
        Fault.UNKNOWN_RESULT_TAG: 38,
        Fault.RESULTS_DISAGREE: 4,
        Fault.NO_RESULT: 1,
        Fault.DUPLICATE_TAG: 1,
    }
    assert not any(isinstance(r, BadRecord) for r in read_pgn(data_of(records, "lichess-studies")))

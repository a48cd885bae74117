"""Where the reading of PGN differs from python-chess's: each line of the table in docs/pgn.md."""

import io
import logging

import chess.pgn
import pytest

from sakiyomi.sgf import BadRecord, read_pgn

BAD = ["failure"]
# text, moves of each game here, moves of each game there
MOVES = {
    "illegal": ("1. e4 e5 2. Ke3 Nf6 *", [BAD], [["e2e4", "e7e5"]]),
    "letters of another language": ("1. e4 e5 2. Sf3 *", [BAD], [["e2e4", "e7e5", "f2f3"]]),
    "null move": ("1. e4 -- 2. d4 *", [BAD], [["e2e4", "0000", "d2d4"]]),
    "no position": ('[FEN "8/8 w"]\n\n1. e4 *', [BAD], [[]]),
    "three kings": ('[FEN "3kkk2/8/8/8/8/8/8/4K2R w - - 0 1"]\n\n1. Kd1 *', [BAD], [["e1d1"]]),
    "empty FEN": ('[FEN ""]\n\n1. e4 *', [["e2e4"]], [[]]),
    "FEN ?": ('[FEN "?"]\n\n1. e4 *', [["e2e4"]], [[]]),
    "variant": ('[Variant "Atomic"]\n\n1. e4 *', [[]], [["e2e4"]]),
    "1e4": ("1e4 e5 *", [["e2e4", "e7e5"]], [[]]),
    "figurine": ("1. ♘f3 *", [["g1f3"]], [["f2f3"]]),
    "variation first": ("(1. d4 d5) 1. e4 *", [["e2e4"]], [["d2d4", "d7d5", "e2e4"]]),
    "indented tag": (' [Event "x"]\n[White "w"]\n\n1. e4 *', [["e2e4"]], [[], ["e2e4"]]),
    "tags and moves": ('[Event "x"] 1. e4 *', [["e2e4"]], [[]]),
    "blank line behind a comment": ('[Event "a"]\n\n{c}\n\n1. d4 *', [["d2d4"]], [[], ["d2d4"]]),
    "tags again": ('[Event "a"]\n\n[Event "b"]\n\n1. d4 *', [[], ["d2d4"]], [["d2d4"]]),
}


@pytest.fixture(autouse=True)
def quiet():
    logger = logging.getLogger("chess.pgn")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


def here(text):
    return [BAD if isinstance(found, BadRecord) else found for found in read_pgn(text.encode())]


def there(text):
    handle, games = io.StringIO(text), []
    while (game := chess.pgn.read_game(handle)) is not None:
        games.append(game)
    return games


@pytest.mark.parametrize("case", MOVES)
def test_games_and_moves(case):
    text, ours, theirs = MOVES[case]
    assert [found if found is BAD else list(found.moves) for found in here(text)] == ours
    assert [[move.uci() for move in game.mainline_moves()] for game in there(text)] == theirs


def test_castling_with_a_dash():
    text = "1. Nf3 Nf6 2. g3 g6 3. Bg2 Bg7 4. O–O *"
    assert here(text)[0].moves[6:] == ("e1g1",)
    assert len(list(there(text)[0].mainline_moves())) == 6


def test_tags_results_and_comments():
    text = '[Result "1/2"]\n[White "a \\"b\\""]\n\n1. e4 ; c\ne5 1/2\n'
    (ours,), (theirs,) = here(text), there(text)
    assert (ours.result, ours.tags["result"], theirs.headers["Result"]) == ("1/2-1/2", "1/2", "1/2")
    assert (ours.players[0], theirs.headers["White"]) == ('a "b"', 'a \\"b\\"')
    assert (ours.comments, theirs.next().comment) == ({1: "c"}, "")
    text = '[Event "x"] [White "w"]\n\n1. e4 *'
    assert (here(text)[0].players[0], there(text)[0].headers["Event"]) == ("w", 'x"] [White "w')


def test_a_tag_line_behind_the_moves():
    text = '1. e4\n[Event "x"]\n\n1. d4 *'
    assert [found.tags for found in here(text)] == [{}, {"event": "x"}]
    assert [game.headers["Event"] for game in there(text)] == ["?", "?"]


def test_rights_that_cannot_be():
    text = '[FEN "4k3/8/8/8/8/8/8/4K2R w KQkq e3 0 1"]\n\n1. Kd1 *'
    assert here(text)[0].setup == "4k3/8/8/8/8/8/8/4K2R w K - 0 1"
    assert there(text)[0].headers["FEN"].endswith("KQkq e3 0 1")
    assert there(text)[0].board().clean_castling_rights() == chess.BB_H1


def test_bytes_of_zero():
    text = '[White "a\0b"]\n\n*'
    assert (here(text)[0].players[0], there(text)[0].headers["White"]) == ("a b", "a\0b")

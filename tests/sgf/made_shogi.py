"""Shogi games by random play, as records of every kind that the formats can hold."""

import random
from functools import cache

from sakiyomi.boards import Position, Shogi
from sakiyomi.boards.shogi.handicaps import HANDICAPS, handicap_sfen
from sakiyomi.boards.shogi.sfen import START
from sakiyomi.sgf import Record

GAME = Shogi()
ENDINGS = [  # of a game in which the side to move, or the other, has lost
    ("resignation", "loses"),
    ("time forfeit", "loses"),
    ("illegal move", "loses"),
    ("illegal move", "wins"),
    ("declaration", "wins"),
    ("perpetual check", "loses"),
    ("perpetual check", "wins"),
    ("crash", "loses"),
    ("resignation", "wins"),
    ("repetition", "draws"),
    ("impasse", "draws"),
    ("declaration", "draws"),
    ("move limit", "draws"),
    ("agreement", "draws"),
    ("interrupted", "open"),
    ("error", "open"),
    ("", "draws"),
    ("", "loses"),
    ("", "wins"),
    ("", "open"),
]
SETUPS = [
    None,
    *[handicap_sfen(name) for name in HANDICAPS if handicap_sfen(name) != START],
    "4k4/9/9/9/9/9/9/9/4K4 b RBGSNLPrb3g3s3n3l17p 1",
    "8k/6+P2/7G1/9/9/9/9/9/4K4 w - 1",
    "7k1/5s3/9/9/9/9/9/9/9 b 2R 1",  # a mating problem: Black has no king
    "lnsgkgsnl/1r5b1/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL w - 1",  # even, but White begins
    "lnsgkgsnl/1r5b1/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL b - 9",
    "lnsgkgsnl/9/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL b - 1",  # two-piece, but Black begins
]
COMMENTS = ["a comment", "二歩に注意", "two\nlines", "+7776FU", "76歩", "先手：名", "[%emt 0:00:12]", "-", "変化：3手"]


@cache
def middle(seed: int) -> str:
    """A position in the middle of a random game."""
    position = Position(GAME)
    for move in moves_of(None, seed, 100 + seed % 7):
        position.play(move)
    return position.text()


@cache
def moves_of(setup: str | None, seed: int, most: int) -> tuple[str, ...]:
    """A random game, with a liking for moves to the square of the last one, drops and refused promotions."""
    rng, position, moves, last = random.Random(seed), Position(GAME, setup), [], ""
    while len(moves) < most and (legal := position.legal_moves()):
        liked = [move for move in legal if move[2:4] == last] or [move for move in legal if rng.random() < 0.05]
        move = rng.choice(liked or legal)
        position.play(move)
        moves.append(move)
        last = move[2:4]
    return tuple(moves)


def result_of(means: str, turn: int) -> str:
    """The result where so much is said of the side to move."""
    return {"loses": ("0-1", "1-0")[turn], "wins": ("1-0", "0-1")[turn], "draws": "1/2-1/2", "open": "*"}[means]


def made_record(seed: int, most: int = 60) -> Record:
    """A record: setup, ending and comments go by the seed."""
    rng = random.Random(seed)
    setup = [*SETUPS, middle(1), middle(2)][seed % (len(SETUPS) + 2)]
    moves = moves_of(setup, seed, rng.randrange(most))
    turn = (len(moves) + (setup is not None and setup.split()[1] == "w")) % 2
    ending, means = ENDINGS[seed // 3 % len(ENDINGS)]
    tags = {"event": "第1回大会", "place": "Tokyo", "date": "2024-05-01", "start time": "09:30:00", "own tag": "a: b"}
    tags = {name: text for name, text in tags.items() if rng.random() < 0.5}
    comments = {ply: rng.choice(COMMENTS) for ply in range(len(moves) + 1) if rng.random() < 0.15}
    players = rng.choice([("", ""), ("先手の人", "後手の人"), ("engine 1", "engine 2"), ("", "White")])
    return Record("shogi", moves, setup, result_of(means, turn), ending, players, tags, dict(sorted(comments.items())))


@cache
def made_records(count: int) -> list[Record]:
    """So many of them."""
    return [made_record(seed) for seed in range(count)]

"""The promises about texts: moves and positions are written so that they can be read back."""

from collections.abc import Callable

import numpy as np

from sakiyomi.boards.game import BadNotation
from sakiyomi.boards.testing.promises import BrokenPromise, Promise
from sakiyomi.boards.testing.sample import Sample, each

RUBBISH = ("", "?!", "\x00", "9" * 40, "no such text")
"""Texts that name neither a move nor a position of any game."""


def writes_moves(sample: Sample) -> None:
    """Legal moves have different texts, which parse_move() reads back; rubbish is BadNotation."""
    game = sample.game
    for state in each(sample.ongoing):
        legal = np.flatnonzero(game.legal(state)[0]).tolist()
        texts = [game.move_text(state, action) for action in legal]
        sample.demand(len(set(texts)) == len(texts), Promise.MOVE_TEXTS, f"they are {texts}", state)
        for action, text in zip(legal, texts, strict=True):
            back = game.parse_move(state, text)
            sample.demand(back == action, Promise.MOVES_BACK, f"action {action}, {text!r}, became {back}", state)
    for text in RUBBISH:
        _refuses(sample, f"parse_move({text!r})", lambda text=text: game.parse_move(sample.states[0], text))  # type: ignore[misc]


def rereads_positions(sample: Sample) -> None:
    """position_text() is one line that parse_position() reads back; history may be lost, the board may not."""
    game = sample.game
    for state in each(sample.states):
        text = game.position_text(state)
        sample.demand(text and "\n" not in text, Promise.ONE_LINE, f"it is {text!r}")
        back = game.parse_position(text)
        fits = back.shape == (1,) and back.dtype == game.dtype
        sample.demand(fits, Promise.PARSED, f"it gives {back.dtype} {back.shape}", state)
        again = game.position_text(back)
        sample.demand(again == text, Promise.TEXT_BACK, f"it came back as {again!r}", state)
        sample.demand(np.array_equal(game.board(back), game.board(state)), Promise.BOARD_BACK, "pieces differ", state)
        sample.demand(game.turn(back) == game.turn(state), Promise.TURN_BACK, f"it is {game.turn(back)}", state)
        lost = np.flatnonzero(game.legal(state)[0] & ~game.legal(back)[0])
        sample.demand(not lost.size, Promise.LEGAL_BACK, f"actions {lost} are refused", state)
    for text in RUBBISH:
        _refuses(sample, f"parse_position({text!r})", lambda text=text: game.parse_position(text))  # type: ignore[misc]


def _refuses(sample: Sample, call: str, parse: Callable[[], object]) -> None:
    try:
        got = parse()
    except BadNotation:
        return
    except Exception as error:
        raised = f"{call} raises {type(error).__name__}: {error}"
        message = f"{sample.game.name}: {Promise.BAD_NOTATION.words}, but {raised}"
        raise BrokenPromise(Promise.BAD_NOTATION, f"{message}. Likely cause: {Promise.BAD_NOTATION.cause}.") from error
    sample.demand(False, Promise.BAD_NOTATION, f"{call} gives {got!r}")

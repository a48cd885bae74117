"""Every fault of a record that is read all the same, in one place, and `BadRecord` for what cannot be read.

Each `Fault` says what is wrong and what is made of it. docs/sgf.md shows the same list.
"""

from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """A fault that is tolerated; the value says what is wrong, then what is made of it."""

    # The bytes
    CHARSET_GUESSED = "not ASCII and no CA property: the charset is found from the bytes"
    CHARSET_LIES = "the bytes are not in the charset that CA names: the charset is found from the bytes"
    BROKEN_BYTES = "bytes that mean nothing in the charset: shown as U+FFFD or read in a likelier charset"
    # The grammar
    JUNK_OUTSIDE = "text before, between or after the games: skipped"
    JUNK_INSIDE = "text inside a game but in no property: skipped"
    NO_OPENING = "the file's first game lacks its '(': begins at the ';'"
    NO_SEMICOLON = "a property where a ';' is due: a node begins there"
    EXTRA_CLOSING = "a ')' too many: skipped"
    UNCLOSED_GAME = "the file ends inside a game: the game ends with it"
    UNCLOSED_VALUE = "the file ends inside a value: a free text ends with it, any other is dropped"
    UNESCAPED_BRACKET = (
        "a ']' without its backslash inside a free text: belongs to it if nothing follows that may follow a value"
    )
    BARE_VALUE = "a '[...]' that belongs to no property: skipped"
    LOWER_CASE_IDENT = "a property name wholly in lower case: read in capitals"
    DUPLICATE_PROPERTY = "one property twice in a node: both lists of values are taken, in order"
    # Go
    ODD_POINT = "a point in capitals, a move 'pass', a move with a second value: its one meaning, the first value"
    EMPTY_STONE = "a setup stone without a point: skipped"
    STONE_TWICE = "a point set up twice in a node: the last one counts"
    MOVE_WITH_SETUP = "a move and setup stones in one node: both, in the order of the file"
    TWO_MOVES = "two moves in one node: both, in the order of the file"
    OUT_OF_TURN = "the same colour moves twice running: a pass of the other is put between"
    HANDICAP_AS_MOVES = "handicap stones played as Black's first moves: become the setup"
    SETUP_IN_GAME = "setup stones after the first move: the position is changed there, and ko starts afresh"
    BOARD_TOO_BIG = "a board over 25x25: properties only, no moves (the rules go to 25x25)"
    OTHER_GAME = "GM is not 1: properties only, no moves"
    ODD_NUMBER = "a size, komi or handicap that is not written as a plain number: its likely meaning"
    ODD_RESULT = "a result that is not written as FF[4] says: its likely meaning, or '*'"
    # PGN
    NOT_UTF8 = "bytes that are not UTF-8: read as windows-1252, or in the charset in which they read best"
    TEXT_BEFORE = "text before the first game: skipped"
    DUPLICATE_TAG = "one tag twice in a game: the last one counts"
    UNKNOWN_RESULT_TAG = "a Result tag other than 1-0, 0-1, 1/2-1/2 and *: its likely meaning, or '*'"
    RESULTS_DISAGREE = "the Result tag and the result after the moves disagree: the tag counts, unless it is '*'"
    NO_RESULT = "no result after the moves: the Result tag counts"
    NO_MOVETEXT = "tags with nothing after them, not even a result: a game without moves"
    UNCLOSED_COMMENT = "a '{' without its '}': the comment goes on to the end of the file"
    UNCLOSED_VARIATION = "a '(' without its ')': the variation ends with the game"
    POSITION_MENDED = "castling rights or an en passant square of the FEN tag that cannot be: left out"
    UNKNOWN_VARIANT = "a Variant that is not known: read as chess, its moves are checked"
    OTHER_VARIANT = "a Variant that is neither chess nor Chess960: tags only, no moves"
    # CSA, KIF, KI2 and USI
    ENCODING_LIES = "the bytes are not in the encoding that the file names: it is found from the bytes"
    UNKNOWN_LINE = "a line that means nothing in its format: skipped"
    UNKNOWN_CLOSING = "a closing move that is not known: its name is the ending, the result stays open"
    ENDINGS_DISAGREE = "the closing move and the last line name different winners: the closing move counts"
    ILLEGAL_END = "the last move is illegal and the file says that this ended the game: the game ends before it"
    ODD_NUMBER_OF_MOVE = "a move whose number is not the next one: the moves are taken in their order"
    ODD_TURN = "the first move is that of the side that is not to move, and no line says whose turn it is: it is theirs"
    BROKEN_VARIATION = "an illegal move, or none, in a variation: the variation ends before it"
    LOST_VARIATION = "a variation that begins after the last move of the lines before it: skipped"


_NAMES = list(Fault.__members__)
_PGN, _SHOGI = _NAMES.index("NOT_UTF8"), _NAMES.index("ENCODING_LIES")
PGN_FAULTS = frozenset(Fault[name] for name in _NAMES[_PGN:_SHOGI])
"""Those of PGN."""
SHOGI_FAULTS = frozenset(Fault[name] for name in _NAMES[_SHOGI:])
"""Those of CSA, KIF, KI2 and USI; the others are SGF's."""


@dataclass(frozen=True)
class Found:
    """One fault as met in a file: where, and the text concerned."""

    fault: Fault
    byte: int
    line: int
    game: int
    detail: str = ""

    def __str__(self) -> str:
        about = f" ({self.detail})" if self.detail else ""
        return f"game {self.game}, byte {self.byte}, line {self.line}: {self.fault.value}{about}"


class BadRecord(ValueError):
    """A game, or a whole file, that cannot be read.

    `file` is the path, inside an archive "archive!member"; `byte` (from 0) and `line` (from 1) where the reason lies;
    `game` its number in the file, from 1, or 0 when it concerns the whole file.
    """

    def __init__(self, reason: str, *, file: str = "", byte: int = 0, line: int = 1, game: int = 0):
        self.reason, self.file, self.byte, self.line, self.game = reason, file, byte, line, game
        where = f"game {game}, byte {byte}, line {line}: " if game else ""
        super().__init__(f"{file}: {where}{reason}" if file else f"{where}{reason}")

    def __reduce__(self) -> tuple[object, ...]:
        return _bad_record, (self.reason, self.file, self.byte, self.line, self.game)


def _bad_record(reason: str, file: str, byte: int, line: int, game: int) -> BadRecord:
    return BadRecord(reason, file=file, byte=byte, line=line, game=game)

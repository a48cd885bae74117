"""The main line of PGN movetexts: words to moves, each checked by the rules and played on nine words.

SAN is read as `boards.chess.notation` reads it, UCI too. A word that names no square is passed over (e.p., mate, N,
resigns); one that does, but is no move, ends the main line, as it may be one (Sf3). What stands right behind a move is
a word of its own (exd6ep, Rxf6gxf6).
"""

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.bits import FULL, ONE, ZERO, U
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.chess.actions import action_of
from sakiyomi.boards.chess.make import make
from sakiyomi.boards.chess.san import (
    BISHOP_PIECE,
    ILLEGAL,
    KING_PIECE,
    KNIGHT_PIECE,
    PAWN_PIECE,
    QUEEN_PIECE,
    ROOK_PIECE,
    find,
    find_by_squares,
    find_castling,
)
from sakiyomi.boards.chess.state import CASTLE, HOT, META, TO_BISHOP, TO_KNIGHT, TO_QUEEN, TO_ROOK, TURN_SHIFT, WORDS
from sakiyomi.boards.chess.tables import FILE_A, RANK_1
from sakiyomi.boards.kernel import kernel
from sakiyomi.sgf.pgn_scan import MOVETEXT, STOP, Closing, Stop, byte_at, line_end, skip_comment

# What a byte of the movetext begins.
SKIP, MOVE, WORD, DIGIT, LETTER_O, STAR, DOLLAR, SIGN, DASH, BRACE, SEMICOLON, OPEN, CLOSE, NEWLINE, SYMBOL = (
    np.uint8(k) for k in range(15)
)
NOTHING, NO_MOVE, NULL = U(3 << 16), U(4 << 16), U(5 << 16)
"""Beside ILLEGAL and AMBIGUOUS, what stands in for a move: a word to pass over, a word that may be one, a null move."""

# Columns of what is found in a game.
MOVES, NOTES, RESULT, NAGS, VARIATIONS, FAULT, FAULT_PLACE = (U(i) for i in range(7))
FOUND_COLUMNS = 7

NONE, UNCLOSED_COMMENT, UNCLOSED_VARIATION = U(Stop.NONE), U(Stop.UNCLOSED_COMMENT), U(Stop.UNCLOSED_VARIATION)
NO_RESULT, WHITE, BLACK = U(Closing.NONE), U(Closing.WHITE), U(Closing.BLACK)
DRAW, UNKNOWN = U(Closing.DRAW), U(Closing.UNKNOWN)
_FAULTS = np.array([0, Stop.ILLEGAL, Stop.AMBIGUOUS, 0, Stop.NO_MOVE, Stop.NULL_MOVE], np.uint64)  # by move >> 16

_A, _ZERO_SIGN, _ONE_SIGN, _TWO_SIGN, _UPPER_O, _LOWER_O, _DASH_SIGN, _SLASH = (U(ord(c)) for c in "a012Oo-/")
_EQUALS, _OPENING, _CLOSING, _PERCENT, _END_BRACE, _X, _COLON = (U(ord(c)) for c in "=()%}x:")
_TIMES, _TIMES_LEAD, _TIMES_TAIL = U(0xD7), U(0xC3), U(0x97)  # a multiplication sign in Latin-1 and in UTF-8
_SYMBOL_LEAD = U(0xE2)
_DASHES_MIDDLE, _FIRST_DASH, _MINUS_MIDDLE, _MINUS_TAIL = U(0x80), U(0x90), U(0x88), U(0x92)  # U+2010 to 2015, U+2212
_WINDOWS_DASH = U(0x96)  # and 0x97
_FIGURINE_MIDDLE, _WHITE_KING, _BLACK_KING = U(0x99), U(0x94), U(0x9A)  # U+2654 in UTF-8 is E2 99 94
_TWO, _THREE, _FOUR, _SIX, _SEVEN, _EIGHT, _TWELVE, _SIXTEEN = (U(n) for n in (2, 3, 4, 6, 7, 8, 12, 16))
_SIXTY_THREE, _FLIP = U(63), U(56)


def _kinds() -> NDArray[np.uint8]:
    """[256]; bytes from 0xC0 on begin letters in Latin-1 and, but for 0xC2 and 0xE2, in UTF-8."""
    table = np.full(256, SKIP, np.uint8)
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz@_"
    for signs, kind in (
        (letters, WORD),
        (range(0xC0, 0x100), WORD),
        (b"NBRQKPabcdefghx", MOVE),
        (b"0123456789", DIGIT),
    ):
        table[list(signs)] = kind
    table[list(b"Oo")], table[list(b"!?")], table[list(b"\r\n")] = LETTER_O, SIGN, NEWLINE
    for sign, kind in zip(b"*$-{;()", (STAR, DOLLAR, DASH, BRACE, SEMICOLON, OPEN, CLOSE), strict=True):
        table[sign] = kind
    table[0xC2], table[0xE2] = SKIP, SYMBOL
    table.setflags(write=False)
    return table


def _in_word() -> NDArray[np.bool_]:
    """[256]: does the byte go on with a word?"""
    table: NDArray[np.bool_] = np.isin(_KIND, [MOVE, WORD, DIGIT, LETTER_O])
    table[0x80:] = True
    table.setflags(write=False)
    return table


def _by_letter(values: dict[str, np.uint64], other: np.uint64) -> NDArray[np.uint64]:
    """[256]"""
    table = np.full(256, other, np.uint64)
    for letter, value in values.items():
        table[ord(letter)] = value
    table.setflags(write=False)
    return table


_KIND = _kinds()
_IN_WORD = _in_word()
NO_PIECE = U(8)
_LETTERS = {"N": KNIGHT_PIECE, "B": BISHOP_PIECE, "R": ROOK_PIECE, "Q": QUEEN_PIECE, "K": KING_PIECE, "P": PAWN_PIECE}
_PIECE = _by_letter(_LETTERS, NO_PIECE)
_BECOMES = {"N": TO_KNIGHT, "B": TO_BISHOP, "R": TO_ROOK, "Q": TO_QUEEN}
_PROMOTION = _by_letter({**_BECOMES, **{letter.lower(): flag for letter, flag in _BECOMES.items()}}, ZERO)
_FIGURINES = np.array([_LETTERS[letter] for letter in "KQRBNP"], np.uint64)
_TO_PIECE = np.zeros(9, np.uint64)  # by piece, NO_PIECE the last
_TO_PIECE[[_LETTERS[letter] for letter in "NBRQ"]] = [_BECOMES[letter] for letter in "NBRQ"]
_TO_PIECE.setflags(write=False)
_NULL_SIGNS = U(ord("Z")), U(ord("@"))


@kernel
def past_word(data, i, stop):
    """The offset behind the word that goes on at i, and whether it names a square from there on."""
    names = False
    while i < stop and _IN_WORD[data[i]]:
        if U(data[i]) - _A < _EIGHT and byte_at(data, i + ONE, stop) - _ONE_SIGN < _EIGHT:
            names = True
        i += ONE
    return i, names


@kernel
def pass_word(data, i, stop):
    """What to make of a word that is no move."""
    end, names = past_word(data, i, stop)
    return end, (NO_MOVE if names else NOTHING)


@kernel
def dash(data, i, stop):
    """How many bytes the dash at i has, in ASCII, UTF-8 or windows-1252; 0 if there is none."""
    c = byte_at(data, i, stop)
    if c == _DASH_SIGN or c - _WINDOWS_DASH < _TWO:
        return ONE
    if c == _SYMBOL_LEAD:
        middle, tail = byte_at(data, i + ONE, stop), byte_at(data, i + _TWO, stop)
        if middle == _DASHES_MIDDLE:
            return _THREE if tail - _FIRST_DASH < _SIX else ZERO
        return _THREE if middle == _MINUS_MIDDLE and tail == _MINUS_TAIL else ZERO
    return ZERO


@kernel
def separator(data, i, stop):
    """How many bytes at i stand between the squares of a move: x, :, a dash or a multiplication sign."""
    c = byte_at(data, i, stop)
    if c in (_X, _COLON, _TIMES):
        return ONE
    if c == _TIMES_LEAD and byte_at(data, i + ONE, stop) == _TIMES_TAIL:
        return _TWO
    return dash(data, i, stop)


@kernel
def figurine(data, i, stop):
    """The piece that the three bytes at i draw, NO_PIECE if none."""
    tail = byte_at(data, i + _TWO, stop) - _WHITE_KING
    if byte_at(data, i, stop) != _SYMBOL_LEAD or byte_at(data, i + ONE, stop) != _FIGURINE_MIDDLE or tail >= _TWELVE:
        return NO_PIECE
    return _FIGURINES[tail if tail < _SIX else tail - _SIX]


@kernel
def promotion_sign(data, i, stop):
    """The piece that a pawn becomes, as it stands at i: how many bytes that takes, and TO_KNIGHT to TO_QUEEN or 0."""
    flag = _PROMOTION[byte_at(data, i, stop)]
    if flag != ZERO:
        return ONE, flag
    return _THREE, _TO_PIECE[figurine(data, i, stop)]


@kernel
def read_promotion(data, i, stop):
    """The promotion written behind a move's square: the offset behind it, and 0 or TO_KNIGHT to TO_QUEEN."""
    c = byte_at(data, i, stop)
    led, opened = c in (_EQUALS, _SLASH), c == _OPENING
    length, flag = promotion_sign(data, i + U(led or opened), stop)
    end = i + U(led or opened) + length
    if flag == ZERO:
        return i, ZERO
    if opened:
        closed = byte_at(data, end, stop) == _CLOSING
        return (end + ONE if closed else i), (flag if closed else ZERO)
    if led or not _IN_WORD[byte_at(data, end, stop)]:
        return end, flag
    return i, ZERO


@kernel
def read_move(data, word, i, stop, w, chess960, piece):
    """The move of the word at `word`, whose piece letter, if any, ends before i: the offset behind it and the move.

    [file][rank][x]file rank[=piece], squares at most; `piece` is NO_PIECE without a letter.
    """
    file = byte_at(data, i, stop) - _A
    i += U(file < _EIGHT)
    rank = byte_at(data, i, stop) - _ONE_SIGN
    i += U(rank < _EIGHT)
    j = i + separator(data, i, stop)
    to_file, to_rank = byte_at(data, j, stop) - _A, byte_at(data, j + ONE, stop) - _ONE_SIGN
    flip = (w[META] >> TURN_SHIFT) & ONE
    origins, whole = FULL, False
    if to_file < _EIGHT and to_rank < _EIGHT:
        i = j + _TWO
        whole = file < _EIGHT and rank < _EIGHT
        rank ^= _SEVEN * flip
        if file < _EIGHT:
            origins = FILE_A << file
        if rank < _EIGHT:
            origins &= RANK_1 << (rank << _THREE)
    elif file < _EIGHT and rank < _EIGHT:
        to_file, to_rank = file, rank
    else:
        return pass_word(data, word, stop)
    i, promotion = read_promotion(data, i, stop)
    to = ((to_rank << _THREE) | to_file) ^ (_FLIP * flip)
    if piece != NO_PIECE:
        return i, find(w, ZERO, piece, origins, to, promotion)
    if whole:
        return i, find_by_squares(w, ZERO, (rank << _THREE) | file, to, promotion, chess960)
    return i, find(w, ZERO, PAWN_PIECE, origins, to, promotion)


@kernel
def read_castling(data, word, stop, w):
    """The move of the word at `word`, which begins with O, o or 0: the offset behind it and the move."""
    signs, dashes, i = ONE, ZERO, word + ONE
    while signs <= _FOUR:
        length = dash(data, i, stop)
        c = byte_at(data, i + length, stop)
        if c != _UPPER_O and c != _LOWER_O and c != _ZERO_SIGN:
            break
        i += length + ONE
        signs += ONE
        dashes += length
    if data[word] == _ZERO_SIGN and dashes == ZERO:
        return i, (NULL if signs == _FOUR else NOTHING)
    if signs == ONE:
        return pass_word(data, word, stop)
    if signs > _THREE:
        return i, NOTHING
    return i, find_castling(w, ZERO, signs == _TWO)


@kernel
def read_result(data, i, stop):
    """A result or a number at digit i: the offset behind it and the closing result, or NO_RESULT."""
    first, sign, last = U(data[i]), byte_at(data, i + ONE, stop), byte_at(data, i + _TWO, stop)
    if sign == _DASH_SIGN and first == _ONE_SIGN and last == _ZERO_SIGN:
        return i + _THREE, WHITE
    if sign == _DASH_SIGN and first == _ZERO_SIGN and last == _ONE_SIGN:
        return i + _THREE, BLACK
    if sign == _SLASH and first == _ONE_SIGN and last == _TWO_SIGN:
        return i + _THREE, DRAW  # the other half of 1/2-1/2 says the same again
    while i < stop and _KIND[data[i]] == DIGIT:
        i += ONE
    return i, NO_RESULT


@kernel
def read_dash(data, i, stop):
    """A dash at i: the offset behind it, and NULL or NOTHING."""
    if byte_at(data, i + ONE, stop) == _DASH_SIGN:
        return i + _TWO, NULL
    return i + ONE, NOTHING


@kernel
def read_other(data, i, stop):
    """A word that cannot begin a move: the offset behind it, and NOTHING, NULL (Z0, @@@@) or NO_MOVE."""
    end, move = pass_word(data, i, stop)
    if end == i + _TWO and data[i] == _NULL_SIGNS[0] and data[i + ONE] == _ZERO_SIGN:
        return end, NULL
    if end == i + _FOUR and data[i] == _NULL_SIGNS[1] and data[end - ONE] == _NULL_SIGNS[1]:
        return end, NULL
    return end, move


@kernel
def skip_variation(data, i, stop):
    """From a "(" to behind its ")": that offset, how many variations these are, and a fault if one is not closed."""
    depth, count = ZERO, ZERO
    while i < stop:
        kind = _KIND[data[i]]
        if kind == OPEN:
            depth += ONE
            count += ONE
        elif kind == CLOSE:
            depth -= ONE
            if depth == ZERO:
                return i + ONE, count, NONE
        elif kind == BRACE:
            end, _ = skip_comment(data, i + ONE, stop)
            if data[end - ONE] != _END_BRACE:
                return stop, count, UNCLOSED_COMMENT
            i = end
            continue
        elif kind == SEMICOLON or (kind == NEWLINE and byte_at(data, i + ONE, stop) == _PERCENT):
            i = line_end(data, i + ONE, stop)
            continue
        i += ONE
    return stop, count, UNCLOSED_VARIATION


@kernel
def code_of(move, flip, chess960):
    """A legal move as UCI in real squares: from, to << 6, promotion << 12."""
    origin, to, flag = move & _SIXTY_THREE, (move >> _SIX) & _SIXTY_THREE, move >> _TWELVE
    if flag == CASTLE and not chess960:
        to = origin + _TWO if to > origin else origin - _TWO
    promotion = flag - _THREE if flag >= TO_KNIGHT else ZERO
    return (origin ^ flip) | ((to ^ flip) << _SIX) | (promotion << _TWELVE)


@kernel
def replay(data, start, stop, w, chess960, fault, actions, codes, places, m, notes, k, found):
    """Read the movetext from `start` to `stop` and play its main line on the row `w`.

    Moves go to `actions`, `codes` and `places` from index m on, comments (ply, start, stop) to `notes` from row k on;
    `found` is a row of FOUND_COLUMNS. With a `fault` no moves are read.
    """
    i, first, first_note, result, nags, variations, place = start, m, k, NO_RESULT, ZERO, ZERO, start
    while i < stop:
        kind, move, word, end = _KIND[data[i]], NOTHING, i, i + ONE
        if kind == SKIP:
            i = end
            continue
        if kind == DIGIT:
            end, closing = read_result(data, i, stop)
            if closing != NO_RESULT:
                result = closing
            elif data[i] == _ZERO_SIGN:
                end, move = read_castling(data, i, stop, w)
        elif kind == MOVE:
            piece = _PIECE[data[i]]
            end, move = read_move(data, i, i + U(piece != NO_PIECE), stop, w, chess960, piece)
        elif kind == WORD:
            end, move = read_other(data, i, stop)
        elif kind == LETTER_O:
            end, move = read_castling(data, i, stop, w)
        elif kind == DASH:
            end, move = read_dash(data, i, stop)
        elif kind == SYMBOL:
            piece = figurine(data, i, stop)
            if piece != NO_PIECE:
                end, move = read_move(data, i, i + _THREE, stop, w, chess960, piece)
        elif kind == NEWLINE:
            if byte_at(data, end, stop) == _PERCENT:
                end = line_end(data, end, stop)
        elif kind == STAR:
            result = UNKNOWN
        elif kind == OPEN:
            end, more, unclosed = skip_variation(data, i, stop)
            variations += more
            if fault == NONE and unclosed != NONE:
                fault, place = unclosed, i
        elif kind in (BRACE, SEMICOLON):
            if kind == BRACE:
                end, _ = skip_comment(data, end, stop)
                closed = data[end - ONE] == _END_BRACE
            else:
                end, closed = line_end(data, end, stop), True
            if fault == NONE:
                notes[k, 0], notes[k, 1], notes[k, 2] = m - first, i + ONE, end - U(closed and kind == BRACE)
                k += ONE
                if not closed:
                    fault, place = UNCLOSED_COMMENT, i
        elif fault == NONE:
            if kind == SIGN:
                end += U(end < stop and _KIND[data[end]] == SIGN)
                nags += ONE
            elif kind == DOLLAR:
                nags += U(byte_at(data, end, stop) - _ZERO_SIGN < _TWELVE - _TWO)
        i = end
        if move != NOTHING and fault == NONE:
            if move < ILLEGAL:
                actions[m] = action_of(move, chess960)
                codes[m] = code_of(move, _FLIP * ((w[META] >> TURN_SHIFT) & ONE), chess960)
                places[m] = word
                make(w, ZERO, ZERO, move)
                m += ONE
            else:
                fault, place = _FAULTS[move >> _SIXTEEN], word
    found[MOVES], found[NOTES], found[RESULT], found[NAGS] = m - first, k - first_note, result, nags
    found[VARIATIONS], found[FAULT], found[FAULT_PLACE] = variations, fault, place


@kernel
def replay_rows(start, stop, data, games, w, chess960, move_rooms, note_rooms, actions, codes, places, notes, found):
    """Replay games: `games` int64 [G, GAME_COLUMNS] of `pgn_scan.split`, `w` their first positions' words.

    `chess960` bool [G]. Game g writes from ``move_rooms[g]`` on into `actions` int32, `codes` uint16 and `places`
    int64, from ``note_rooms[g]`` on into `notes` int64 [*, 3], and ``found[g]`` int64 [FOUND_COLUMNS]; the fault of a
    game that must not be played stands there before.
    """
    memory = np.empty(HOT, np.uint64)
    data, games, w, row, found = borrow(data), borrow(games), borrow(w), borrow(memory), borrow(found)
    actions, codes, places, notes = borrow(actions), borrow(codes), borrow(places), borrow(notes)
    for i in range(start, stop):
        g = U(i)
        for j in range(HOT):
            row[U(j)] = w[g * WORDS + U(j)]
        first, end = U(games[g, MOVETEXT]), U(games[g, STOP])
        m, k, fault = U(move_rooms[g]), U(note_rooms[g]), U(found[g, FAULT])
        replay(data, first, end, row, chess960[g], fault, actions, codes, places, m, notes, k, found[g])
    memory[ZERO] = ZERO  # a last use, which keeps the memory until here


@kernel
def pack_rows(start, stop, rooms, firsts, actions, codes, places, packed_actions, packed_codes, packed_places):
    """Copy each game's plies from its room to their place in the packed columns, where game g begins at firsts[g]."""
    actions, codes, places = borrow(actions), borrow(codes), borrow(places)
    packed_actions, packed_codes, packed_places = borrow(packed_actions), borrow(packed_codes), borrow(packed_places)
    for g in range(start, stop):
        gap = rooms[g] - firsts[g]
        for ply in range(firsts[g], firsts[g + 1]):
            packed_actions[U(ply)] = actions[U(ply + gap)]
            packed_codes[U(ply)] = codes[U(ply + gap)]
            packed_places[U(ply)] = places[U(ply + gap)]

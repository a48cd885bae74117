"""Kernels: the byte scanner of CSA, one pass over the lines of a file: games, moves, times, comments.

Statements are lines; a line of moves may hold several, with commas between. A line ``/`` parts games. Bytes of other
charsets do no harm: in Shift_JIS and UTF-8 no second byte is a comma, a quotation mark or an end of line.
"""

from typing import Any

from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.kernel import kernel

# Columns of the table of games.
START, STOP, LINE, FIRST_MOVE, MOVES, FIRST_NOTE, NOTES, CLOSING, CLOSING_STOP, CLOSING_TIME, FAULT, BODY = (
    U(i) for i in range(12)
)
GAME_COLUMNS = 12
# Columns of the table of notes: what is no move: comments, headers and lines that are none of these.
NOTE_PLY, NOTE_START, NOTE_STOP = (U(i) for i in range(3))
NOTE_COLUMNS = 3
NO_TIME = -1

_LF, _CR, _COMMA, _SLASH, _PLUS, _MINUS, _T, _PERCENT, _ZERO, _DOT, _SPACE = (U(ord(c)) for c in "\n\r,/+-T%0. ")
_A = U(ord("A"))
_TWO, _THREE, _FIVE, _SIX, _SEVEN, _NINE, _TEN, _THOUSAND = (U(n) for n in (2, 3, 5, 6, 7, 9, 10, 1000))
_HAND = U(81)
_KIND_SHIFT, _AFTER, _SIDE_SHIFT = U(14), U(1 << 19), U(27)
_NO_REQUEST = U(0xFFFFFFFF)


@kernel
def kind_of(a: Any, b: Any) -> Any:
    """The kind of piece that two letters name, 0 for none."""
    name = (a << 8) | b
    if name == U(0x4655):
        return U(1)  # FU
    if name == U(0x4B59):
        return U(2)  # KY
    if name == U(0x4B45):
        return U(3)  # KE
    if name == U(0x4749):
        return U(4)  # GI
    if name == U(0x4B49):
        return U(5)  # KI
    if name == U(0x4B41):
        return U(6)  # KA
    if name == U(0x4849):
        return U(7)  # HI
    if name == U(0x4F55):
        return U(8)  # OU
    if name == U(0x544F):
        return U(9)  # TO
    if name == U(0x4E59):
        return U(10)  # NY
    if name == U(0x4E4B):
        return U(11)  # NK
    if name == U(0x4E47):
        return U(12)  # NG
    if name == U(0x554D):
        return U(14)  # UM
    if name == U(0x5259):
        return U(15)  # RY
    return ZERO


@kernel
def read_request(data: Any, i: Any) -> Any:
    """The seven bytes "+7776FU" at i as a request of `text_kernels`, or 0xFFFFFFFF."""
    kind = kind_of(U(data[i + _FIVE]), U(data[i + _SIX]))
    x, y = U(data[i + ONE]) - _ZERO, U(data[i + _TWO]) - _ZERO
    to_x, to_y = U(data[i + _THREE]) - _ZERO - ONE, U(data[i + _THREE + ONE]) - _ZERO - ONE
    if kind == ZERO or x > _NINE or y > _NINE or to_x >= _NINE or to_y >= _NINE or (x == ZERO) != (y == ZERO):
        return _NO_REQUEST
    if x == ZERO:
        if kind > _SEVEN:
            return _NO_REQUEST
        origin = _HAND + kind - ONE
    else:
        origin = _NINE * (x - ONE) + y - ONE
    side = ONE if data[i] == _PLUS else _TWO
    return (_NINE * to_x + to_y) | (origin << 7) | (kind << _KIND_SHIFT) | _AFTER | (side << _SIDE_SHIFT)


@kernel
def read_time(data: Any, i: Any, stop: Any) -> Any:
    """The milliseconds of "12" or "12.345" at i."""
    total = ZERO
    while i < stop and U(data[i]) - _ZERO <= _NINE:
        total = total * _TEN + U(data[i]) - _ZERO
        i += ONE
    total *= _THOUSAND
    unit = _THOUSAND // _TEN
    if i < stop and data[i] == _DOT:
        i += ONE
        while i < stop and U(data[i]) - _ZERO <= _NINE:
            total += (U(data[i]) - _ZERO) * unit
            unit //= _TEN
            i += ONE
    return total


@kernel
def statement_end(data: Any, i: Any, stop: Any) -> Any:
    """The offset of the comma, LF or CR that ends a statement, or `stop`."""
    while i < stop and data[i] != _COMMA and data[i] != _LF and data[i] != _CR:
        i += ONE
    return i


@kernel
def line_end(data: Any, i: Any, stop: Any) -> Any:
    """The offset of the LF or CR that ends a line, or `stop`."""
    while i < stop and data[i] != _LF and data[i] != _CR:
        i += ONE
    return i


@kernel
def begins_moves(data: Any, i: Any, end: Any) -> Any:
    """Is the line at i one of moves, times and closing moves?"""
    c = U(data[i])
    if c == _PERCENT:
        return True
    if i + ONE >= end:
        return False
    digit = U(data[i + ONE]) - _ZERO <= _NINE
    return digit and (c in (_PLUS, _MINUS, _T))


@kernel
def scan(
    data: Any, i: Any, line: Any, games: Any, requests: Any, times: Any, places: Any, notes: Any, counts: Any
) -> None:
    """Scan `data` from offset i on, in line `line`, up to its end or until there are len(games) games.

    Fills `games` int64 [G, GAME_COLUMNS]; `requests` uint32 [M], `times` int64 [M] in milliseconds or NO_TIME and
    `places` int64 [M] for every move; `notes` int64 [N, NOTE_COLUMNS] for every line that is no move. CLOSING is where
    the closing move is, -1 for none, FAULT where a line of moves cannot be read, -1 for none. After the closing move
    or a fault no moves are read. `counts` int64 [5] gets games, moves and notes found, and the offset and line to go
    on from.
    """
    data, games, requests, times = borrow(data), borrow(games), borrow(requests), borrow(times)
    places, notes = borrow(places), borrow(notes)
    stop, g, m, n = U(len(data)), ZERO, ZERO, ZERO
    while i < stop and g < U(len(games)):
        game = games[g]
        game[START], game[LINE], game[FIRST_MOVE], game[FIRST_NOTE], game[STOP] = i, line, m, n, stop
        game[CLOSING], game[CLOSING_STOP], game[CLOSING_TIME], game[FAULT], game[BODY] = -1, -1, NO_TIME, -1, -1
        first, first_note, open_game = m, n, True
        while i < stop and open_game:
            end = line_end(data, i, stop)
            if end == i:
                pass
            elif data[i] == _SLASH and end == i + ONE:
                game[STOP], open_game = i, False
            elif not begins_moves(data, i, end):
                notes[n, NOTE_PLY], notes[n, NOTE_START], notes[n, NOTE_STOP] = m - first, i, end
                n += ONE
            elif game[FAULT] < 0:
                game[BODY] = i if game[BODY] < 0 else game[BODY]
                while i < end and game[FAULT] < 0:
                    after = statement_end(data, i, end)
                    last = after
                    while last > i and data[last - ONE] <= _SPACE:
                        last -= ONE
                    if last == i:
                        pass
                    elif data[i] == _T:
                        spent = read_time(data, i + ONE, last)
                        if game[CLOSING] >= 0:
                            game[CLOSING_TIME] = spent
                        elif m > first:
                            times[m - ONE] = spent
                    elif game[CLOSING] >= 0:
                        pass
                    elif data[i] == _PERCENT:
                        game[CLOSING], game[CLOSING_STOP] = i, last
                    else:
                        request = read_request(data, i) if last - i == _SEVEN else _NO_REQUEST
                        if request == _NO_REQUEST:
                            game[FAULT] = i
                        else:
                            requests[m], times[m], places[m] = request, NO_TIME, i
                            m += ONE
                    i = after + ONE
            i = end
            if i < stop:
                i += _TWO if data[i] == _CR and i + ONE < stop and data[i + ONE] == _LF else ONE
                line += ONE
        game[MOVES], game[NOTES] = m - first, n - first_note
        g += ONE
    counts[0], counts[1], counts[2], counts[3], counts[4] = g, m, n, i, line

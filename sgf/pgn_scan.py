"""The byte scanner of PGN: where games, tag pairs and movetexts begin and end, in one pass.

A game begins with its first tag pair or, outside a game, with anything but white space, a line of `%` or a `;` comment.
It ends

- before a line that begins with a tag pair, once there was movetext, or the tag's name was there before and a blank
  line between, or two blank lines;
- with a blank line outside comments, once there was movetext other than comments;
- with the text.

Bytes up to 32 are white space; lines end with LF, CR LF or CR; `%` in a line's first column hides that line.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.kernel import kernel


class Stop(IntEnum):
    """Why a main line stops where it does, other than by its own end."""

    NONE = 0
    ILLEGAL = 1  # no legal move fits
    AMBIGUOUS = 2  # several legal moves fit
    NO_MOVE = 3  # a word that names a square but is no move: letters of another language, drops
    NULL_MOVE = 4  # -- or Z0, or 0000, or @@@@
    BAD_POSITION = 5  # the FEN tag: no moves are read
    VARIANT = 6  # another variant than chess and Chess960: no moves are read
    UNCLOSED_COMMENT = 7  # all moves before it are read; the game ends with the text
    UNCLOSED_VARIATION = 8  # all moves are read


class Closing(IntEnum):
    """The closing result of a movetext."""

    NONE = 0
    WHITE = 1  # 1-0
    BLACK = 2  # 0-1
    DRAW = 3  # 1/2-1/2
    UNKNOWN = 4  # *


# Columns of the table of games; -1 for a tag that is not there.
START, MOVETEXT, STOP, LINE, FIRST_TAG, BYTES, COMMENTS, FEN_TAG, VARIANT_TAG = (U(i) for i in range(9))
GAME_COLUMNS = 9
NO_TAG = -1

_TAB, _LF, _CR, _SPACE = 9, 10, 13, 32
_OPENING, _CLOSING, _QUOTE, _BACKSLASH, _PERCENT, _SEMICOLON, _BRACE, _END_BRACE = (ord(c) for c in '[]"\\%;{}')
_ZERO_SIGN, _NINE_SIGN = 48, 57
_BOM = 0xEF, 0xBB, 0xBF
_FEN_NAME, _VARIANT_NAME = (U(int.from_bytes(name, "big")) for name in (b"FEN", b"Variant"))
_TWO, _EIGHT = U(2), U(8)
_NAMES_SOUGHT = U(64)  # tags of a game that a new one is compared with, so that the time stays linear

PLAIN, BLANK, NEWLINE, COMMENT, LINE_COMMENT = (np.uint8(k) for k in range(5))


def _kinds() -> NDArray[np.uint8]:
    """[256]: what a byte is to one who only looks for the end of a movetext."""
    table = np.full(256, PLAIN, np.uint8)
    table[: _SPACE + 1] = BLANK
    table[[_LF, _CR]] = NEWLINE
    table[_BRACE], table[_SEMICOLON] = COMMENT, LINE_COMMENT
    table.setflags(write=False)
    return table


def _name_bytes() -> NDArray[np.bool_]:
    """[256]: may the byte stand in a tag's name?"""
    table = np.zeros(256, np.bool_)
    table[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+#=:-")] = True
    table.setflags(write=False)
    return table


_KIND = _kinds()
_IN_NAME = _name_bytes()


@kernel
def byte_at(data, i, stop):
    """The byte at i, 0 from `stop` on."""
    return U(data[i]) if i < stop else ZERO


@kernel
def line_end(data, i, stop):
    """The offset of the next LF or CR from i on, or `stop`."""
    while i < stop and data[i] != _LF and data[i] != _CR:
        i += ONE
    return i


@kernel
def past_newline(data, i, stop):
    """The offset behind the LF, CR or CR LF at i."""
    if data[i] == _CR and byte_at(data, i + ONE, stop) == _LF:
        return i + _TWO
    return i + ONE


@kernel
def skip_blanks(data, i, stop):
    """The offset of the first byte from i on that is no white space, or ends the line."""
    while i < stop and _KIND[data[i]] == BLANK:
        i += ONE
    return i


@kernel
def skip_comment(data, i, stop):
    """From behind a "{" to behind its "}", or to `stop`: that offset, and how many lines end in between."""
    lines = ZERO
    while i < stop and data[i] != _END_BRACE:
        if data[i] == _LF or (data[i] == _CR and byte_at(data, i + ONE, stop) != _LF):
            lines += ONE
        i += ONE
    return (i + ONE if i < stop else i), lines


@kernel
def name_end(data, i, stop):
    """The offset behind the tag name at i, i itself if there is none."""
    while i < stop and _IN_NAME[data[i]]:
        i += ONE
    return i


@kernel
def quote_after(data, i, stop):
    """The offset of the quotation mark that follows the name that ends at i, after white space; `stop` if none does."""
    while i < stop and data[i] <= _SPACE:
        i += ONE
    return i if i < stop and data[i] == _QUOTE else stop


@kernel
def tag_follows(data, i, stop):
    """Is there a tag pair's "[", name and quotation mark at i?"""
    if byte_at(data, i, stop) != _OPENING:
        return False
    name = skip_blanks(data, i + ONE, stop)
    end = name_end(data, name, stop)
    return end > name and quote_after(data, end, stop) < stop


@kernel
def value_end(data, i, stop):
    r"""The offset of the quotation mark that closes the value from i on, and that behind the "]".

    A mark closes if "]" follows it; ``\"`` and a mark without "]" are part of the value. If only ``\"]`` could close
    it before the line ends, that does. Both are `stop` if nothing closes it.
    """
    spare, spare_end = stop, stop
    while i < stop and _KIND[data[i]] != NEWLINE:
        escaped = data[i] == _BACKSLASH and (
            byte_at(data, i + ONE, stop) == _QUOTE or byte_at(data, i + ONE, stop) == _BACKSLASH
        )
        if escaped:
            i += ONE
        if data[i] == _QUOTE:
            bracket = skip_blanks(data, i + ONE, stop)
            if byte_at(data, bracket, stop) == _CLOSING:
                if not escaped:
                    return i, bracket + ONE
                spare, spare_end = i, bracket + ONE
        i += ONE
    return spare, spare_end


@kernel
def short_name(data, start, stop):
    """A name of up to 8 bytes as a big-endian word, 0 for a longer one."""
    word = ZERO
    if stop - start <= _EIGHT:
        for i in range(start, stop):
            word = (word << _EIGHT) | U(data[U(i)])
    return word


@kernel
def same_name(data, a, a_stop, b, b_stop):
    """Do the two ranges hold the same bytes?"""
    if a_stop - a != b_stop - b:
        return False
    while a < a_stop and data[a] == data[b]:
        a += ONE
        b += ONE
    return a == a_stop


@kernel
def name_is_new(data, i, stop, tags, first, t):
    """Is the name of the tag pair at i none of those in rows `first` to t - 1 of `tags` (of the first 64)?"""
    name = skip_blanks(data, i + ONE, stop)
    end = name_end(data, name, stop)
    for row in range(first, min(t, first + _NAMES_SOUGHT)):
        if same_name(data, name, end, U(tags[U(row), ZERO]), U(tags[U(row), ONE])):
            return False
    return True


@kernel
def read_tag(data, i, stop, tags, t):
    """Enter the tag pair at i as row t of `tags`: the offset behind it, and whether it is one.

    If not, the offset is the end of the line, but behind i.
    """
    name = skip_blanks(data, i + ONE, stop)
    end = name_end(data, name, stop)
    quote = quote_after(data, end, stop)
    if end > name and quote < stop:
        mark, after = value_end(data, quote + ONE, stop)
        if mark < stop:
            tags[t, 0], tags[t, 1], tags[t, 2], tags[t, 3] = name, end, quote + ONE, mark
            return after, True
    return line_end(data, i + ONE, stop), False


@kernel
def is_debris(data, i, stop):
    """Is the rest of the line, from i on, what a broken tag pair leaves: does it end with "]", and is no movetext?"""
    end = line_end(data, i, stop)
    while end > i and data[end - ONE] <= _SPACE:
        end -= ONE
    return data[end - ONE] == _CLOSING and data[i] != _BRACE and not _ZERO_SIGN <= data[i] <= _NINE_SIGN


@kernel
def outside(data, i, stop, line):
    """From between two games to the first byte of the next: its offset, or `stop`, and the line."""
    while i < stop:
        c = data[i]
        if c in (_LF, _CR):
            i = past_newline(data, i, stop)
            line += ONE
        elif c in (_SEMICOLON, _PERCENT):
            i = line_end(data, i, stop)
        elif c == _BOM[0] and byte_at(data, i + ONE, stop) == _BOM[1] and byte_at(data, i + _TWO, stop) == _BOM[2]:
            i += _TWO + ONE
        elif c <= _SPACE:
            i += ONE
        else:
            break
    return i, line


@kernel
def read_tags(data, i, stop, line, game, tags, t):
    """Read the tag section at i into `tags` from row t on, and into `game` where FEN and Variant stand.

    Comments that follow the last tag are counted.

    Returns the offset and the line where it stopped, the next free row, and whether the next game begins there. It
    stops too when the table is full.
    """
    first, blank_lines = t, ZERO  # line ends since the last tag, its own too
    game[MOVETEXT] = i
    while i < stop and t < U(len(tags)):
        c = data[i]
        if c in (_LF, _CR):
            i = past_newline(data, i, stop)
            line += ONE
            blank_lines += ONE
            if byte_at(data, i, stop) == _PERCENT:
                i = line_end(data, i, stop)
                blank_lines = ZERO
        elif c <= _SPACE:
            i += ONE
        elif c == _SEMICOLON:
            i = line_end(data, i, stop)
            blank_lines = ZERO
            game[COMMENTS] += 1
        elif c == _OPENING:
            gap = blank_lines if t > first and tag_follows(data, i, stop) else ZERO
            if gap > _TWO or (gap == _TWO and not name_is_new(data, i, stop, tags, first, t)):
                return i, line, t, True
            i, ok = read_tag(data, i, stop, tags, t)
            game[MOVETEXT], game[COMMENTS] = i, 0
            blank_lines = ZERO
            if ok:
                name = short_name(data, U(tags[t, 0]), U(tags[t, 1]))
                if name == _FEN_NAME:
                    game[FEN_TAG] = t
                elif name == _VARIANT_NAME:
                    game[VARIANT_TAG] = t
                for j in range(tags[t, 1], tags[t, 2]):  # white space between name and value may hold a line's end
                    line += U(data[U(j)] == _LF or (data[U(j)] == _CR and data[U(j + 1)] != _LF))
                t += ONE
        elif t > first and blank_lines <= ONE and is_debris(data, i, stop):
            i = line_end(data, i, stop)
            game[MOVETEXT], game[COMMENTS] = i, 0
        else:
            break
    return i, line, t, False


@kernel
def skip_movetext(data, i, stop, line, game):
    """From the first byte of a movetext to where its game ends: that offset and line; comments are counted."""
    begun, comments, hidden = False, ZERO, ZERO
    while i < stop:
        kind = _KIND[data[i]]
        if kind == PLAIN:
            begun = True
            i += ONE
        elif kind == BLANK:
            i += ONE
        elif kind == NEWLINE:
            i = past_newline(data, i, stop)
            line += ONE
            if byte_at(data, i, stop) == _PERCENT:
                i = line_end(data, i, stop)
                continue
            i = skip_blanks(data, i, stop)
            if tag_follows(data, i, stop) or (begun and i < stop and _KIND[data[i]] == NEWLINE):
                break
        elif kind == COMMENT:
            end, lines = skip_comment(data, i + ONE, stop)
            comments += ONE
            line += lines
            hidden += end - i - ONE  # one byte is left, as a comment may be all that parts two moves
            i = end
        else:
            comments += ONE
            i = line_end(data, i, stop)
    game[COMMENTS] += comments
    game[BYTES] = hidden
    return i, line


@kernel
def split(data, i, line, games, tags, counts):
    """Find the games of `data` from offset i on, which is outside a game, in line `line`.

    Fills `games` int64 [G, GAME_COLUMNS] from row 0 and `tags` int64 [T, 4] (name and value, start and stop).
    `counts` int64 [4] gets the games and tags found, and the offset and line of the first game for which a table had
    no room left, or the length of `data`. BYTES is an upper bound of the bytes that moves may take.
    """
    data, games, tags = borrow(data), borrow(games), borrow(tags)
    stop, g, t = U(len(data)), ZERO, ZERO
    i, line = outside(data, i, stop, line)
    while i < stop and g < U(len(games)):
        game = games[g]
        game[START], game[LINE], game[FIRST_TAG], game[FEN_TAG], game[VARIANT_TAG] = i, line, t, NO_TAG, NO_TAG
        game[COMMENTS], game[BYTES] = 0, 0
        start, start_line = i, line
        i, line, after, next_follows = read_tags(data, i, stop, line, game, tags, t)
        if after == U(len(tags)):
            i, line = start, start_line
            break
        t = after
        if not next_follows:
            i, line = skip_movetext(data, i, stop, line, game)
        end = i
        while end > U(game[MOVETEXT]) and data[end - ONE] <= _SPACE:
            end -= ONE
        game[STOP] = end
        game[BYTES] = end - U(game[MOVETEXT]) - min(U(game[BYTES]), end - U(game[MOVETEXT]))
        g += ONE
        i, line = outside(data, i, stop, line)
    counts[0], counts[1], counts[2], counts[3] = g, t, i, line

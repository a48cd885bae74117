"""The byte scanner: SGF in UTF-8 to flat columns of games, nodes, properties and values, in one pass without recursion.

Columns (row i of each table; byte offsets count from the start of the scanned text):

    games   [first node, offset of its "(", offset after its ")"]
    nodes   [parent node or -1, offset, first property]         in the order of the file, so that the first child of
                                                                node i, if it has one, is node i + 1
    props   [offset of the name, offset after it, first value]  codes[i]: the name's first 8 letters, packed (`pack`)
    values  [offset after "[", offset of "]"]                   still escaped
    faults  [number in SCAN_FAULTS, offset, game]

nodes and props carry one row more, which closes the last one's range.
"""

import numpy as np

from sakiyomi.boards.kernel import kernel
from sakiyomi.sgf.faults import Fault

U = np.uint64
BYTE = U(8)
NO_CODE = U(0)

SCAN_FAULTS = (
    Fault.JUNK_OUTSIDE,
    Fault.JUNK_INSIDE,
    Fault.NO_OPENING,
    Fault.NO_SEMICOLON,
    Fault.EXTRA_CLOSING,
    Fault.UNCLOSED_GAME,
    Fault.UNCLOSED_VALUE,
    Fault.UNESCAPED_BRACKET,
    Fault.BARE_VALUE,
    Fault.LOWER_CASE_IDENT,
    Fault.DUPLICATE_PROPERTY,
)
JUNK_OUTSIDE, JUNK_INSIDE, NO_OPENING, NO_SEMICOLON, EXTRA_CLOSING, UNCLOSED_GAME = (1 << k for k in range(6))
UNCLOSED_VALUE, UNESCAPED_BRACKET, BARE_VALUE, LOWER_CASE_IDENT, DUPLICATE_PROPERTY = (1 << k for k in range(6, 11))
# Numba compiles a callee once more for each literal number that it is called with: kernels here are called with
# variables only, and faults are gathered as bits.


def pack(ident: str) -> np.uint64:
    """The code of a property name: its first 8 letters as one big-endian word."""
    return U(int.from_bytes(ident.encode("ascii")[:8], "big"))


B, W, AB, AW, AE, PL, KO, C = (pack(ident) for ident in ("B", "W", "AB", "AW", "AE", "PL", "KO", "C"))
_FREE = ("C", "GC", "GN", "N", "PB", "PW", "EV", "PC", "RO", "SO", "US", "AN", "CP", "ON", "OT", "RU", "BT", "WT")
FREE_TEXTS = np.array([pack(ident) for ident in _FREE], np.uint64)
"""Properties in which people write freely, so that a "]" may lack its backslash."""

_OPEN, _CLOSE, _SEMICOLON, _BRACKET, _END, _ESCAPE = (ord(c) for c in "();[]\\")
_SPACE, _A, _Z, _LOWER_A, _LOWER_Z, _0, _9 = 32, 65, 90, 97, 122, 48, 57
_DUPLICATES_SOUGHT = 32  # properties of a node that a new one is compared with: real nodes have fewer


@kernel
def skip_space(data, i):
    """The offset of the first byte from `i` on that is no space or control byte."""
    while i < len(data) and data[i] <= _SPACE:
        i += 1
    return i


@kernel
def is_upper(c):
    """Is the byte one of A-Z?"""
    return _A <= c <= _Z


@kernel
def is_lower(c):
    """Is the byte one of a-z?"""
    return _LOWER_A <= c <= _LOWER_Z


@kernel
def skip_name(data, i):
    """The offset after the letters and digits from `i` on."""
    while i < len(data) and (is_upper(data[i]) or is_lower(data[i]) or _0 <= data[i] <= _9):
        i += 1
    return i


@kernel
def name_code(data, start, stop):
    """The code of the name in that range, and whether it is all in small letters.

    FF[1] to FF[3] let small letters stand among the capitals that count: GaMe is GM.
    """
    all_lower = True
    for i in range(start, stop):
        if is_upper(data[i]):
            all_lower = False
    code, letters = NO_CODE, 0
    for i in range(start, stop):
        c = U(data[i])
        if is_lower(data[i]):
            if not all_lower:
                continue
            c -= BYTE << U(2)
        if letters < 8:
            code = (code << BYTE) | c
            letters += 1
    return code, all_lower


@kernel
def property_follows(data, i):
    """Does a name and its "[" come next, after spaces?"""
    i = skip_space(data, i)
    if i >= len(data) or not (is_upper(data[i]) or is_lower(data[i])):
        return False
    i = skip_space(data, skip_name(data, i))
    return i < len(data) and data[i] == _BRACKET


@kernel
def tree_follows(data, i):
    """Does what a game begins with, after its "(", come next: a ";", or a property where that is missing?"""
    i = skip_space(data, i)
    return i < len(data) and (data[i] == _SEMICOLON or property_follows(data, i))


@kernel
def is_text(code):
    """Is the property one of `FREE_TEXTS`?"""
    found = False
    for i in range(len(FREE_TEXTS)):
        found |= FREE_TEXTS[i] == code
    return found


@kernel
def closes_text(data, i, lower_names):
    """Does the "]" before offset `i` end a text, judged by what comes next?

    It does if what may follow a value does: another value, a node, a variation, the end, or a property name and its
    "["; or if a node with a property begins before the next "]", so that skipping to that would swallow moves.
    """
    i = skip_space(data, i)
    if i >= len(data):
        return True
    if data[i] in (_BRACKET, _SEMICOLON, _OPEN, _CLOSE):
        return True
    stop = skip_name(data, i)
    capitals = 0
    while i + capitals < stop and is_upper(data[i + capitals]):
        capitals += 1
    if stop > i and stop < len(data) and data[stop] == _BRACKET and (capitals > 0 or lower_names):
        return True
    after = skip_space(data, stop)
    if i + capitals == stop and capitals > 1 and after < len(data) and data[after] == _BRACKET:
        return True
    i = stop
    while i < len(data) and data[i] != _END:
        if data[i] == _SEMICOLON and property_follows(data, i + 1):
            return True
        i += 1
    return False


@kernel
def note(faults, counts, met, offset, game):
    """Add a row to `faults` for each bit of `met`, while there is room."""
    for kind in range(len(SCAN_FAULTS)):
        if (met >> kind) & 1 == 0:
            continue
        if counts[4] < len(faults):
            faults[counts[4], 0] = kind
            faults[counts[4], 1] = offset
            faults[counts[4], 2] = game
        counts[4] += 1


@kernel
def scan_value(data, i, free, lower_names):
    """Where the value whose "[" is just before `i` ends: the offset of its "]", len(data) if it has none.

    Also how many "]" without a backslash it has inside, which only a `free` text may.
    """
    loose = 0
    while i < len(data):
        c = data[i]
        if c == _ESCAPE:
            i += 2
        elif c == _END:
            if not free or closes_text(data, i + 1, lower_names):
                return i, loose
            loose += 1
            i += 1
        else:
            i += 1
    return len(data), loose


@kernel
def begins_game(data, i, c, n_games):
    """How a game begins at `i`, outside any game: 1 with "(", 2 with the first node of a file that lacks it, 0 not."""
    if c == _OPEN and tree_follows(data, i + 1):
        return 1
    if c == _SEMICOLON and n_games == 0 and property_follows(data, i + 1):
        return 2
    return 0


@kernel
def enter_name(data, start, stop, nodes, n_nodes, props, codes, n_props, n_values, lower_names):
    """Enter the property whose name stands in that range; returns the faults met, and if it is in small letters."""
    met = 0
    code, all_lower = name_code(data, start, stop)
    if all_lower and not lower_names:
        met |= LOWER_CASE_IDENT
    for other in range(max(nodes[n_nodes - 1, 2], n_props - _DUPLICATES_SOUGHT), n_props):
        if codes[other] == code:
            met |= DUPLICATE_PROPERTY
    props[n_props, 0] = start
    props[n_props, 1] = stop
    props[n_props, 2] = n_values
    codes[n_props] = code
    return met, all_lower


@kernel
def scan(data, games, nodes, props, codes, values, stack, faults, counts):
    """Fill the columns from `data` (uint8 [n]).

    `counts`, all 0 before, gets the numbers of games, nodes, props, values and faults. The tables must have room: games
    and stack for two more than the "(" in data, nodes for as many as ";" "(" ")" and two, props and values for as many
    as "[" and two.
    """
    n, i, n_games, n_nodes, n_props, n_values = len(data), counts[0], counts[0], counts[1], counts[2], counts[3]
    depth, current, prop = counts[0], counts[0], counts[0]  # "(" that are open; the node, the property being read
    node_due, noted, lower_names = n < 0, n < 0, n < 0
    while i < n:
        c, at, met = data[i], i, 0
        if c <= _SPACE:
            i += 1
        elif depth == 0:
            begins = begins_game(data, i, c, n_games)
            if begins > 0:
                games[n_games, 0] = n_nodes
                games[n_games, 1] = i
                n_games += 1
                depth, current, prop, node_due, noted, lower_names = 1, -1, -1, True, False, False
            elif c == _CLOSE and n_games > 0:
                met = EXTRA_CLOSING
            elif not noted:
                met, noted = JUNK_OUTSIDE, True
            if begins == 2:
                met = NO_OPENING
            else:
                i += 1
        elif c == _SEMICOLON or (node_due and property_follows(data, i)):
            nodes[n_nodes, 0] = current
            nodes[n_nodes, 1] = i
            nodes[n_nodes, 2] = n_props
            current, prop, node_due, noted = n_nodes, -1, False, False
            n_nodes += 1
            if c == _SEMICOLON:
                i += 1
            else:
                met = NO_SEMICOLON
        elif c == _OPEN:
            stack[depth] = current
            depth += 1
            prop, node_due = -1, True
            i += 1
        elif c == _CLOSE:
            depth -= 1
            current = stack[depth]
            prop, node_due, noted = -1, True, False
            i += 1
            games[n_games - 1, 2] = i
        elif c == _BRACKET:
            free = prop >= 0 and is_text(codes[prop])
            i, loose = scan_value(data, i + 1, free, lower_names)
            if loose > 0:
                met |= UNESCAPED_BRACKET
            if i >= n:
                met |= UNCLOSED_VALUE
            if prop < 0:
                met |= BARE_VALUE
            elif i < n or free:
                values[n_values, 0] = at + 1
                values[n_values, 1] = i
                n_values += 1
            i += 1
        else:
            i = max(skip_name(data, at), at + 1)
            if not node_due and property_follows(data, at):
                met, lower = enter_name(data, at, i, nodes, n_nodes, props, codes, n_props, n_values, lower_names)
                lower_names = lower_names or lower
                prop = n_props
                n_props += 1
                noted = False
            elif not noted:
                met, noted, prop = JUNK_INSIDE, True, -1
        if met > 0:
            note(faults, counts, met, at, n_games)
    if depth > 0:
        met |= UNCLOSED_GAME
        note(faults, counts, met & UNCLOSED_GAME, n, n_games)
        games[n_games - 1, 2] = n
    games[n_games, 0] = n_nodes
    nodes[n_nodes, 2] = n_props
    props[n_props, 2] = n_values
    counts[0], counts[1], counts[2], counts[3] = n_games, n_nodes, n_props, n_values


@kernel
def main_line_end(nodes, first, stop):
    """The node after the main line of a tree in nodes `first` to `stop` - 1; a first child follows its parent."""
    i = first + 1
    while i < stop and nodes[i, 0] == i - 1:
        i += 1
    return i

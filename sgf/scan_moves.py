"""The second scanner: the main line of a Go game, from the columns of `scan` to actions and marks."""

import numpy as np

from sakiyomi.boards.kernel import kernel
from sakiyomi.sgf.scan import AB, AE, AW, KO, PL, B, C, W

# What `scan_moves` has met, bit by bit; the common game has none of them and needs no second look.
ODD_MOVE, SECOND_VALUE, SAME_NODE, SAME_COLOUR, SETUP_BESIDE = 1, 2, 4, 8, 16
ODD = -1
"""The action of a move that is not plainly written."""
_PASS_LETTER = 19  # "tt" is a pass on boards up to 19x19


@kernel
def letter(c):
    """The column or row of a point letter: a-z 0 to 25, A-Z 26 to 51; 99 for any other byte."""
    if 97 <= c <= 122:
        return np.int64(c) - 97
    if 65 <= c <= 90:
        return np.int64(c) - 39
    return 99


@kernel
def action_of(data, start, stop, width, height):
    """The action that a move's value names, or -1 if it is not plainly written."""
    if start == stop:
        return width * height
    if stop - start != 2:
        return ODD
    x, y = letter(data[start]), letter(data[start + 1])
    if x == _PASS_LETTER and y == _PASS_LETTER and max(width, height) <= 19:
        return width * height
    return y * width + x if x < width and y < height else ODD


@kernel
def scan_moves(data, nodes, props, codes, values, first, stop, width, height, moves, marks, counts):
    """Read nodes `first` to `stop` - 1.

    moves  [action or -1, colour (0 black, 1 white), node, value]   in the order of the file
    marks  [property, moves before it]                              AB, AW, AE, PL, KO, C; for C and KO the moves up to
                                                                    the end of their node
    counts [moves, marks, flags]
    """
    n_moves, n_marks, flags = 0, 0, 0
    for node in range(first, stop):
        moves_before, marks_before, stones = n_moves, n_marks, False
        for prop in range(nodes[node, 2], nodes[node + 1, 2]):
            code, value = codes[prop], props[prop, 2]
            if code in (B, W):
                n_values = props[prop + 1, 2] - value
                if n_values == 0:
                    continue
                colour = 0 if code == B else 1
                action = action_of(data, values[value, 0], values[value, 1], width, height)
                if action == ODD:
                    flags |= ODD_MOVE
                if n_values > 1:
                    flags |= SECOND_VALUE
                if n_moves > moves_before:
                    flags |= SAME_NODE
                if n_moves > 0 and moves[n_moves - 1, 1] == colour:
                    flags |= SAME_COLOUR
                moves[n_moves, 0] = action
                moves[n_moves, 1] = colour
                moves[n_moves, 2] = node
                moves[n_moves, 3] = value
                n_moves += 1
            elif code in (AB, AW, AE, PL, KO, C):
                marks[n_marks, 0] = prop
                marks[n_marks, 1] = n_moves
                n_marks += 1
                if code != C and code != KO:
                    stones = True
        if stones and n_moves > moves_before:
            flags |= SETUP_BESIDE
        for mark in range(marks_before, n_marks):
            code = codes[marks[mark, 0]]
            if code in (C, KO):
                marks[mark, 1] = n_moves
    counts[0], counts[1], counts[2] = n_moves, n_marks, flags

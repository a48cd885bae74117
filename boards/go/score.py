"""Area and territory, counted on flat boards of colours ([area] of 0 empty, 1 black, 2 white, row by row)."""

import numpy as np

from sakiyomi.boards.kernel import kernel

NOBODY, BLACKS, WHITES, NEUTRAL = 0, 1, 2, 3  # whose an empty region is, by the colours that it touches


@kernel
def regions(colours, width, height, owner):
    """Fill `owner` [area] for empty points with the colours that their region touches: 0, 1, 2 or 3 (both).

    Stones get their own colour.
    """
    area = width * height
    queue = np.empty(area, np.int32)
    seen = np.zeros(area, np.bool_)
    for start in range(area):
        if colours[start] != 0:
            owner[start] = colours[start]
            continue
        if seen[start]:
            continue
        seen[start] = True
        queue[0] = start
        size = 1
        touched = 0
        at = 0
        while at < size:
            a = queue[at]
            at += 1
            x = a % width
            for d in range(4):
                if d == 0:
                    if x == 0:
                        continue
                    n = a - 1
                elif d == 1:
                    if x == width - 1:
                        continue
                    n = a + 1
                elif d == 2:
                    n = a - width
                    if n < 0:
                        continue
                else:
                    n = a + width
                    if n >= area:
                        continue
                if colours[n] != 0:
                    touched |= colours[n]
                elif not seen[n]:
                    seen[n] = True
                    queue[size] = n
                    size += 1
        for i in range(size):
            owner[queue[i]] = touched


@kernel
def area_rows(start, stop, boards, width, height, margins):
    """Black's area less White's for rows start..stop of `boards` [B, area]: stones and the points that only they reach.

    Tromp-Taylor rules 9 and 10: an empty point counts for a colour if only that colour is reached from it.
    """
    owner = np.empty(width * height, np.int8)
    for i in range(start, stop):
        regions(boards[i], width, height, owner)
        margin = 0
        for a in range(width * height):
            margin += int(owner[a] == 1) - int(owner[a] == 2)
        margins[i] = margin


@kernel
def territory_rows(start, stop, boards, dead, seki, width, height, margins):
    """Black's territory less White's, dead stones counted: rows start..stop of `boards` [B, area].

    `dead` [B, area] marks stones to take off the board: each gives its point and one prisoner. A region that touches
    stones marked in `seki` is nobody's (Japanese rules 1989, article 8). Prisoners of the game are not in it.
    """
    area = width * height
    cleared = np.empty(area, np.uint8)
    owner = np.empty(area, np.int8)
    for i in range(start, stop):
        margin = 0
        for a in range(area):
            cleared[a] = boards[i, a]
            if dead[i, a] and boards[i, a] != 0:
                cleared[a] = 0
                margin += 1 if boards[i, a] == 2 else -1
        regions(cleared, width, height, owner)
        spoilt = spoilt_by_seki(cleared, seki[i], owner, width, height)
        for a in range(area):
            if cleared[a] == 0 and not spoilt[a]:
                margin += int(owner[a] == 1) - int(owner[a] == 2)
        margins[i] = margin


@kernel
def spoilt_by_seki(colours, seki, owner, width, height):
    """[area], True at empty points whose region touches a stone marked in `seki`."""
    area = width * height
    spoilt = np.zeros(area, np.bool_)
    changed = True
    while changed:  # spreads through each region; boards are small and sekis rare
        changed = False
        for a in range(area):
            if colours[a] != 0 or spoilt[a]:
                continue
            x = a % width
            for d in range(4):
                n = a + (-1 if d == 0 else 1 if d == 1 else -width if d == 2 else width)
                if n < 0 or n >= area or (d == 0 and x == 0) or (d == 1 and x == width - 1):
                    continue
                if (colours[n] != 0 and seki[n]) or (colours[n] == 0 and spoilt[n]):
                    spoilt[a] = True
                    changed = True
                    break
    return spoilt

"""AlphaGo Zero's 17 observation planes (Silver et al., Nature 550, 2017, Methods, "Neural network architecture").

Planes 0, 2, ... 14 hold the stones of the player to move now, 0 to 7 plies ago; planes 1, 3, ... 15 the opponent's;
plane 16 is all 1 if Black is to move. Before the start of the game all is 0.
"""

from sakiyomi.boards.go.state import PLY, RECENT, TURN, U
from sakiyomi.boards.kernel import kernel

PLANES = 2 * RECENT + 1


@kernel
def observe_rows(start, stop, w, b8, bytes_per_row, recent, area, out):
    """Fill ``out`` [B, 17, area], 0 or 1, for rows start..stop."""
    for i in range(start, stop):
        row = U(i) * bytes_per_row
        ply = int(w[(row >> U(1)) + PLY])
        own = 1 + int(w[(row >> U(1)) + TURN])
        for t in range(RECENT):
            if ply - t < 0:
                out[i, 2 * t : 2 * t + 2] = 0
                continue
            board = row + recent + U((ply - t) % RECENT) * U(area)
            for a in range(area):
                stone = b8[board + U(a)]
                out[i, 2 * t, a] = stone == own
                out[i, 2 * t + 1, a] = stone == 3 - own
        out[i, 2 * RECENT] = own == 1

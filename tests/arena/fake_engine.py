"""A GTP engine of trivial play that misbehaves as told: ``fake_engine.py MODE [--at N] [--log FILE] [--without WORD]``.

MODE is one of MODES; the misbehaviour comes with the N-th genmove (2 by default) of the process. What it is sent is
written to FILE; WORD is a command that it shall not know; --refuse POINT is a move that it calls illegal.
"""

import argparse
import os
import signal
import subprocess
import sys
import time

LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def raw(data: bytes) -> None:
    os.write(1, data)


def forever(do=lambda: time.sleep(60)) -> None:
    while True:
        do()


def crash() -> None:
    sys.exit("fatal: out of ideas")  # on standard error, with exit code 1


def segfault() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def close_output() -> None:
    os.close(1)
    forever()


def orphan() -> None:
    """Leave a child behind that holds the pipes open, and die."""
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    os._exit(4)


AT_GENMOVE = {
    "crash": crash,
    "segfault": segfault,
    "exit": lambda: sys.exit(0),
    "hang": forever,
    "orphan": orphan,
    "illegal": lambda: say(f"={ID} {PLAYED[0] if PLAYED else 'A1'}\n\n"),
    "off-board": lambda: say(f"={ID} Z25\n\n"),
    "nonsense": lambda: say(f"={ID} I had rather not\n\n"),
    "empty": lambda: say(f"={ID}\n\n"),
    "rubbish": lambda: say("Segmentation violation (core dumped)\n\n"),
    "wrong-id": lambda: say("=4711 D4\n\n"),
    "refuse": lambda: say(f"?{ID} no licence for this position\n\n"),
    "half": lambda: (say(f"={ID} D4\n"), forever()),
    "flood": lambda: forever(lambda: raw(b"=" * 65536)),
    "flood-lines": lambda: (say(f"={ID} D4\n"), forever(lambda: raw(b"and more\n" * 1000))),
    "flood-blank": lambda: forever(lambda: raw(b"\n" * 1000)),
    "close-output": close_output,
    "bad-utf8": lambda: raw(f"={ID} ".encode() + b"\xff\xfe\x80\n\n"),
    "resign": lambda: say(f"={ID} Resign\n\n"),
}
AT_START = {
    "crash-at-once": crash,
    "deaf": forever,
    "slow-start": lambda: time.sleep(1.0),
    "banner": lambda: say("\nFake Engine 1.0\nloading weights ... done\n\n"),
    "flood-at-start": lambda: forever(lambda: raw(b"loading\n" * 1000)),
    "stderr-flood": lambda: [os.write(2, b"x" * 65536) for _ in range(64)],
}
MODES = ["good", "no-ids", "crlf", "stays", *AT_GENMOVE, *AT_START]
COMMANDS = ["protocol_version", "name", "version", "known_command", "list_commands", "quit", "boardsize", "komi"]
COMMANDS += ["rectangular_boardsize", "clear_board", "play", "genmove", "undo", "set_free_handicap"]
COMMANDS += ["time_settings", "time_left"]

ID = ""
PLAYED: list[str] = []  # points that hold, or have held, a stone: a move beside an empty one of the rest is legal


class Board:
    def __init__(self) -> None:
        self.width = self.height = 19

    def points(self):
        return [(x, y) for y in range(self.height) for x in range(self.width)]

    def move(self) -> str:
        """The first point, from the bottom left, that was never used and has such a neighbour; else a pass."""
        free = {point for point in self.points() if self.name(point) not in PLAYED}
        for x, y in self.points():
            if (x, y) in free and free & {(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)}:
                return self.name((x, y))
        return "pass"

    @staticmethod
    def name(point) -> str:
        return f"{LETTERS[point[0]]}{point[1] + 1}"


def answer(board: Board, word: str, args: list[str], known: list[str]) -> str:
    if word in ("boardsize", "rectangular_boardsize"):
        board.width, board.height = int(args[0]), int(args[-1])
    elif word == "clear_board":
        PLAYED.clear()
    elif word == "play":
        PLAYED.append(args[1].upper())
    elif word == "set_free_handicap":
        PLAYED.extend(args)
    elif word == "undo":
        PLAYED.pop()
    elif word == "genmove":
        PLAYED.append(board.move())
        return PLAYED[-1]
    return {
        "name": "Fake Engine",
        "version": "1.0",
        "protocol_version": "2",
        "list_commands": "\n".join(known),
        "known_command": str(bool(args) and args[0] in known).lower(),
    }.get(word, "")


def main() -> None:
    global ID
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("--at", type=int, default=2)
    parser.add_argument("--log")
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--refuse", default="")
    options = parser.parse_args()
    known = [command for command in COMMANDS if command not in options.without]
    board, genmoves = Board(), 0
    AT_START.get(options.mode, lambda: None)()
    for line in sys.stdin:
        words = line.split()
        number = words.pop(0) if words and words[0].isdigit() else ""
        if not words:
            continue
        if options.log:
            with open(options.log, "a") as file:
                file.write(" ".join(words) + "\n")
        ID = "" if options.mode == "no-ids" else number
        word, *args = words
        genmoves += word == "genmove"
        if word == "genmove" and genmoves == options.at and options.mode in AT_GENMOVE:
            AT_GENMOVE[options.mode]()
            continue
        if word not in known:
            say(f"?{ID} unknown command\n\n")
            continue
        end = "\r\n" if options.mode == "crlf" else "\n"
        if word == "play" and args[1] == options.refuse:
            say(f"?{ID} illegal move\n\n")
            continue
        say(f"={ID} {answer(board, word, args, known)}{end}{end}")
        if word == "quit":
            break
    if options.mode == "stays":
        forever()


if __name__ == "__main__":
    main()

"""A UCI engine that moves its knights to and fro and misbehaves as told: ``fake_uci.py MODE [--at N] [--log FILE]``.

MODE is one of MODES; the misbehaviour comes with the N-th ``go`` (2 by default) of the process. What it is sent is
written to FILE; --without NAME is an option that it shall not have; --wait S are seconds that each move takes.
"""

import argparse
import os
import signal
import subprocess
import sys
import time

OPTIONS = {
    "Hash": "type spin default 16 min 1 max 1024",
    "Skill Level": "type spin default 20 min 0 max 20",
    "OwnBook": "type check default true",
    "Style": "type combo default Normal var Solid var Normal var Risky",
    "Clear Hash": "type button",
    "SyzygyPath": "type string default <empty>",
    "UCI_LimitStrength": "type check default false",
    "UCI_Elo": "type spin default 1350 min 1350 max 2850",
    "UCI_Chess960": "type check default false",
}
KNIGHT = (("g1f3", "f3g1"), ("g8f6", "f6g8"))  # White's moves, Black's moves


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


def close_output() -> None:
    os.close(1)
    forever()


def orphan() -> None:
    """Leave a child behind that holds the pipes open, and die."""
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    os._exit(4)


AT_GO = {
    "crash": crash,
    "explains": lambda: (say("info depth 1\ninfo string no net\nget one\n"), sys.exit(3)),
    "segfault": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "exit": lambda: sys.exit(0),
    "hang": forever,
    "orphan": orphan,
    "illegal": lambda: say("bestmove e2e5\n"),
    "upper": lambda: say("bestmove A7A8Q\n"),
    "twice": lambda: say("bestmove g1f3\ninfo depth 1\nbestmove a1a1\n"),
    "none": lambda: say("bestmove (none)\n"),
    "null": lambda: say("bestmove 0000\n"),
    "resign": lambda: say("bestmove resign\n"),
    "empty": lambda: say("bestmove\n"),
    "bad-utf8": lambda: raw(b"bestmove \xff\xfe\x80\n"),
    "half": lambda: (say("bestmove g1f3"), forever()),
    "flood": lambda: forever(lambda: raw(b"x" * 65536)),
    "flood-lines": lambda: forever(lambda: raw(b"and more\n" * 1000)),
    "flood-info": lambda: forever(lambda: raw(b"info depth 1 score cp 0\n" * 1000)),
    "flood-blank": lambda: forever(lambda: raw(b"\n" * 1000)),
    "close-output": close_output,
}
AT_START = {
    "crash-at-once": crash,
    "deaf": forever,
    "slow-start": lambda: time.sleep(1.0),
    "banner": lambda: say("\nFake Engine 1.0, loading ... done\n\n"),
    "flood-at-start": lambda: forever(lambda: raw(b"loading\n" * 1000)),
    "stderr-flood": lambda: [os.write(2, b"x" * 65536) for _ in range(64)],
    "bad-option": lambda: say("option name Level\n"),
}
MODES = ["good", "stays", "talks", "crlf", "tabs", "not-ready", *AT_GO, *AT_START]


def move(position: list[str]) -> str:
    """The knight's move that is next after ``startpos moves ...``."""
    played = position[position.index("moves") + 1 :] if "moves" in position else []
    return KNIGHT[len(played) % 2][len(played) // 2 % 2]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("--at", type=int, default=2)
    parser.add_argument("--log")
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--wait", type=float, default=0.0)
    options = parser.parse_args()
    end = "\r\n" if options.mode == "crlf" else "\n"
    blank = "\t" if options.mode == "tabs" else " "
    position: list[str] = []
    searches = 0
    AT_START.get(options.mode, lambda: None)()
    for line in sys.stdin:
        words = line.split()
        if options.log:
            with open(options.log, "a") as file:
                file.write(line)
        if words == ["uci"]:
            known = [f"option name {name} {kind}" for name, kind in OPTIONS.items() if name not in options.without]
            say(end.join(["id name Fake Engine 1.0", "id author Nobody", *known, "uciok", ""]))
        elif words == ["isready"] and options.mode != "not-ready":
            say(f"readyok{end}")
        elif words[:1] == ["position"]:
            position = words[1:]
        elif words[:1] == ["go"]:
            searches += 1
            if searches == options.at and options.mode in AT_GO:
                AT_GO[options.mode]()
                continue
            time.sleep(options.wait)
            if options.mode == "talks":
                say("thinking hard\ninfo string what now\ninfo depth 1 pv g1f3\nnext: try e2e5\n")
            say(f"bestmove{blank}{move(position)} ponder a1a1{end}")
        elif words == ["quit"]:
            break
    if options.mode == "stays":
        forever()


if __name__ == "__main__":
    main()

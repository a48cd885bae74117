"""A USI engine that moves a lance's neighbour to and fro and misbehaves as told: ``fake_usi.py MODE [--at N] ...``.

MODE is one of MODES; the misbehaviour comes with the N-th ``go`` (2 by default) of the process. What it is sent is
written to FILE (--log FILE); --wait S are seconds that each move takes.
"""

import argparse
import os
import signal
import subprocess
import sys
import time

OPTIONS = {
    "USI_Hash": "type spin default 16 min 1 max 1024",
    "Skill Level": "type spin default 20 min 0 max 20",
    "OwnBook": "type check default true",
    "EnteringKingRule": "type combo default CSARule27 var NoEnteringKing var CSARule24 var CSARule27",
    "Clear Hash": "type button",
    "BookFile": "type filename default <empty>",
    "EvalDir": "type string default eval max min var",
    "UCI_LimitStrength": "type check default false",
    "UCI_Elo": "type spin default 1350 min 1350 max 2850",
}
GOLD = (("4i4h", "4h4i"), ("4a4b", "4b4a"))  # Black's moves, White's moves


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
    "segfault": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "exit": lambda: sys.exit(0),
    "hang": forever,
    "orphan": orphan,
    "illegal": lambda: say("bestmove 5i5e\n"),
    "resign": lambda: say("bestmove resign\n"),
    "win": lambda: say("bestmove win\n"),
    "none": lambda: say("bestmove (none)\n"),
    "null": lambda: say("bestmove 0000\n"),
    "small": lambda: say("bestmove p*5e\n"),
    "empty": lambda: say("bestmove\n"),
    "bad-utf8": lambda: raw(b"bestmove \xff\xfe\x80\n"),
    "half": lambda: (say("bestmove 4i4h"), forever()),
    "flood": lambda: forever(lambda: raw(b"x" * 65536)),
    "flood-lines": lambda: forever(lambda: raw(b"and more\n" * 1000)),
    "flood-info": lambda: forever(lambda: raw(b"info depth 1 score cp 0\n" * 1000)),
    "flood-nodes": lambda: forever(lambda: (raw(b"info depth 9 nodes 2000000\n"), time.sleep(0.01))),
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
MODES = ["good", "stays", "talks", "crlf", "not-ready", *AT_GO, *AT_START]


def move(position: list[str]) -> str:
    """The gold's move that is next after ``startpos moves ...``."""
    played = position[position.index("moves") + 1 :] if "moves" in position else []
    return GOLD[len(played) % 2][len(played) // 2 % 2]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("--at", type=int, default=2)
    parser.add_argument("--log")
    parser.add_argument("--wait", type=float, default=0.0)
    options = parser.parse_args()
    end = "\r\n" if options.mode == "crlf" else "\n"
    position: list[str] = []
    searches = 0
    AT_START.get(options.mode, lambda: None)()
    for line in sys.stdin:
        words = line.split()
        if options.log:
            with open(options.log, "a") as file:
                file.write(line)
        if words == ["usi"]:
            known = [f"option name {name} {kind}" for name, kind in OPTIONS.items()]
            say(end.join(["id name Fake Engine 1.0", "id author Nobody", *known, "usiok", ""]))
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
                say("thinking hard\ninfo string what now\ninfo depth 1 pv 4i4h\nnext: try 5i5e\n")
            say(f"bestmove {move(position)} ponder 1a1a{end}")
        elif words == ["quit"]:
            break
    if options.mode == "stays":
        forever()


if __name__ == "__main__":
    main()

"""The pages of `sakiyomi serve` on a free port of this machine, and tournaments to be shown there."""

import http.client
import json
import socket
import threading
import time
from contextlib import closing, contextmanager

import uvicorn

from sakiyomi.arena.match import Played, Termination
from sakiyomi.arena.pages.app import make_app
from sakiyomi.arena.schedules.schedule import Opening, Pairing
from sakiyomi.arena.store import Row, Store, utc_now
from sakiyomi.sgf.record import Record


class Site:
    """A running server; `address` without a slash at the end."""

    def __init__(self, port):
        self.port = port
        self.address = f"http://127.0.0.1:{port}"

    def ask(self, path, method="GET", **headers):
        """The status, the headers and the text of an answer; `path` goes out as it is."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, headers={key.replace("_", "-"): text for key, text in headers.items()})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()

    def get(self, path):
        """The text of a page that there is."""
        status, _, text = self.ask(path)
        assert status == 200, (path, status, text[:300])
        return text

    def events(self, path, **headers):
        """The events at `path` as (name, data, id), for 30 s."""
        deadline = time.monotonic() + 30
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with closing(connection):
            connection.request("GET", path, headers={key.replace("_", "-"): text for key, text in headers.items()})
            answer = connection.getresponse()
            assert answer.getheader("content-type").startswith("text/event-stream")
            fields = {}
            while (line := answer.readline().decode()) and time.monotonic() < deadline:
                key, _, value = line.rstrip("\n").partition(": ")
                if key and key != ":":
                    fields[key] = value
                elif fields:
                    yield fields["event"], json.loads(fields["data"]), fields.get("id", "")
                    fields = {}


@contextmanager
def site(folder):
    """A server for the tournaments in `folder`."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(make_app(folder, ended=lambda: server.should_exit), log_level="error", access_log=False)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 30
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield Site(listener.getsockname()[1])
        server.should_exit = True
        thread.join(30)


LINES = (("b2", "a1", "a2", "c2", "b1", "b3", "c1", "a3", "c3"), ("a1", "b1", "a2", "b2", "a3"))
"""Games of tic-tac-toe: a draw, and one that the first player wins."""


def played(first, second, result, game="tictactoe", moves=None, detail="", **more):
    """A game between two players."""
    moves = LINES[0 if result == "1/2-1/2" else 1] if moves is None else moves
    termination = Termination.CRASH if detail else Termination.NORMAL
    return Played(
        Record(game, moves=tuple(moves), result=result, ending="line", players=(first, second), **more),
        termination,
        detail,
        (0.25, 1.5),
    )


def config(players, game="tictactoe", length=4, schedule="round-robin"):
    """The configuration of a tournament as its store has it."""
    return {
        "game": game,
        "options": {},
        "players": [[name, "random"] for name in players],
        "schedule": schedule,
        "stages": [],
        "games": length,
        "openings": "",
        "seed": 0,
        "simulations": None,
        "seconds": None,
        "margin": 1.0,
    }


def row(number, game):
    """A game as it is stored."""
    setup = Opening((), game.record.setup)
    return Row(Pairing(number, *game.record.players, setup, (number + 1) // 2), game, utc_now(), utc_now())


def make(folder, players, games, **settings):
    """A tournament in `folder` with these games."""
    folder.mkdir(parents=True, exist_ok=True)
    with Store.create(folder / "tournament.sqlite", config(players, **settings)) as store:
        for number, game in enumerate(games, 1):
            store.add(row(number, game))


def add(folder, number, game):
    """One more game."""
    with Store.open(folder / "tournament.sqlite", writing=True) as store:
        store.add(row(number, game))


def running(folder, *games):
    """Say which games are being played: (number, first, second, moves) each."""
    told = [
        {"number": n, "first": a, "second": b, "moves": list(moves), "clocks": [61.25, 8.5], "since": utc_now()}
        for n, a, b, moves in games
    ]
    unfinished = folder / "running.part"
    unfinished.write_text(json.dumps(told))
    unfinished.replace(folder / "running.json")

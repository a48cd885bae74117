"""Games in the browser as tests play them: over HTTP, and without a server."""

import http.client
import json
import time
from contextlib import closing
from threading import Semaphore

from sakiyomi.arena.pages.play_seats import Seat
from sakiyomi.arena.pages.play_session import Session
from sakiyomi.arena.pages.play_setup import Setup
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.player import Budget


class Talk:
    """What a page says to the server at `port`."""

    def __init__(self, port):
        self.port = port

    def post(self, path, body=None, text=None, **headers):
        """The status and what the JSON of the answer holds."""
        sent = {"Content-Type": "application/json"} | {key.replace("_", "-"): value for key, value in headers.items()}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("POST", path, json.dumps(body or {}) if text is None else text, sent)
            answer = connection.getresponse()
            found = answer.read().decode()
        is_json = answer.getheader("content-type", "").startswith("application/json")
        return answer.status, json.loads(found) if is_json else found

    def new(self, game="go-5x5", *specs, **more):
        """The state of a new game; a person plays where no spec is given."""
        seats = [{"spec": spec} for spec in specs] or [{}, {}]
        status, state = self.post("/play/new", {"game": game, "seats": seats, **more})
        assert status == 200, state
        return state

    def act(self, state, verb, **body):
        """The state after it."""
        status, answer = self.post(f"/play/{state['key']}/{verb}", body)
        assert status == 200, answer
        return answer

    def refused(self, state, verb, **body):
        """The status and the words of a refusal."""
        status, answer = self.post(f"/play/{state['key']}/{verb}", body)
        assert status >= 400, answer
        return status, answer["error"]

    def move(self, state, *moves):
        """The state after these moves and what a player answers."""
        for move in moves:
            state = self.settled(self.act(state, "move", move=move, ply=state["ply"]))
        return state

    def state(self, state):
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", f"/play/{state['key']}/state")
            return json.loads(connection.getresponse().read())

    def settled(self, state):
        """The state when nobody thinks any more."""
        deadline = time.monotonic() + 60
        while state["thinking"]:
            assert time.monotonic() < deadline, state["thinking"]
            time.sleep(0.01)
            state = self.state(state)
        return state


def session(game, *specs, text=None, budget=Budget(), slots=2):  # noqa: B008 a value
    """A game without a server; specs are not checked."""
    made = make_game(game)
    first, second = (Seat(made, side, spec, budget) for side, spec in enumerate(specs or ("", "")))
    return Session("key", Setup(made, text, (first, second)), Semaphore(slots))


def until(condition, seconds=60):
    """Wait for it."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.005)

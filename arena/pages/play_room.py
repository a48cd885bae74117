"""The games that are played in the browser at one time: so many and no more, and none for ever."""

import secrets
import time
from threading import Lock, Semaphore, Thread

from sakiyomi.arena.pages.play_session import Refused, Session
from sakiyomi.arena.pages.play_setup import Setup

MOST = 24  # games
THINKING = 2  # players that think at one time
EXPIRES = 3600.0  # seconds that a game is kept which nobody looks at
LEFT = 20.0  # seconds until thinking ends for which nobody asks any more
LONGEST = 1800.0  # seconds that an analysis lasts before an open page
_ROUND = 2.0  # seconds between two looks at all games


class Room:
    """Sessions by key. What nobody looks at stops thinking after `LEFT` seconds and is closed after `expires`."""

    def __init__(self, most: int = MOST, thinking: int = THINKING, expires: float = EXPIRES):
        self._most, self._expires = most, expires
        self._slots = Semaphore(thinking)
        self._sessions: dict[str, Session] = {}
        self._lock = Lock()
        self._keeper: Thread | None = None

    def open(self, setup: Setup) -> Session:
        """A new session. Raises Refused if there are too many, none of which has been left."""
        with self._lock:
            if len(self._sessions) >= self._most:
                left = [session for session in self._sessions.values() if not session.heard]
                if not left:
                    raise Refused(f"{self._most} games are being played here, which is the most: close one first")
                oldest = min(left, key=lambda session: session.touched)
                self._sessions.pop(oldest.key).close()
            session = Session(secrets.token_urlsafe(12), setup, self._slots)
            self._sessions[session.key] = session
            if self._keeper is None:
                self._keeper = Thread(target=self._keep, daemon=True, name="keeper of the games")
                self._keeper.start()
            return session

    def get(self, key: str) -> Session:
        """The session of that key. Raises KeyError if there is none (any more)."""
        with self._lock:
            session = self._sessions[key]
        session.touched = time.monotonic()
        return session

    def close(self, key: str) -> None:
        """End the session of that key, if there is one."""
        with self._lock:
            session = self._sessions.pop(key, None)
        if session is not None:
            session.close()

    def close_all(self) -> None:
        """End all sessions."""
        for key in tuple(self._sessions):
            self.close(key)

    def look_round(self) -> bool:
        """Stop and close what has been left; is anything kept?"""
        now = time.monotonic()
        with self._lock:
            sessions = tuple(self._sessions.values())
        kept = len(sessions)
        for session in sessions:
            if session.analysed_for > LONGEST:
                session.stop()
            if session.heard:
                continue
            idle = now - session.touched
            if idle > self._expires:
                self.close(session.key)
                kept -= 1
            elif idle > LEFT:
                session.leave()
        return kept > 0

    def _keep(self) -> None:
        while True:
            time.sleep(_ROUND)
            if not self.look_round():
                with self._lock:
                    if not self._sessions:
                        self._keeper = None
                        return

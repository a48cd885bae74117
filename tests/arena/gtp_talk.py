"""Talking to a GTP session in tests."""

from sakiyomi.arena.serving.gtp_server import Session
from sakiyomi.boards.go import Go


def session(spec: str = "python:fakes:Dice", game: Go | None = None) -> Session:
    return Session(spec, game or Go(size=9), seed=1)


def say(talk: Session, *lines: str) -> list[str]:
    """The responses, each without its final newlines."""
    answers = [talk.respond(line) for line in lines]
    assert all(answer is None or (answer.endswith("\n\n") and "\n\n" not in answer[:-2]) for answer in answers)
    return ["" if answer is None else answer[:-2] for answer in answers]

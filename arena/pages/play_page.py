"""The page to play on, and what its form knows: games, rules, handicaps, the players that this machine has."""

from functools import lru_cache
from typing import Any

from sakiyomi.arena.pages.film_data import to_json
from sakiyomi.arena.pages.play_data import film_of
from sakiyomi.arena.pages.play_seats import offers, thinks
from sakiyomi.arena.pages.templates import page
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.go.rulesets import RULES
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi.handicaps import HANDICAPS

FAMILIES = {
    "Go": ("go-5x5", "go-7x7", "go-9x9", "go-13x13", "go-19x19"),
    "Chess": ("chess", "chess960"),
    "Shogi": ("shogi",),
    "Othello": ("othello", "othello-6x6"),
    "Connect Four": ("connect4",),
    "Tic-tac-toe": ("tictactoe",),
}
"""The games that the page offers, the sizes or kinds of each together."""

SCRIPTS = (
    "report_board.js",
    "report_pieces.js",
    "report_moving.js",
    "report_games.js",
    "report_chess.js",
    "report_kanji.js",
    "report_shogi.js",
    "play_board.js",
    "play_marks.js",
    "play_foresight.js",
    "play_form.js",
    "play_choice.js",
    "play_game.js",
    "play.js",
)
"""The page's scripts in the order in which they are loaded."""


@lru_cache(maxsize=1)
def play_page() -> str:
    """The page as HTML."""
    empty: dict[str, list[Any]] = {"players": [], "endings": [], "starts": [], "boards": [], "numbers": [], "games": []}
    return page("play.html", served="play", data=to_json(empty), choices=to_json(choices()), scripts=SCRIPTS)


@lru_cache(maxsize=1)
def choices() -> dict[str, Any]:
    """What the form offers: the games with their first positions and players, the rules of Go, handicaps."""
    games = {}
    for family, names in FAMILIES.items():
        for name in names:
            position = Position(make_game(name))
            players = [{"name": o.name, "spec": o.spec, "thinks": thinks(o.spec)} for o in offers(name)]
            games[name] = {"family": family, "film": film_of(position, None, (), ("", "")), "players": players}
    return {"families": FAMILIES, "games": games, "rules": list(RULES), "handicaps": list(HANDICAPS)}

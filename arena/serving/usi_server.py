"""One of our players behind the Universal Shogi Interface: the engine's side.

The protocol is T. Romstad's draft of 2007 as Shogidokoro's author has extended it (http://hgm.nubati.net/usi.html,
http://shogidokoro.starfree.jp/usi.html).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from sakiyomi.arena.engines.options import ATTRIBUTES, Option, number, switch
from sakiyomi.arena.serving.go import USI_GO
from sakiyomi.arena.serving.search import Manner
from sakiyomi.arena.serving.session import Command, EngineSession, Value
from sakiyomi.arena.serving.usi_mate import MateSearch
from sakiyomi.boards.player import RESIGN
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi
from sakiyomi.boards.shogi.state import MAX_PLIES

HASH, OVERHEAD, DECLARATION, LONGEST = "USI_Hash", "NetworkDelay", "EnteringKingRule", "MaxMovesToDraw"
RULES: Mapping[str, str] = MappingProxyType({"CSARule27": "27", "CSARule24": "24", "NoEnteringKing": "none"})
"""Rules for the declaration of the entering king, by the names that shogi engines have for them."""
UNANNOUNCED = ("usi_ponder", "usi_hash")
"""Options that controllers set without having been told of them."""


def _moves(position: Position) -> list[int]:
    """The actions that are legal by the rules of moving: what else ends a game of shogi lies in its history."""
    return [int(action) for action in Position(position.game, position.text()).legal_actions()]


class Session(EngineSession):
    """The state of one USI conversation; see `EngineSession`."""

    hello, overhead, first_moves, go_form = "usi", OVERHEAD, ("7g7f", "3c3d"), USI_GO
    attributes: Mapping[str, tuple[str, int]] = MappingProxyType(
        {HASH if name == "Hash" else name: attribute for name, attribute in ATTRIBUTES.items()}
    )
    manner = Manner(RESIGN, _moves, mate_in_plies=True)

    def __init__(self, player_spec: str, game: Shogi, seed: int | None = None, *, say: Callable[[str], None]):
        rule = next(name for name, rule in RULES.items() if rule == game.declaration)
        options = [
            switch("USI_Ponder", False),
            number(OVERHEAD, 100, 0, 10_000),
            Option(DECLARATION, "combo", rule, choices=tuple(RULES)),
            number(LONGEST, 0, 0, 100_000),  # 0: as long as our record of a game allows
        ]
        super().__init__(player_spec, game, seed, say, "sfen", options)

    def also(self) -> dict[str, Command]:
        """The end of a game, and mate problems."""
        return {"gameover": self._gameover, "setoption": self._set, "go": self._go_or_mate}

    def option_set(self, option: Option, value: Value) -> None:
        """Another rule for the entering king, or for the length of a game."""
        game = self.board.game
        assert isinstance(game, Shogi), "made with shogi"
        if option.name == DECLARATION:
            self.change_game(replace(game, declaration=RULES[str(value)]))
        elif option.name == LONGEST:
            self.change_game(replace(game, max_plies=min(int(value) or MAX_PLIES, MAX_PLIES)))

    def _set(self, words: list[str]) -> None:
        if " ".join(words[1:2]).lower() in UNANNOUNCED and words[1].lower() not in self._options:
            return
        self._setoption(words)

    def _gameover(self, words: list[str]) -> None:
        """The result, which does not matter; a search on the opponent's time comes to its end."""
        self.stop()
        self._begun = False

    def _go_or_mate(self, words: list[str]) -> None:
        if "mate" not in words:
            self._go(words)
            return
        self._finish("go")
        text = " ".join(words[words.index("mate") + 1 :][:1])
        timed = re.fullmatch("[0-9]{1,15}", text) is not None
        if not timed and text not in ("", "infinite"):
            self._explain(f"go mate wants milliseconds or infinite, not {text!r}")
        self._warm_up()
        position = self.board.position
        self._search = MateSearch(
            None if position is None else position.copy(),
            int(text) / 1000 if timed else None,
            begin=self._warm.wait,
            say=self._say,
        )
        self._search.start()

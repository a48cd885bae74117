"""Japanese texts of moves: KIF, "７六歩(77)", "同　銀成(31)", "５五角打", and KI2, "▲７六歩", "△同金右", "▲５五角打".

Where several pieces could go to a square, KI2 tells them apart by how they move, 上 up, 引 down, 寄 sideways, 直
straight up, and by where they stand, 右 to the right, 左 to the left, as the mover sees the board; 打 is said of a drop
only where a piece could go there, too. 不成 is no promotion where one might have been. 同 is the square of the move
before.
"""

import re
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from sakiyomi.boards.game import BadNotation, States
from sakiyomi.boards.shogi import sfen
from sakiyomi.boards.shogi import text_kernels as kernels
from sakiyomi.boards.shogi.state import RECENT, SNAPSHOT
from sakiyomi.boards.shogi.usi import action_from, squares_of

FILES, RANKS = "１２３４５６７８９", "一二三四五六七八九"
PIECES = ("", "歩", "香", "桂", "銀", "金", "角", "飛", "玉", "と", "成香", "成桂", "成銀", "", "馬", "龍")
"""By kind, as in `mail`."""
SIDES = ("▲", "△")
SQUARES = [file + rank for file in FILES for rank in RANKS]
_KINDS = {name: kind for kind, name in enumerate(PIECES) if name}
_KINDS |= {"王": 8, "竜": 15, "竜王": 15, "龍王": 15, "竜馬": 14, "龍馬": 14, "杏": 10, "圭": 11, "全": 12}
_DIGITS = {sign: number for signs in (FILES, RANKS, "123456789") for number, sign in enumerate(signs, 1)}
_SIDES = {"▲": 1, "▼": 1, "☗": 1, "先": 1, "△": 2, "▽": 2, "☖": 2, "後": 2}
_WORDS = {"右": 0, "左": 1, "上": 2, "行": 2, "入": 2, "引": 3, "下": 3, "退": 3, "寄": 4, "直": 5, "打": 6}
_RELATIONS = {1 << bit: word for bit, word in enumerate("右左上引寄直打")}
_SHOWN = "|".join(sorted(map(re.escape, _KINDS), key=len, reverse=True))
_MOVE = re.compile(
    r"(?P<side>[▲△▼▽☗☖])?[ 　]*"
    r"(?:(?P<same>同)|(?P<file>[１-９1-9一二三四五六七八九])(?P<rank>[一二三四五六七八九１-９1-9])(?:同)?)"
    rf"[ 　]*(?P<piece>{_SHOWN})[ 　]*(?P<words>[右左上行入引下退寄直]*)(?P<promotion>不成|成らず|生|成)?(?P<drop>打)?"
    r"[ 　]*(?:[(（](?P<origin>[0-9]{2}|[０-９]{2})[)）])?"
)


@lru_cache(maxsize=1 << 16)
def request_of(text: str) -> int | None:
    """What a text of KIF or KI2 says of a move, as `text_kernels` has it; None if it is no move."""
    match = _MOVE.fullmatch(text.strip())
    if match is None:
        return None
    kind = _KINDS[match["piece"]]
    to = 127 if match["same"] else 9 * (_DIGITS[match["file"]] - 1) + _DIGITS[match["rank"]] - 1
    origin, relation = 127, 0
    for word in match["words"] + (match["drop"] or ""):
        relation |= 1 << _WORDS[word]
    if match["origin"] and int(match["origin"]):
        x, y = divmod(int(match["origin"]), 10)
        if not x or not y:
            return None
        origin = 9 * (x - 1) + y - 1
    elif match["drop"] or match["origin"]:  # (00) is the hand
        relation |= 1 << _WORDS["打"]
    if relation >> _WORDS["打"] & 1:
        if kind > 7 or match["promotion"] == "成":
            return None
        origin = 80 + kind
    side = _SIDES.get(match["side"] or "", 0)
    promotes = match["promotion"] == "成"
    return to | origin << 7 | kind << 14 | promotes << 18 | relation << 20 | side << 27


def target_of_last(states: States) -> int:
    """Where the move before states[0] went, as far as the record remembers it; 127 if it does not."""
    state = states[0]
    if int(state["ply"]) <= int(state["first"]):
        return 127
    before = state["recent"].reshape(RECENT, SNAPSHOT)[(int(state["ply"]) - 1) % RECENT].view(np.uint8)[:81]
    now, side = state["mail"][:81], 1 - int(state["turn"])
    came = np.flatnonzero((now != before) & (now != 0) & (now >> 4 == side))
    return int(came[0]) if len(came) == 1 else 127


def parse(states: States, text: str) -> int | None:
    """The action that a text of KIF or KI2 names in states[0]; None if it is no such text.

    A text of KI2 names a legal move. Raises BadNotation.
    """
    request = request_of(text)
    if request is None:
        return None
    turn, last = int(states["turn"][0]), target_of_last(states)

    def bad(why: str) -> BadNotation:
        shown = repr(text).replace(r"\u3000", "　")
        return BadNotation(f"{shown} in {sfen.write(states)}: {why}")

    if request >> 27 not in (0, turn + 1):
        raise bad(f"it is {('Black', 'White')[turn]}'s turn ({SIDES[turn]})")
    to, origin, kind = request & 127, request >> 7 & 127, request >> 14 & 15
    if to == 127:
        to = last
    if to == 127:
        raise bad("同 is the square of the move before, and there is none")
    if origin == 127:
        return _find(states, request, last, bad)
    if origin < 81 and int(states["mail"][0, origin]) & 15 != kind:
        raise bad(f"no {PIECES[kind]} stands on {sfen.square_name(origin)}")
    action = action_from(origin, to, bool(request >> 18 & 1), turn)
    if action is None:
        raise bad(f"no piece moves from {sfen.square_name(origin)} to {sfen.square_name(to)}")
    return action


def _find(states: States, request: int, last: int, bad: Callable[[str], BadNotation]) -> int:
    """The action of a request that leaves the origin to the reader."""
    codes, actions = np.zeros(1, np.uint16), np.zeros(1, np.int32)
    played, faults = np.zeros(1, np.int32), np.zeros(1, np.uint8)
    firsts, requests, lasts = np.array([0, 1]), np.array([request], np.uint32), np.array([last], np.uint8)
    rows = np.ascontiguousarray(states).view(np.uint64)
    kernels.resolve_rows(0, 1, rows, lasts, firsts, requests, codes, actions, played, faults)
    if played[0]:
        return int(actions[0])
    if faults[0] == int(kernels.AMBIGUOUS >> kernels.FAULT_SHIFT):
        raise bad("several pieces can go there; 右, 左, 上, 引, 寄 or 直 tells which")
    raise bad("no legal move fits")


def describe(states: States, action: int) -> int:
    """What a text must say of a legal action in states[0]; see `text_kernels.describe`."""
    origin, to, promotes = squares_of(action, int(states["turn"][0]))
    words, code = np.zeros(1, np.uint16), np.array([to | origin << 7 | promotes << 14], np.uint16)
    kernels.describe_rows(0, 1, np.ascontiguousarray(states).view(np.uint64), np.array([0, 1]), code, words)
    return int(words[0])


def kif_text(states: States, action: int) -> str:
    """A legal action in states[0] as KIF has it: "７六歩(77)", and "同　歩(76)" where the move before is known."""
    return kif_of(_code(states, action), describe(states, action) & 15, target_of_last(states))


def ki2_text(states: States, action: int) -> str:
    """A legal action in states[0] as KI2 has it: "▲７六歩", "△同　歩"."""
    word = describe(states, action)
    return ki2_of(_code(states, action), word, target_of_last(states), int(states["turn"][0]))


def kif_of(code: int, kind: int, last: int) -> str:
    """KIF of a move (see `state`) of a kind of piece, after one that went to `last`."""
    to, origin = code & 127, code >> 7 & 127
    where = "同　" if to == last else SQUARES[to]
    if origin >= 81:
        return f"{where}{PIECES[kind]}打"
    return f"{where}{PIECES[kind]}{'成' if code >> 14 else ''}({origin // 9 + 1}{origin % 9 + 1})"


def ki2_of(code: int, word: int, last: int, turn: int) -> str:
    """KI2 of a move (see `state`), by what `describe` says of it, after one that went to `last`."""
    to, piece, said = code & 127, PIECES[word & 15], word >> 4
    rest = _said(said) + ("成" if code >> 14 else "不成" if said & int(kernels.DECLINED) else "")
    where = SQUARES[to] if to != last else "同" if len(piece) > 1 or rest else "同　"
    return f"{SIDES[turn]}{where}{piece}{rest}"


@lru_cache(maxsize=256)
def _said(relation: int) -> str:
    """The words, first where the piece stands, then how it moves."""
    return "".join(word for bit, word in _RELATIONS.items() if relation & bit)


def _code(states: States, action: int) -> int:
    origin, to, promotes = squares_of(action, int(states["turn"][0]))
    return to | origin << 7 | promotes << 14

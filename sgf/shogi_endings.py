"""How shogi records say that a game ended, and what a `Record` says: "%TORYO", 投了, "まで87手で先手の勝ち".

`Record.result` is "1-0" where Black (先手, in handicap games 下手) has won, whoever moved first.
"""

import re
from typing import NamedTuple

RESULTS = ("1-0", "0-1", "1/2-1/2", "*")
LOSES, WINS, DRAW, UNKNOWN, BLACK_LOSES, WHITE_LOSES = range(6)
"""What an ending means: for the player to move, for both, for nobody, or for one side."""

_ENDINGS = (
    ("resignation", LOSES, "%TORYO", "投了"),
    ("time forfeit", LOSES, "%TIME_UP", "切れ負け"),
    ("checkmate", LOSES, "%TSUMI", "詰み"),
    ("declaration", WINS, "%KACHI", "入玉勝ち"),
    ("illegal move", LOSES, "%ILLEGAL_MOVE", "反則負け"),
    ("illegal move", WINS, "", "反則勝ち"),
    ("illegal move", BLACK_LOSES, "%+ILLEGAL_ACTION", ""),
    ("illegal move", WHITE_LOSES, "%-ILLEGAL_ACTION", ""),
    ("repetition", DRAW, "%SENNICHITE", "千日手"),
    ("impasse", DRAW, "%JISHOGI", "持将棋"),
    ("declaration", DRAW, "%HIKIWAKE", "引き分け"),
    ("move limit", DRAW, "%MAX_MOVES", "最大手数"),
    ("interrupted", UNKNOWN, "%CHUDAN", "中断"),
    ("no mate", UNKNOWN, "%FUZUMI", "不詰"),
    ("takeback", UNKNOWN, "%MATTA", "待った"),
    ("error", UNKNOWN, "%ERROR", "エラー"),
)
"""`Record.ending`, what it means, and the closing move of CSA and of KIF."""
_OTHER_WORDS = {
    "時間切れ": "切れ負け",
    "時間切れ負け": "切れ負け",
    "切負": "切れ負け",
    "詰": "詰み",
    "入玉宣言": "入玉勝ち",
    "宣言勝ち": "入玉勝ち",
    "勝ち宣言": "入玉勝ち",
    "引分": "引き分け",
    "引分け": "引き分け",
    "Time-up": "切れ負け",
}
_LIKELY = {"perpetual check": "illegal move", "no moves": "checkmate"}
"""Endings that have no closing move, and one that means much the same."""
_CSA = {csa: (ending, means) for ending, means, csa, _ in _ENDINGS if csa}
_KIF = {kif: (ending, means) for ending, means, _, kif in _ENDINGS if kif}
_KIF |= {other: _KIF[usual] for other, usual in _OTHER_WORDS.items()}
_LIKE_A_MOVE = re.compile("[0-9１-９歩香桂銀金角飛玉王と馬龍竜成打]")
_MADE = re.compile(r"まで[、 　]*(?:([0-9０-９]+)手)?(?:で|にて)?[、 　]*(.+)")
_SIDE = {"先手": 0, "下手": 0, "後手": 1, "上手": 1}
_REASONS = (
    ("illegal move", "反則"),
    ("time forfeit", "時間|切れ"),
    ("checkmate", "詰"),
    ("declaration", "入玉|宣言"),
    ("repetition", "千日手"),
    ("impasse", "持将棋"),
    ("move limit", "最大手数|手数制限"),
    ("interrupted", "中断|中止"),
    ("", "引き?分け?"),
)
_DRAWS = ("repetition", "impasse", "move limit", "")


class Closing(NamedTuple):
    """Result and ending of a record, and whether the words are known."""

    result: str
    ending: str
    known: bool = True


def from_csa(word: str, turn: int) -> Closing:
    """Of a closing move "%TORYO" when it is the turn of 0 Black or 1 White."""
    found = _CSA.get(word)
    return _closing(*found, turn) if found else Closing("*", word[1:].lower().replace("_", " "), False)


def from_kif(word: str, turn: int) -> Closing | None:
    """Of a closing move 投了; None for a word that must have been meant for a move."""
    found = _KIF.get(word)
    if found is None:
        return None if _LIKE_A_MOVE.search(word) else Closing("*", word.lower(), False)
    return _closing(*found, turn)


def _closing(ending: str, means: int, turn: int) -> Closing:
    if means in (DRAW, UNKNOWN):
        return Closing("1/2-1/2" if means == DRAW else "*", ending)
    loser = {LOSES: turn, WINS: 1 - turn, BLACK_LOSES: 0, WHITE_LOSES: 1}[means]
    return Closing(("0-1", "1-0")[loser], ending)


def from_made_line(line: str) -> Closing | None:
    """Of a last line "まで87手で先手の勝ち"; None for a line that is none. A win without a reason is by resignation."""
    match = _MADE.match(line.strip())
    if match is None:
        return None
    said = match[2].strip()
    ending = next((word for word, sign in _REASONS if re.search(sign, said)), None)
    if won := re.search("(先手|下手|後手|上手)の?[^ 　]{0,6}勝", said):
        return Closing(("1-0", "0-1")[_SIDE[won[1]]], ending if ending is not None else "resignation")
    if lost := re.search("(先手|下手|後手|上手)の?[^ 　]{0,6}負", said):
        return Closing(("0-1", "1-0")[_SIDE[lost[1]]], ending if ending is not None else "resignation")
    if ending in _DRAWS:
        return Closing("1/2-1/2", ending)
    return Closing("*", ending or "", ending is not None)


def to_csa(result: str, ending: str, turn: int) -> str:
    """The closing move of CSA for a record that ends with `turn` to move, "" for none."""
    return _closing_move(result, ending, turn, 2)


def to_kif(result: str, ending: str, turn: int) -> str:
    """The closing move of KIF, "" for none."""
    return _closing_move(result, ending, turn, 3)


def _closing_move(result: str, ending: str, turn: int, column: int) -> str:
    """That which means the same or, where there is none, one that gives the result."""
    if result == "*" and not ending:
        return ""
    same = [row for row in _ENDINGS if row[column] and _closing(row[0], row[1], turn).result == result]
    if result in ("1-0", "0-1"):
        likely = "resignation" if (result == "0-1") == (turn == 0) else "illegal move"
    else:
        likely = "interrupted" if result == "*" else "impasse"
    wanted = (ending, _LIKELY.get(ending), likely)
    return next((str(row[column]) for name in wanted for row in same if row[0] == name), "")


def made_line(result: str, ending: str, plies: int, handicap: bool, alone: bool) -> str:
    """The last line of KIF and KI2, "まで87手で先手の勝ち"; "" where nothing is known.

    Without a closing move before it, `alone`, it has to say why the game was won; else other programs like it short.
    """
    names = ("下手", "上手") if handicap else ("先手", "後手")
    head = f"まで{plies}手で"
    if result in ("1-0", "0-1"):
        winner, loser = names[result == "0-1"], names[result == "1-0"]
        if ending == "illegal move":
            return f"{head}{loser}の反則負け"
        if ending == "declaration":
            return f"{head}{winner}の入玉勝ち"
        why = {"time forfeit": "時間切れにより", "checkmate": "詰みにより"}.get(ending, "") if alone else ""
        return f"{head}{why}{winner}の勝ち"
    words = {"repetition": "千日手", "impasse": "持将棋", "move limit": "最大手数", "interrupted": "中断"}
    if result == "1/2-1/2":
        return head + (words[ending] if ending in _DRAWS[:3] else "引き分け")
    return head + words["interrupted"] if ending == "interrupted" else ""

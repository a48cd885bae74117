"""BOD, a shogi position drawn with kanji, as KIF and KI2 files begin with it: hands, nine ranks, whose turn it is.

後手の持駒：飛　金二　歩十一
  ９ ８ ７ ６ ５ ４ ３ ２ １
+---------------------------+
|v香v桂v銀v金v玉 ・ ・ ・v香|一
...
先手の持駒：なし
後手番
"""

import re

from sakiyomi.boards.game import BadNotation, States
from sakiyomi.boards.shogi import sfen
from sakiyomi.boards.shogi.japanese import RANKS

PIECES = ("", "歩", "香", "桂", "銀", "金", "角", "飛", "玉", "と", "杏", "圭", "全", "", "馬", "龍")
"""By kind, one sign each."""
_KINDS = {name: kind for kind, name in enumerate(PIECES) if name} | {"王": 8, "竜": 15}
_RULE = "+---------------------------+"
_IN_HAND = (7, 6, 5, 4, 3, 2, 1)
_CELL = re.compile(r"[ 　+^]*([vVｖ]?)(・|[^ 　vVｖ|])")
_HELD = re.compile(r"([歩香桂銀金角飛])([一二三四五六七八九十]{1,3}|[0-9０-９]{1,2})?")


def number_text(number: int) -> str:
    """1 to 99 in kanji: 二, 十, 十八."""
    tens, ones = divmod(number, 10)
    return (RANKS[tens - 1] if tens > 1 else "") + ("十" if tens else "") + (RANKS[ones - 1] if ones else "")


def read_number(text: str) -> int:
    """The number of a text in kanji or digits."""
    if "十" not in text:
        return int(text) if text.isdigit() else int("".join(str(RANKS.index(sign) + 1) for sign in text))
    tens, _, ones = text.partition("十")
    return 10 * (RANKS.index(tens) + 1 if tens else 1) + (RANKS.index(ones) + 1 if ones else 0)


def write(states: States, names: tuple[str, str] = ("先手", "後手")) -> list[str]:
    """states[0] in lines; `names` are those of Black and White, in handicap games 下手 and 上手."""
    mail, hands = states["mail"][0], sfen.hand_counts(states)
    lines = [f"{names[1]}の持駒：{_held(hands[1])}", "  ９ ８ ７ ６ ５ ４ ３ ２ １", _RULE]
    for rank in range(9):
        pieces = (int(mail[9 * file + rank]) for file in reversed(range(9)))
        cells = (f"{'v' if piece & 16 else ' '}{PIECES[piece & 15] or '・'}" for piece in pieces)
        lines.append(f"|{''.join(cells)}|{RANKS[rank]}")
    return [*lines, _RULE, f"{names[0]}の持駒：{_held(hands[0])}", f"{names[int(states['turn'][0])]}番"]


def _held(counts: list[int]) -> str:
    kinds = (
        f"{PIECES[kind]}{number_text(counts[kind]) if counts[kind] > 1 else ''}" for kind in _IN_HAND if counts[kind]
    )
    return "　".join(kinds) or "なし"


def read_rank(line: str, rank: int) -> dict[int, int]:
    """Pieces by square of a line "| 香 ・v歩...|一", which is rank 0 to 8 from the top. Raises BadNotation."""
    inner = line.split("|")[1] if line.count("|") else line
    cells = _CELL.findall(inner)
    if len(cells) != 9 or _CELL.sub("", inner).strip():
        raise BadNotation(f"{line!r}: a rank of a diagram has nine squares, ・ for an empty one and v before White's")
    pieces = {}
    for file, (white, sign) in zip(reversed(range(9)), cells, strict=True):
        if sign == "・":
            continue
        if sign not in _KINDS:
            raise BadNotation(f"{line!r}: {sign} is no piece ({' '.join(_KINDS)})")
        pieces[9 * file + rank] = _KINDS[sign] + 16 * bool(white)
    return pieces


def read_hand(text: str) -> list[int]:
    """Counts by kind, 0 (none) to 7 (rook), of "飛　金二　歩十一" or "なし". Raises BadNotation."""
    counts, plain = [0] * 8, re.sub("[ 　、,]", "", text)
    if plain in ("なし", "無し", ""):
        return counts
    if _HELD.sub("", plain):
        raise BadNotation(f"{text!r}: a hand is なし or such as 飛　金二　歩十一")
    for sign, number in _HELD.findall(plain):
        counts[_KINDS[sign]] += read_number(number) if number else 1
    return counts

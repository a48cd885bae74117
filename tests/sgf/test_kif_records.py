"""KIF and KI2: what is read of a file, and what is said of one that is faulty."""

from dataclasses import replace

import pytest

from sakiyomi.boards.shogi.handicaps import handicap_sfen
from sakiyomi.sgf import BadRecord, Fault, read_kif, to_ki2, to_kif

HEAD = "手合割：平手\n先手：甲\n後手：乙\n手数----指手---------消費時間--\n"
KIF = f"""# KIF形式棋譜ファイル
開始日時：1999/07/15(木) 19:07:12
終了日時：1999/07/15(木) 19:07:17
棋戦：順位戦
{HEAD}*開始前
   1 ７六歩(77)   ( 0:16/00:00:16)
   2 ３四歩(33)   ( 1:01/00:01:01)
*角道
*を開ける
&しおり
   3 ２二角成(88) ( 0:03/00:00:19)
   4 同　銀(31)   ( 0:02/00:01:03)+
   5 ５五角打     ( 0:05/00:00:24)
   6 投了         ( 0:10/00:01:13)
まで5手で先手の勝ち

変化：4手
   4 同　飛(82)   ( 0:00/00:00:00)+
*飛車で取る
   5 中断

変化：2手
   2 ８四歩(83)
   3 ２六歩(27)+
   4 ８五歩(84)

変化：3手
   3 ６六歩(67)
まで3手で中断
"""
DIAGRAM = """後手の持駒：飛　金二　歩十一
  ９ ８ ７ ６ ５ ４ ３ ２ １
+---------------------------+
| ・ ・ ・ ・v玉 ・ ・ ・ ・|一
| ・ ・ ・ ・ ・ ・ ・ ・ ・|二
| ・ ・ ・ ・ 歩 ・ ・ ・ ・|三
| ・v全 ・ ・ ・ ・ ・ ・ ・|四
| ・ ・ ・ ・ ・ ・ ・ ・ ・|五
| ・ ・ ・ ・ ・ ・ ・ ・ ・|六
| ・ ・ ・ ・ ・ ・ ・ ・ 竜|七
| ・ ・ ・ ・ ・ ・ ・ ・ ・|八
| ・ ・ ・ ・ 王 ・ ・ ・ ・|九
+---------------------------+
先手の持駒：金　桂
"""


def one(text, charset="utf-8"):
    (record,) = read_kif(text.encode(charset) if isinstance(text, str) else text, "game.kif")
    if isinstance(record, BadRecord):
        raise record
    return record


def test_a_file_with_everything():
    record = one(KIF)
    assert record.moves == ("7g7f", "3c3d", "8h2b+", "3a2b", "B*5e")
    assert (record.result, record.ending) == ("1-0", "resignation")
    assert record.players == ("甲", "乙")
    assert record.tags == {
        "date": "1999-07-15",
        "start time": "19:07:12",
        "end time": "1999/07/15(木) 19:07:17",
        "event": "順位戦",
    }
    assert record.comments == {0: "開始前", 2: "角道\nを開ける"}
    assert record.tree.times == (16.0, 61.0, 3.0, 2.0, 5.0, 10.0)
    assert record.tree.faults == []
    first, second, third = record.tree.variations
    assert (first.parent, first.ply, first.moves, first.ending) == (-1, 3, ("8b2b",), "中断")
    assert (first.comments, first.times[0]) == ({4: "飛車で取る"}, 0.0)
    assert (second.parent, second.ply, second.moves) == (-1, 1, ("8c8d", "2g2f", "8d8e"))
    assert (third.parent, third.ply, third.moves, third.ending) == (1, 2, ("6g6f",), "まで3手で中断")


@pytest.mark.parametrize("write", [to_kif, to_ki2])
def test_variations_survive_writing_from_the_fields(write):
    record = one(KIF)
    (back,) = read_kif(write(replace(record, players=("丙", "丁"))))
    assert back.tree.faults == []
    shown = [(v.parent, v.ply, v.moves, dict(v.comments), v.ending) for v in back.tree.variations]
    assert shown == [(v.parent, v.ply, v.moves, dict(v.comments), v.ending) for v in record.tree.variations]
    assert (back.moves, back.comments) == (record.moves, record.comments)


def test_variations_that_cannot_be_are_cut_short_and_told():
    record = one(KIF.replace("同　飛(82)", "同　金(41)") + "\n変化：90手\n  90 ７六歩(77)\n")
    assert [(found.fault, found.detail) for found in record.tree.faults] == [
        (Fault.BROKEN_VARIATION, "move 4: '同　金(41)'"),
        (Fault.LOST_VARIATION, "variation from move 90"),
    ]
    assert len(record.tree.variations) == 2


@pytest.mark.parametrize(
    ("closing", "result", "ending"),
    [
        ("投了", "0-1", "resignation"),
        ("切れ負け", "0-1", "time forfeit"),
        ("時間切れ", "0-1", "time forfeit"),
        ("Time-up", "0-1", "time forfeit"),
        ("詰み", "0-1", "checkmate"),
        ("反則負け", "0-1", "illegal move"),
        ("反則勝ち", "1-0", "illegal move"),
        ("入玉勝ち", "1-0", "declaration"),
        ("千日手", "1/2-1/2", "repetition"),
        ("持将棋", "1/2-1/2", "impasse"),
        ("最大手数", "1/2-1/2", "move limit"),
        ("中断", "*", "interrupted"),
        ("不詰", "*", "no mate"),
    ],
)
def test_closing_moves(closing, result, ending):
    record = one(f"{HEAD}   1 ７六歩(77)\n   2 ３四歩(33)\n   3 {closing}\n")
    assert (record.result, record.ending) == (result, ending)
    assert record.tree.faults == []


@pytest.mark.parametrize(
    ("line", "result", "ending"),
    [
        ("まで2手で先手の勝ち", "1-0", "resignation"),
        ("まで2手で上手の勝ち", "0-1", "resignation"),
        ("まで、2手で後手の勝ち", "0-1", "resignation"),
        ("まで2手で時間切れにより後手の勝ち", "0-1", "time forfeit"),
        ("まで2手で詰みにより先手の勝ち", "1-0", "checkmate"),
        ("まで2手で先手の入玉勝ち", "1-0", "declaration"),
        ("まで2手で先手の反則負け", "0-1", "illegal move"),
        ("まで2手で後手の反則勝ち", "0-1", "illegal move"),
        ("まで2手で千日手", "1/2-1/2", "repetition"),
        ("まで2手で持将棋", "1/2-1/2", "impasse"),
        ("まで2手で引き分け", "1/2-1/2", ""),
        ("まで2手で中断", "*", "interrupted"),
    ],
)
def test_last_lines(line, result, ending):
    for text in (f"{HEAD}   1 ７六歩(77)\n   2 ３四歩(33)\n{line}\n", f"▲７六歩    △３四歩\n{line}\n"):
        record = one(text)
        assert (record.result, record.ending) == (result, ending)
        assert record.tree.faults == []


def test_two_endings_that_disagree():
    record = one(f"{HEAD}   1 ７六歩(77)\n   2 投了\nまで1手で後手の勝ち\n")
    assert record.result == "1-0"
    assert [(found.fault, found.detail) for found in record.tree.faults] == [
        (Fault.ENDINGS_DISAGREE, "1-0, then 0-1"),
    ]


def test_handicaps_and_diagrams():
    for name, ours in {
        "香落ち": "lance",
        "二枚落ち": "two-piece",
        "十枚落ち": "ten-piece",
        "六枚落": "six-piece",
    }.items():
        record = one(f"手合割：{name}　　\n下手：甲\n上手：乙\n   1 ６二玉(51)\n   2 投了\n")
        assert record.setup == handicap_sfen(ours)
        assert (record.players, record.result) == (("甲", "乙"), "0-1")
    for turn, sign in {"": "b", "先手番\n": "b", "後手番\n": "w"}.items():
        record = one(f"{DIAGRAM}{turn}手数＝40  ▲５三歩  まで\n先手：甲\n")
        assert record.setup == f"4k4/9/4P4/1+s7/9/9/8+R/9/4K4 {sign} GNr2g11p 41"
    record = one(
        f"{DIAGRAM}後手番\n手数＝40  ▲４二金  まで\n   1 同　玉(51)\n".replace("・ ・ ・|二", "・ ・ ・|二", 1)
    )
    assert record.moves == ("5a4b",)


def test_japanese_numerals_and_the_words_that_tell_pieces_apart():
    text = "▲７六歩 △３四歩 ▲２二角成 △同銀 ▲５五角打\n▽３三角 ▲同角成 ▽同　銀 ▼８八銀 ☖４四角 ☗７七角"
    record = one(text)
    assert record.moves[:6] == ("7g7f", "3c3d", "8h2b+", "3a2b", "B*5e", "B*3c")
    assert record.moves[6:] == ("5e3c+", "2b3c", "7i8h", "B*4d", "B*7g")
    assert record.tree.format == "ki2"
    for written in ("７六歩(77)", "76歩(77)", "七六歩(77)", "７六歩（７７）", "７六步(77)"):
        (found,) = read_kif(f"{HEAD}   1 {written}\n".encode())
        assert isinstance(found, BadRecord) == (written in ("七六步(77)", "７六步(77)"))
    refused = one(f"{HEAD}   1 ７六歩(77)\n   2 ３四歩(33)\n   3 ３三角不成(88)\n")
    assert refused.moves[2] == "8h3c"


def test_several_games_in_a_file():
    text = "開始日時：2024/01/01\n" + KIF + "開始日時：2024/01/02\n手合割：平手\n   1 ２六歩(27)\n   2 投了\n"
    first, second = read_kif(text.replace("開始日時：1999/07/15(木) 19:07:12\n", "").encode())
    assert (len(first.moves), second.moves) == (5, ("2g2f",))
    assert second.tags == {"date": "2024-01-02"}
    assert second.tree.line == first.tree.text.count("\n") + 1


def test_charsets():
    for codec in ("cp932", "utf-8", "utf-8-sig", "euc_jp", "utf-16", "iso2022_jp"):
        record = one(KIF, codec)
        assert record.players == ("甲", "乙")
        assert len(record.moves) == 5
    named = one("#KIF version=2.0 encoding=Shift_JIS\n" + KIF)
    assert [found.fault for found in named.tree.faults] == [Fault.ENCODING_LIES]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{HEAD}   1 ７五歩(77)\n", "line 5: move 1: '７五歩[(]77[)]' in lnsg.* the pawn on 7g cannot go to 7e"),
        (f"{HEAD}   1 ７六銀(77)\n", "a pawn stands on 7g, not a silver"),
        (f"{HEAD}   1 同　歩(77)\n", "同 is the square of the move before, and there is none"),
        (f"{HEAD}   1 ５五角打\n", "Black has no bishop in hand"),
        (f"{HEAD}   1 ７六歩(77)\n   2 ３十歩(33)\n", "line 6: move 2: '３十歩[(]33[)]' is no move: KIF such as"),
        (
            "▲７六歩 △３四歩\n▲５八金 △５二金\n",
            "line 2: move 3: '▲５八金' in .*: several pieces can go there; 右, 左, 上, 引, 寄 or 直 tells which",
        ),
        ("▲５五銀\n", "no silver .銀. can go to 5e"),
        ("▲７六歩 ▲２六歩\n", "move 2: .* it is White's turn"),
        ("手合割：謎\n   1 ７六歩(77)\n", "line 1: the first position: 手合割 '謎' without a diagram is not known"),
        (DIAGRAM.replace("・|八", "|八"), "a rank of a diagram has nine squares"),
        (DIAGRAM.replace("v玉", "v鬼"), "鬼 is no piece"),
        (DIAGRAM.replace("歩十一", "歩いっぱい"), "a hand is なし or such as"),
        (DIAGRAM.replace("| ・ ・ ・ ・ ・ ・ ・ ・ ・|八\n", ""), "a diagram has nine ranks, this one 8"),
        (DIAGRAM + "手数＝99999999999\n", "the move number must be 65536 or less"),
    ],
)
def test_faulty_files_are_named_with_line_and_rule(text, why):
    with pytest.raises(BadRecord, match=f"game.kif: game 1, byte [0-9]+, .*{why}"):
        one(text)


def test_a_foul_ends_a_game_that_says_so():
    moves = "   1 ７六歩(77)\n   2 ３四歩(33)\n   3 ７五歩(77)\n"
    for closing in ("   4 反則勝ち\n", "*二歩の反則\n", "まで3手で先手の反則負け\n"):
        record = one(f"{HEAD}{moves}{closing}")
        assert (len(record.moves), record.result, record.ending) == (2, "0-1", "illegal move")
        assert [found.fault for found in record.tree.faults] == [Fault.ILLEGAL_END]
        assert record.tags["illegal move"] == "７五歩(77)"
    with pytest.raises(BadRecord, match="move 3: "):
        one(f"{HEAD}{moves}   4 投了\n")


def test_smaller_faults():
    def faults(text):
        return [(found.fault, found.line) for found in one(text).tree.faults]

    assert faults(f"{HEAD}   1 ７六歩(77)\n   3 ３四歩(33)\n") == [(Fault.ODD_NUMBER_OF_MOVE, 6)]
    assert faults("△３四歩 ▲７六歩\n") == [(Fault.ODD_TURN, 1)]
    assert faults("▲７六歩\nこれは何\n") == [(Fault.UNKNOWN_LINE, 2)]
    assert faults(f"{HEAD}   1 雨天順延\n") == [(Fault.UNKNOWN_CLOSING, 5)]
    assert one("△３四歩 ▲７六歩\n").setup.split()[1] == "w"

"""Texts of shogi moves other than USI: CSA, KIF and KI2, written and read, and cshogi's beside them."""

import random

import cshogi
import cshogi.KI2
import cshogi.KIF
import pytest

from sakiyomi.boards import BadNotation, IllegalMove, Position, Shogi
from sakiyomi.boards.shogi import bod, csa
from sakiyomi.boards.shogi.sfen import START

GAME = Shogi()


def random_positions(games, plies):
    """Positions along random games, each with cshogi's board."""
    rng = random.Random(1)
    for _ in range(games):
        position, board = Position(GAME), cshogi.Board()
        for _ in range(plies):
            legal = position.legal_moves()
            if not legal:
                break
            yield position, board
            move = rng.choice(legal)
            position.play(move)
            board.push_usi(move)


def test_every_legal_move_is_written_and_read_back():
    for position, _ in random_positions(6, 90):
        for action in position.legal_actions().tolist():
            for write in (GAME.move_text, GAME.csa_text, GAME.kif_text, GAME.ki2_text):
                text = write(position.state, action)
                assert position.action(text) == action, (text, position.text())


def test_csa_and_kif_are_those_of_cshogi():
    for position, board in random_positions(4, 90):
        before = board.peek() if board.move_number > 1 else None
        for move in position.legal_moves():
            number, action = board.move_from_usi(move), position.action(move)
            assert GAME.csa_text(position.state, action)[1:] == cshogi.move_to_csa(number)
            ours = GAME.kif_text(position.state, action)
            theirs = cshogi.KIF.move_to_kif(number, before)
            for sign, name in {"杏": "成香", "圭": "成桂", "全": "成銀"}.items():
                theirs = theirs.replace(sign, name)
            assert ours == theirs


def test_ki2_is_that_of_cshogi_but_for_what_it_leaves_out():
    same = differ = 0
    for position, board in random_positions(4, 60):
        for move in position.legal_moves():
            number = board.move_from_usi(move)
            ours, theirs = GAME.ki2_text(position.state, position.action(move)), cshogi.KI2.move_to_ki2(number, board)
            if ours.replace("　", "") == theirs.replace("　", ""):
                same += 1
                continue
            differ += 1
            others = [other for other in position.legal_moves() if other[2:4] == move[2:4] and other != move]
            assert others, (position.text(), move, ours, theirs)
    assert same > 50 * differ


@pytest.mark.parametrize(
    ("sfen", "texts"),
    [
        ("4k4/9/9/9/9/3G1G3/9/9/4K4 b - 1", {"6f5e": "▲５五金左", "4f5e": "▲５五金右"}),
        ("4k4/9/9/9/9/3GGG3/9/9/4K4 b - 1", {"6f5e": "▲５五金左", "5f5e": "▲５五金直", "4f5e": "▲５五金右"}),
        ("4k4/9/9/9/3G5/4G4/9/9/4K4 b - 1", {"6e5e": "▲５五金寄", "5f5e": "▲５五金上"}),
        ("4k4/9/9/4G4/9/4G4/9/9/4K4 b - 1", {"5d5e": "▲５五金引", "5f5e": "▲５五金上"}),
        ("4k4/9/9/3S1S3/9/3S1S3/9/9/4K4 b - 1", {"6d5e": "▲５五銀左引", "4f5e": "▲５五銀右上"}),
        ("4k4/9/9/9/9/4G4/9/9/4K4 b G 1", {"5f5e": "▲５五金", "G*5e": "▲５五金打", "G*1e": "▲１五金"}),
        ("8k/9/9/2+R6/9/9/4+R4/9/4K4 b - 1", {"5g5d": "▲５四龍上", "7d5d": "▲５四龍寄"}),
        ("4k4/9/9/9/9/9/3+B1+B3/9/4K4 b - 1", {"6g5h": "▲５八馬左", "4g5h": "▲５八馬右"}),
        ("4k4/4P4/9/9/9/9/9/9/4K4 w - 1", {"5a5b": "△５二玉"}),
        ("9/k8/9/4S4/9/9/9/9/4K4 b - 1", {"5d5c": "▲５三銀不成", "5d5c+": "▲５三銀成", "5d6e": "▲６五銀"}),
        ("4k4/9/4g1g2/9/9/9/9/9/4K4 w - 1", {"5c4d": "△４四金右", "3c4d": "△４四金左"}),
    ],
)
def test_what_tells_pieces_apart(sfen, texts):
    position = Position(GAME, sfen)
    for move, text in texts.items():
        assert GAME.ki2_text(position.state, position.action(move)) == text
        assert position.action(text) == position.action(move)


def test_same_square_is_written_and_read():
    position = Position(GAME)
    for move in ("7g7f", "3c3d", "8h2b+"):
        position.play(move)
    recapture = position.action("3a2b")
    assert GAME.kif_text(position.state, recapture) == "同　銀(31)"
    assert GAME.ki2_text(position.state, recapture) == "△同　銀"
    for text in ("同銀", "△同　銀", "同　銀(31)", "２二銀", "22銀(31)", "２二同銀", "-3122GI", "3122GI", "3a2b"):
        assert position.action(text) == recapture
    assert position.text() == Position(GAME, position.text()).text()
    with pytest.raises(BadNotation, match="同 is the square of the move before, and there is none"):
        Position(GAME, position.text()).action("△同　銀")


@pytest.mark.parametrize(
    ("text", "error", "why"),
    [
        ("+7775FU", IllegalMove, "the pawn on 7g cannot go to 7e"),
        ("-3334FU", BadNotation, "it is Black's turn [(][+][)]"),
        ("+7776XX", BadNotation, "XX is no piece of CSA's"),
        ("+7776TO", IllegalMove, "a piece promotes only when"),
        ("+7776KI", BadNotation, "FU stands on 77, which cannot become KI"),
        ("+0055TO", BadNotation, "TO cannot be dropped"),
        ("+0755FU", BadNotation, "squares are 11 to 99, the hand is 00"),
        ("+5576FU", BadNotation, "no piece stands on 55"),
        ("+7718FU", BadNotation, "no piece moves from 77 to 18"),
        ("７五歩(77)", IllegalMove, "the pawn on 7g cannot go to 7e"),
        ("７六銀(77)", BadNotation, "no 銀 stands on 7g"),
        ("△３四歩", BadNotation, "it is Black's turn"),
        ("▲５八金", BadNotation, "several pieces can go there"),
        ("▲５五銀", BadNotation, "no legal move fits"),
        ("▲７六歩成", BadNotation, "no legal move fits"),
        ("▲５五歩打", IllegalMove, "Black has no pawn in hand"),
        ("七六", BadNotation, "is no move"),
        ("７六歩(07)", BadNotation, "is no move"),
        ("▲５五と打", BadNotation, "is no move"),
    ],
)
def test_bad_texts_are_named_with_position_and_rule(text, error, why):
    with pytest.raises(error, match=f"{why}") as caught:
        Position(GAME).play(text)
    assert START.removesuffix(" 1") in str(caught.value) or "is no move" in why


def test_diagrams_and_csa_positions_are_written_and_read_back():
    for position, board in random_positions(2, 120):
        lines = bod.write(position.state)
        pieces = {}
        for rank in range(9):
            pieces |= bod.read_rank(lines[3 + rank], rank)
        mail = position.state["mail"][0, :81].tolist()
        assert pieces == {square: piece for square, piece in enumerate(mail) if piece}
        hands = [bod.read_hand(line.partition("：")[2]) for line in (lines[-2], lines[0])]
        assert [sum(hand) for hand in hands] == [sum(board.pieces_in_hand[side]) for side in (0, 1)]
        assert csa.position_lines(position.state)[:9] == board.csa_pos().splitlines()[:9]
        again = csa.read_position(csa.position_lines(position.state))
        assert (again["mail"] == position.state["mail"]).all()
        assert (again["hands"] == position.state["hands"]).all()


def test_numbers_in_kanji():
    assert [bod.number_text(number) for number in (1, 2, 10, 11, 18, 20, 99)] == [
        *("一", "二", "十", "十一", "十八", "二十", "九十九"),
    ]
    assert [bod.read_number(bod.number_text(number)) for number in range(1, 100)] == list(range(1, 100))
    assert bod.read_hand("歩１８　金2") == [0, 18, 0, 0, 0, 2, 0, 0]

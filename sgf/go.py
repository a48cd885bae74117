"""One SGF game tree <-> `Record`.

A Go record's `moves` are GTP texts, its `setup` the text of `Go.position_text`, its tags those of the root under
readable names (`TAG_NAMES`; others under their SGF name). What SGF has no property for stands in private properties:

    GAME[connect4]       the game, by our name, where it is not Go; GM is 2 for Othello, 0 for those without a number
    POSITION[text]       the first position, where AB, AW and PL cannot say all of it
    ENDING[two passes]   `Record.ending`, where RE and the moves do not give it
    RESULT[1-0]          `Record.result`, where RE does not give it
    TAG[name:value]      a tag whose name is no property ("%3A" for ":" and "%25" for "%" in the name)

Moves of games other than Go are written as the game's own notation in B and W, taking turns from B.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache

import numpy as np

from sakiyomi.boards.game import BadNotation
from sakiyomi.boards.go.notation import MAX_SIZE, Diagram, parse_diagram
from sakiyomi.sgf import properties as props
from sakiyomi.sgf.faults import Fault
from sakiyomi.sgf.grammar import GameTree
from sakiyomi.sgf.mainline import WHITE, MainLine, read_main_line
from sakiyomi.sgf.record import Record

TAG_NAMES = {
    "KM": "komi",
    "HA": "handicap",
    "RU": "rules",
    "RE": "result",
    "DT": "date",
    "EV": "event",
    "RO": "round",
    "PC": "place",
    "GN": "name",
    "GC": "comment",
    "BR": "black rank",
    "WR": "white rank",
    "BT": "black team",
    "WT": "white team",
    "TM": "time",
    "OT": "overtime",
    "ON": "opening",
    "AN": "annotator",
    "CP": "copyright",
    "SO": "source",
    "US": "user",
    "AP": "application",
}
"""SGF property -> tag name; a root property not named here is a tag under its own name."""
APPLICATION = "Sakiyomi"
"""What AP says in the records that we write; not kept as a tag."""
MAX_ROOT = 100_000
"""Properties or values of the first node; a real one has some dozens."""
GAME_NAME = r"(?!go-)[a-z][a-z0-9-]{0,39}"
IDENTS = {name: ident for ident, name in TAG_NAMES.items()}
MULTILINE = frozenset({"GC", "CP", "TAG"})
"""Properties whose values are Text; a line break in any other is a space."""
_NO_TAGS = {"FF", "GM", "CA", "SZ", "PB", "PW", "B", "W", "AB", "AW", "AE", "PL", "C", "KO", "ST", "VW", "DD", "MN"}
_NO_TAGS |= {"TB", "TW", "CR", "MA", "SQ", "TR", "SL", "LB", "AR", "LN", "GAME", "POSITION", "ENDING", "RESULT", "TAG"}
RESERVED = frozenset(_NO_TAGS)
"""Root properties that are no tags: what other fields hold, markup, and how the file is to be shown."""


def record_of(tree: GameTree) -> Record:
    """The record of a game tree. Faults met are added to ``tree.faults``.

    Raises BadRecord for a board size that is none, for a move or stone on no point of the board, and for a first node
    or a setup that is absurdly long.
    """
    if max(tree.count(tree.first)) > MAX_ROOT:
        raise tree.bad(f"the first node has over {MAX_ROOT:,} properties or values", tree.offset)
    root = tree.root.properties()
    ours = root.get("GAME", [""])[0]
    game_number = root.get("GM", ["1"])[0].strip() or "1"
    if re.fullmatch(GAME_NAME, ours):
        return _other(tree, root, ours)
    if game_number != "1":
        tree.note(Fault.OTHER_GAME, tree.root.offset_of("GM"), f"GM[{game_number[:20]}]")
        return _other(tree, root, f"sgf-gm{game_number[:20]}")
    width, height = _size(tree, root)
    if max(width, height) > MAX_SIZE:
        tree.note(Fault.BOARD_TOO_BIG, tree.root.offset_of("SZ"), f"{width}x{height}")
        return _record(tree, root, f"go-{width}x{height}", (), None, {})
    handicap = _handicap(tree, root)
    if "KM" in root and props.read_number(root["KM"][0]) is None:
        tree.note(Fault.ODD_NUMBER, tree.root.offset_of("KM"), f"komi {root['KM'][0][:40]!r}")
    line = read_main_line(tree, width, height, handicap)
    setup = setup_text(line, handicap)
    if "POSITION" in root:
        setup = _stated_position(tree, root["POSITION"][0], width, height)
    return _record(tree, root, f"go-{width}x{height}", _texts(line), setup, line.comments)


def main_line_of(record: Record) -> MainLine:
    """The main line of a Go record as arrays: from its tree, if the record still says what the tree says.

    Raises BadNotation for a move or a setup that is none, ValueError for a record of another game or a board over 25.
    """
    width, height = board_size(record)
    if max(width, height) > MAX_SIZE:
        raise ValueError(f"{record.game}: boards go up to {MAX_SIZE}x{MAX_SIZE}")
    if isinstance(record.tree, GameTree) and record.moves:
        handicap = props.read_handicap(record.tags.get("handicap", "")) or 0
        line = read_main_line(record.tree, width, height, handicap)
        if _texts(line) == record.moves and setup_text(line, handicap) == record.setup:
            return line
    index = _index(width, height)
    try:
        actions = np.array([index[move] for move in record.moves], np.int32)
    except KeyError:
        odd = next(move for move in record.moves if move not in index)
        raise BadNotation(f"{odd!r} is no point of a {width}x{height} board, nor 'pass'") from None
    if record.setup is None:
        return MainLine(width, height, actions, comments=dict(record.comments))
    diagram = parse_diagram(record.setup)
    if diagram.board.shape != (height, width):
        raise BadNotation(f"{record.setup!r} is no position of {record.game}")
    return MainLine(width, height, actions, diagram.turn, diagram.board.ravel(), comments=dict(record.comments))


def written_by_us(record: Record) -> bool:
    """Was the record made here, or read from a file that says so? Then its values mean what they say."""
    tree = record.tree
    return not isinstance(tree, GameTree) or tree.root.properties().get("AP") == [APPLICATION]


def komi_of(record: Record) -> float | None:
    """Points that White gets, None if the record does not say; guessed at only where others have written it."""
    text = record.tags.get("komi", "")
    likely = props.read_komi(text, props.read_rules(record.tags.get("rules", "")))
    stated = props.read_komi(text, exact=True)
    return stated if stated != likely and written_by_us(record) else likely


def board_size(record: Record) -> tuple[int, int]:
    """Columns and rows of a Go record. Raises ValueError for a record of another game."""
    match = re.fullmatch(r"go-(\d+)x(\d+)", record.game)
    if not match:
        raise ValueError(f"a record of Go is wanted, this is one of {record.game!r}")
    return int(match[1]), int(match[2])


def setup_text(line: MainLine, handicap: int = 0) -> str | None:
    """The first position of a main line as text; None if it is the empty board with Black to move."""
    if line.board is None and not line.turn:
        return None
    board = np.zeros(line.width * line.height, np.uint8) if line.board is None else line.board
    stones = handicap if handicap >= 2 and line.board is not None and not (board == WHITE).any() else 0
    return _diagram(board.tobytes(), line.width, line.height, line.turn, stones)


@lru_cache(maxsize=4096)  # most games with a setup have one of a few handicaps
def _diagram(board: bytes, width: int, height: int, turn: int, handicap: int) -> str:
    colours = np.frombuffer(board, np.uint8).reshape(height, width)
    return Diagram(colours, turn, None, (0, 0), 0, handicap).text()


@cache
def _move_texts(width: int, height: int) -> list[str]:
    return props.move_texts(width, height)


@cache
def _index(width: int, height: int) -> dict[str, int]:
    return {text: action for action, text in enumerate(_move_texts(width, height))}


def _texts(line: MainLine) -> tuple[str, ...]:
    return tuple(map(_move_texts(line.width, line.height).__getitem__, line.actions.tolist()))


def _size(tree: GameTree, root: Mapping[str, list[str]]) -> tuple[int, int]:
    text = root.get("SZ", ["19"])[0]
    size = props.read_size(text) if text.strip() else (19, 19)
    if size is None:
        raise tree.bad(f"the board size {text[:40]!r} is none from 1 to {props.MAX_SIZE}", tree.root.offset_of("SZ"))
    if not re.fullmatch(r"\d+(:\d+)?", text):
        tree.note(Fault.ODD_NUMBER, tree.root.offset_of("SZ"), f"size {text[:40]!r}")
    return size


def _handicap(tree: GameTree, root: Mapping[str, list[str]]) -> int:
    text = root.get("HA", [""])[0]
    if text and not text.isdecimal():
        tree.note(Fault.ODD_NUMBER, tree.root.offset_of("HA"), f"handicap {text[:40]!r}")
    return props.read_handicap(text) or 0


def _record(
    tree: GameTree,
    root: Mapping[str, list[str]],
    game: str,
    moves: tuple[str, ...],
    setup: str | None,
    comments: Mapping[int, str],
) -> Record:
    """The record, with result, ending, players and tags from the root."""
    stated = root.get("RE", ["?"])[0]
    result, ending, exact = props.read_result(stated)
    if not exact:
        tree.note(Fault.ODD_RESULT, tree.root.offset_of("RE"), stated[:40])
    if not ending and moves[-2:] == ("pass", "pass"):
        ending = "two passes"
    result, ending = root.get("RESULT", [result])[0], root.get("ENDING", [ending])[0]
    tags = {TAG_NAMES.get(k, k): _simple(k, values) for k, values in root.items() if k not in RESERVED}
    if stated == props.write_result(result, ending):
        tags.pop("result", None)  # it says no more than the fields do
    if tags.get("application") == APPLICATION:
        del tags["application"]
    for value in root.get("TAG", ()):
        name, _, text = value.partition(":")
        tags[name.replace("%3A", ":").replace("%25", "%")] = text
    players = (_simple("PB", root.get("PB", [""])), _simple("PW", root.get("PW", [""])))
    return Record(game, moves, setup, result, ending, players, tags, comments, tree)


def _simple(ident: str, values: list[str]) -> str:
    text = values[0] if len(values) == 1 else " ".join(values)
    return text if ident in MULTILINE or "\n" not in text else text.replace("\n", " ")


def _stated_position(tree: GameTree, text: str, width: int, height: int) -> str:
    try:
        diagram = parse_diagram(text)
    except BadNotation as error:
        raise tree.bad(str(error), tree.root.offset_of("POSITION")) from None
    if diagram.board.shape != (height, width):
        raise tree.bad(f"{text[:60]!r} is no {width}x{height} position", tree.root.offset_of("POSITION"))
    return text


def _other(tree: GameTree, root: Mapping[str, list[str]], game: str) -> Record:
    """A game other than Go: ours with its moves, any other with its properties alone."""
    moves: list[str] = []
    comments: dict[int, list[str]] = {}
    if "GAME" in root:
        for node in tree.main_line():
            found = node.properties()
            moves += [value for ident in ("B", "W") for value in found.get(ident, ())[:1]]
            for text in found.get("C", ()):
                comments.setdefault(len(moves), []).append(text)
    setup = root["POSITION"][0] if "POSITION" in root else None
    return _record(tree, root, game, tuple(moves), setup, {ply: "\n".join(said) for ply, said in comments.items()})

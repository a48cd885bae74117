// Shogi: the positions from the moves, SFEN, and moves in Western, Japanese and USI notation, and KIF. The rules stay
// with who made the page. Cells 0 to 80 are squares, row by row from 9a; 81 to 87 and 88 to 94 are Black's and White's
// hands, pawn to rook, and hold counts.

const START_SFEN = "lnsgkgsnl/1r5b1/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL b - 1";
const HANDS = 81;
const KIND_LETTERS = " PLNSGBRK";
const KIND_NAMES = ["", "歩", "香", "桂", "銀", "金", "角", "飛", "玉", "と", "成香", "成桂", "成銀", "", "馬", "龍"];
const DIAGRAM_NAMES = " 歩香桂銀金角飛玉と杏圭全 馬龍";
const NUMERALS = " 一二三四五六七八九";

const fileOf = (cell) => 9 - (cell % 9);
const rankOf = (cell) => Math.floor(cell / 9) + 1;
const squareName = (cell) => `${fileOf(cell)}${"abcdefghi"[rankOf(cell) - 1]}`;
// A piece, or a kind, as SFEN has it: "P", "+p".
function letterOf(piece) {
  const kind = Math.abs(piece);
  const letter = kind > 8 ? `+${KIND_LETTERS[kind - 8]}` : KIND_LETTERS[kind];
  return piece < 0 ? letter.toLowerCase() : letter;
}

// [board after 0, 1, 2, ... moves], as `MovingDrawing` wants them. Fills `game.played`, for each move {piece, from, to,
// taken, promotes, declines, relation, check, drop}: `piece` as it was before the move, `declines` that it might have
// promoted, and `relation` how Japanese texts tell it from others that could have gone there (0 where there are none).
function shogiPositions(game) {
  const cells = new Int8Array(95);
  for (const [cell, piece] of changesOf(game.start)) cells[cell] = piece;
  const kingOf = (side) => cells.indexOf(side ? -8 : 8);
  const first = game.turns.length ? game.turns[0] : firstOf(game);
  const positions = [{cells: cells.slice(), moved: [], check: game.check ? kingOf(first) : -1}];
  game.played = (game.changes.match(/.{3}/g) || []).map((digits, k) => {
    const number = [...digits].reduce((sum, digit) => 64 * sum + DIGITS.indexOf(digit), 0);
    const [from, to, relation] = [Math.floor(number / 2592), Math.floor(number / 32) % 81, (number >> 2) % 8];
    const [promotes, check] = [1, 2].map((flag) => (number & flag) > 0);
    const side = game.turns[k];
    const sign = side ? -1 : 1;
    const drop = from >= HANDS;
    const piece = drop ? sign * (((from - HANDS) % 7) + 1) : cells[from];
    const taken = cells[to];
    if (taken) cells[HANDS + 7 * side + ((Math.abs(taken) - 1) % 8)] += 1;
    cells[from] = drop ? cells[from] - 1 : 0;
    cells[to] = piece + (promotes ? 8 * sign : 0);
    positions.push({cells: cells.slice(), moved: [[from, to]], check: check ? kingOf(1 - side) : -1});
    const far = (cell) => (side ? rankOf(cell) > 6 : rankOf(cell) < 4);
    const declines = !drop && !promotes && ![5, 8].includes(Math.abs(piece)) && Math.abs(piece) < 9 && (far(from) || far(to));
    return {piece, from, to, taken, promotes, declines, relation, check, drop};
  });
  return positions;
}

const firstOf = (game) => ((game.setup || START_SFEN).split(" ")[1] === "w" ? 1 : 0);

function sfenOf(game, positions, ply) {
  const {cells} = positions[ply];
  const ranks = Array.from({length: 9}, (_, y) => {
    const row = [...cells.subarray(9 * y, 9 * y + 9)].map((piece) => (piece ? letterOf(piece) : "."));
    return row.join("").replace(/\.+/g, (gap) => gap.length);
  });
  let hands = "";
  for (const side of [0, 1]) {
    for (let kind = 7; kind > 0; kind -= 1) {
      const count = cells[HANDS + 7 * side + kind - 1];
      if (count) hands += (count > 1 ? count : "") + letterOf(side ? -kind : kind);
    }
  }
  const turn = (firstOf(game) + ply) % 2;
  return [ranks.join("/"), "bw"[turn], hands || "-", Number((game.setup || START_SFEN).split(" ")[3]) + ply].join(" ");
}

// "P-7f", "Bx2b+", "G6i-5h" (the square that it leaves, where another could go there), "P*5e", "S-3c=" (not promoted).
function western({piece, from, to, taken, promotes, declines, relation, drop}) {
  const origin = relation && !drop ? squareName(from) : "";
  return `${letterOf(Math.abs(piece))}${origin}${drop ? "*" : taken ? "x" : "-"}${squareName(to)}${promotes ? "+" : declines ? "=" : ""}`;
}

function usi({piece, from, to, promotes, drop}) {
  return `${drop ? `${letterOf(Math.abs(piece))}*` : squareName(from)}${squareName(to)}${promotes ? "+" : ""}`;
}

const placeName = (cell) => `${WIDE_DIGITS[fileOf(cell)]}${NUMERALS[rankOf(cell)]}`;

// "▲７六歩", "△同　銀" (to where the last move went), "▲４八金右", "△３三角不成", and "▲５五歩打" where a piece could go there.
function japanese({piece, from, to, promotes, declines, relation, drop}, before) {
  const white = piece < 0;
  const up = (rankOf(from) - rankOf(to)) * (white ? -1 : 1);
  const motion = drop ? "打" : up > 0 ? "上" : up < 0 ? "引" : "寄";
  const told = ["", motion, "左", `左${motion}`, "右", `右${motion}`, "直"][relation];
  const rest = told + (promotes ? "成" : declines ? "不成" : "");
  const name = KIND_NAMES[Math.abs(piece)];
  const same = before && before.to === to;
  return `${white ? "△" : "▲"}${same ? "同" : placeName(to)}${same && !rest && name.length < 2 ? "　" : ""}${name}${rest}`;
}

// As KIF has it: "７六歩(77)", "２二角成(88)", "同　銀(31)", "５五歩打".
function kif({piece, from, to, promotes, drop}, before) {
  const place = before && before.to === to ? "同　" : placeName(to);
  const name = KIND_NAMES[Math.abs(piece)] + (promotes ? "成" : "");
  return place + name + (drop ? "打" : `(${fileOf(from)}${rankOf(from)})`);
}

// The text of move `k` in the notation that is chosen; moves that are not legal stay as they are.
function shogiMove(game, k) {
  const move = game.played[k];
  if (!move) return game.moves[k - game.played.length];
  return ({usi, western}[state.notation] || japanese)(move, game.played[k - 1]);
}

// ---- KIF

const KIF_ENDINGS = {resignation: "投了", checkmate: "詰み", repetition: "千日手", declaration: "入玉勝ち", "time forfeit": "切れ負け", "move limit": "最大手数", interrupted: "中断"};
const LAST_WINS = ["入玉勝ち", "反則勝ち"]; // for the player to move, who loses by the others
const HANDICAPS = {
  "lnsgkgsn1/1r5b1": "香落ち", "1nsgkgsnl/1r5b1": "右香落ち", "lnsgkgsnl/1r7": "角落ち", "lnsgkgsnl/7b1": "飛車落ち",
  "lnsgkgsn1/7b1": "飛香落ち", "lnsgkgsnl/9": "二枚落ち", "lnsgkgsn1/9": "三枚落ち", "1nsgkgsn1/9": "四枚落ち", "2sgkgsn1/9": "五枚落ち",
  "1nsgkgs2/9": "左五枚落ち", "2sgkgs2/9": "六枚落ち", "3gkg3/9": "八枚落ち", "4k4/9": "十枚落ち",
};

function kifOf(game, players, ending, event) {
  const line = (text) => text.replace(/\s+/g, " ").trim();
  const lines = ["#KIF version=2.0 encoding=UTF-8", `棋戦：${line(event)}`];
  const [top, rest] = [(game.setup || START_SFEN).split("/").slice(0, 2).join("/"), START_SFEN.split("/").slice(2).join("/")];
  const handicap = game.setup === `${top}/${rest.replace("b - 1", "w - 1")}` ? HANDICAPS[top] : undefined;
  const sides = handicap ? ["下手", "上手"] : ["先手", "後手"];
  lines.push(...(game.setup && !handicap ? diagram(game) : [`手合割：${handicap || "平手"}`]));
  lines.push(`${sides[0]}：${line(players[0])}`, `${sides[1]}：${line(players[1])}`, "手数----指手---------消費時間--");
  const comment = (ply) => {
    if (game.comments[ply]) lines.push(...game.comments[ply].split(/\r?\n/).map((text) => `*${text}`));
  };
  comment(0);
  game.played.forEach((move, k) => {
    lines.push(`${String(k + 1).padStart(4)} ${kif(move, game.played[k - 1])}`);
    comment(k + 1);
  });
  const next = (firstOf(game) + game.played.length) % 2;
  const won = winnerOf(game);
  const plain = ending === "declaration" && won < 0 ? "持将棋" : KIF_ENDINGS[ending];
  const last = plain || (won < 0 ? "中断" : won === next ? "反則勝ち" : "反則負け");
  const sure = won < 0 || (won === next) === LAST_WINS.includes(last); // else the word would name another winner
  if (sure) lines.push(`${String(game.played.length + 1).padStart(4)} ${last}`);
  const why = {"time forfeit": "時間切れにより", declaration: "入玉宣言により"}[ending] || "";
  if (won >= 0) lines.push(`まで${game.played.length}手で${why}${sides[won]}の勝ち`);
  return `${lines.join("\n")}\n`;
}

// The first position as KIF draws it.
function diagram(game) {
  const cells = new Int8Array(95);
  for (const [cell, piece] of changesOf(game.start)) cells[cell] = piece;
  const numeral = (n) => (n > 9 ? "十" : "") + (n % 10 ? NUMERALS[n % 10] : "");
  const hand = (side) => {
    const held = [7, 6, 5, 4, 3, 2, 1].map((kind) => [kind, cells[HANDS + 7 * side + kind - 1]]).filter(([, count]) => count);
    return held.map(([kind, count]) => KIND_NAMES[kind] + (count > 1 ? numeral(count) : "")).join("　") || "なし";
  };
  const rows = Array.from({length: 9}, (_, y) => {
    const row = [...cells.subarray(9 * y, 9 * y + 9)].map((piece) => (piece ? (piece < 0 ? "v" : " ") + DIAGRAM_NAMES[Math.abs(piece)] : " ・"));
    return `|${row.join("")}|${NUMERALS[y + 1]}`;
  });
  const rule = "+---------------------------+";
  const turn = firstOf(game) ? "後手番" : "先手番";
  return [`後手の持駒：${hand(1)}`, "  ９ ８ ７ ６ ５ ４ ３ ２ １", rule, ...rows, rule, `先手の持駒：${hand(0)}`, turn];
}

// ---- the board

const TALL = 1.08; // of a square, whose width is 1
const EDGE = 0.44; // of the board around the squares
const STAND = {width: 1.5, gap: 0.2, slot: 0.98, end: 0.5}; // for pieces in hand, with room for a mark at one end
const ROW = {first: 0.9, slot: 1.32, height: 1.16}; // where the stands lie above and below the board
const PIECE_SIZE = [0, 0.84, 0.87, 0.89, 0.93, 0.93, 0.97, 0.97, 1]; // by kind
const PENTAGON = "M0-.5 .32-.38 .43 .47H-.43L-.32-.38z";
const FACES = " 歩香桂銀金角飛玉と杏圭全 馬龍";
const INK = {plain: "#1c140a", promoted: "#b3140f"};

// A drawing of a shogi board with both hands, as `Drawing` is of others.
class ShogiDrawing extends MovingDrawing {
  constructor(board) {
    super(board, 95, "0 0 1 1");
    Object.assign(this, {size: [1, TALL], squares: 81, glow: "#7f9e2f", danger: {fill: "#d8281a", "fill-opacity": 0.72}, folded: null, japanese: false});
    this.paint = definitions(this.element, "shogi");
    const defs = svg("defs", {}, this.element);
    this.face = `face${serial}`;
    const face = svg("linearGradient", {id: this.face, x1: 0.2, y1: 0, x2: 0.8, y2: 1}, defs);
    for (const [offset, colour] of [[0, "#ffeec6"], [0.6, "#f8dba0"], [1, "#efc981"]]) svg("stop", {offset, "stop-color": colour}, face);
    woodenBoard(this.element, this.paint, -EDGE, -EDGE, 9 + 2 * EDGE, 9 * TALL + 2 * EDGE);
    this.stands = svg("g", {}, this.element);
    this.layers();
    this.grid();
    this.fold(false);
  }

  grid() {
    let path = "";
    for (let k = 0; k <= 9; k += 1) path += `M${k} 0V${9 * TALL}M0 ${k * TALL}H9`;
    const ink = {stroke: "#3d2a10", fill: "none"};
    svg("path", {d: path, "stroke-width": 0.022, ...ink}, this.lines);
    svg("rect", {width: 9, height: 9 * TALL, "stroke-width": 0.05, class: "ground", ...ink}, this.lines);
    for (const x of [3, 6]) for (const y of [3, 6]) svg("circle", {cx: x, cy: y * TALL, r: 0.065, fill: "#3d2a10"}, this.lines);
  }

  // Put the stands above and below the board, where there is little room, or beside it.
  fold(folded) {
    if (folded === this.folded) return;
    this.folded = folded;
    const width = 9.04 + 2 * EDGE + (folded ? 0 : 2 * (STAND.width + STAND.gap));
    const height = 9 * TALL + 2 * EDGE + (folded ? 2 * (ROW.height + STAND.gap) + 0.04 : 0);
    this.element.setAttribute("viewBox", `${4.5 - width / 2} ${4.5 * TALL - height / 2} ${width} ${height}`);
    this.ratio = width / height;
    this.arrange();
  }

  // Coordinates as the notation of that name has them.
  notate(notation) {
    this.japanese = notation === "japanese";
    this.label();
  }

  label() {
    this.names.replaceChildren();
    for (const [name, value] of [["fill", "#5a3e17"], ["font-size", 0.29]]) this.names.setAttribute(name, value);
    this.turned(this.board.columns).forEach((name, x) => write(this.names, name, x + 0.5, -EDGE / 2));
    this.turned(this.board.rows).forEach((name, y) => {
      const [x, middle] = [9 + EDGE / 2, (y + 0.5) * TALL];
      if (!this.japanese) write(this.names, name, x, middle);
      else {
        const character = NUMERALS["abcdefghi".indexOf(name) + 1];
        const path = svg("path", {d: kanjiPath(character), transform: `translate(${x} ${middle}) scale(.0029) translate(-50 -50)`}, this.names);
        path.setAttribute("data-numeral", character);
      }
    });
    this.stands.replaceChildren();
    for (const side of [0, 1]) this.stand(side);
  }

  // Is that side's camp seen at the bottom?
  below(side) {
    return (side === 1) === this.flipped;
  }

  stand(side) {
    const {folded} = this;
    const width = folded ? 9 + 2 * EDGE : STAND.width;
    const height = folded ? ROW.height : 7 * STAND.slot + STAND.end + 0.1;
    const x = folded ? -EDGE : 9 + EDGE + STAND.gap;
    const y = folded ? 9 * TALL + EDGE + STAND.gap : 9 * TALL + EDGE - height;
    const group = svg("g", this.below(side) ? {} : {transform: `rotate(180 4.5 ${4.5 * TALL})`}, this.stands);
    woodenBoard(group, this.paint, x, y, width, height);
    svg("rect", {x, y, width, height, rx: 0.14, fill: "#6b3f0c", "fill-opacity": 0.22, stroke: "#7d5318", "stroke-width": 0.03}, group);
    const [cx, cy] = folded ? [x + 0.26, y + height / 2] : [x + width / 2, y + 0.3];
    pentagon(group, cx, cy, 0.34, side);
  }

  at(cell) {
    if (cell < HANDS) {
      const seen = this.flipped ? 80 - cell : cell;
      return [(seen % 9) + 0.5, (Math.floor(seen / 9) + 0.5) * TALL];
    }
    const [side, slot] = [Math.floor((cell - HANDS) / 7), 6 - ((cell - HANDS) % 7)]; // rooks first
    const [x, y] = this.folded
      ? [-EDGE + ROW.first + slot * ROW.slot, 9 * TALL + EDGE + STAND.gap + ROW.height / 2]
      : [9 + EDGE + STAND.gap + 0.56, 9 * TALL + EDGE - (6.5 - slot) * STAND.slot - 0.05];
    return this.below(side) ? [x, y] : [9 - x, 9 * TALL - y];
  }

  draw(piece, cell) {
    const group = svg("g");
    if (cell < HANDS) this.man(group, Math.abs(piece), piece < 0 ? 1 : 0);
    else {
      const side = Math.floor((cell - HANDS) / 7);
      this.man(group, ((cell - HANDS) % 7) + 1, side);
      const count = {x: this.below(side) ? 0.62 : -0.62, y: this.below(side) ? 0.18 : -0.18, "font-size": piece > 9 ? 0.34 : 0.42, "font-weight": 700, "text-anchor": "middle", "dominant-baseline": "central", fill: "#2b1a05", class: "count"};
      if (piece > 1) svg("text", count, group).textContent = piece;
    }
    return group;
  }

  // A piece of that kind: five-sided, pointing away from its side, with its character.
  man(parent, kind, side) {
    const group = svg("g", this.below(side) ? {} : {transform: "rotate(180)"}, parent);
    const character = kind === 8 && side ? "王" : FACES[kind];
    group.dataset.character = character;
    const size = PIECE_SIZE[kind > 8 ? kind - 8 : kind];
    const shadow = this.below(side) ? ".03 .05" : "-.03 -.05";
    svg("path", {d: PENTAGON, fill: "#3b2405", "fill-opacity": 0.35, transform: `translate(${shadow}) scale(${size})`}, group);
    svg("path", {d: PENTAGON, fill: `url(#${this.face})`, stroke: "#7d5318", "stroke-width": 0.024, "stroke-linejoin": "round", transform: `scale(${size})`}, group);
    const ink = kind > 8 ? INK.promoted : INK.plain;
    const place = `scale(${size}) translate(0 .055) scale(.0058 .0066) translate(-50 -51)`;
    svg("path", {d: kanjiPath(character), fill: ink, stroke: ink, "stroke-width": 2.4, "stroke-linejoin": "round", transform: place}, group);
  }
}

// The mark of a side: Black's is a dark piece, White's a light one.
function pentagon(parent, x, y, size, side) {
  const [fill, stroke] = side ? ["#fffdf7", "#2b2520"] : ["#24201c", "#12100e"];
  svg("path", {d: PENTAGON, fill, stroke, "stroke-width": 0.07, "stroke-linejoin": "round", "data-side": side, transform: `translate(${x} ${y}) scale(${size})`}, parent);
}

// ---- words

const WON = {
  checkmate: "by checkmate", resignation: "by resignation", declaration: "by declaring the entering king", "time forfeit": "on time",
  "perpetual check": "as the other side repeated the position by perpetual check", "illegal move": "by an illegal move of the other side",
};
const DRAWN = {repetition: "by repetition (sennichite)", "move limit": "at the limit of moves", declaration: "by declaration (24 points)"};

KINDS.shogi = {
  ...KINDS.plain,
  moving: true,
  flips: true,
  pairs: true,
  prepare: (game) => Object.assign(game, {plies: game.turns.length + game.moves.length}),
  positions: shogiPositions,
  drawing: (board) => new ShogiDrawing(board),
  moveText: shogiMove,
  status(game, ply, positions) {
    const check = game.played[ply - 1].check ? (ply === game.plies && DATA.endings[game.ending] === "checkmate" ? ", mate" : ", check") : "";
    return `Move ${ply} of ${positions.length - 1}: ${game.board.sides[game.turns[ply - 1]]} ${shogiMove(game, ply - 1)}${check}`;
  },
  outcome(game, result, ending) {
    const winner = winnerOf(game);
    if (winner < 0) return [result, game.score === 0.5 ? `drawn ${DRAWN[ending] || `(${ending})`}` : ending];
    return [result, `${game.board.sides[winner]} won ${WON[ending] || `(${ending})`}`];
  },
  note: (game, position, side) => `${game.board.sides[side]} (${side ? "gote" : "sente"})`,
  icon(side) {
    const root = svg("svg", {viewBox: "-.55 -.55 1.1 1.1", "aria-hidden": "true"});
    pentagon(root, 0, 0, 1, side);
    return root;
  },
  position: {name: "SFEN", text: sfenOf},
  record: {name: "KIF", suffix: "kifu", type: "text/plain;charset=utf-8", text: kifOf},
  notations: [["Japanese", "japanese"], ["Western, P-7f", "western"], ["USI, 7g7f", "usi"]],
  spell: spelt,
};

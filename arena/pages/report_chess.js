// Chess: the board, its positions from the moves' squares, FEN and PGN. The rules stay with who made the page.

const START_FEN = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1";
const WORTH = [0, 1, 3, 3, 5, 9, 0];
const WOOD = {light: "#f0e3ca", dark: "#b18a63", frame: "#4a3527", label: "#e9d8bc"};

// "0KQkq,8kq" -> [[0, "KQkq"], [8, "kq"]]
function byPly(text) {
  return text ? text.split(",").map((part) => [parseInt(part, 10), part.replace(/^\d+/, "")]) : [];
}

// [board after 0, 1, 2, ... moves], as `MovingDrawing` wants them, with `captured`, the pieces taken [by White, by Black],
// and `clock`, the halfmove clock of the FEN.
function chessPositions(game) {
  const cells = new Int8Array(64);
  for (const [cell, piece] of changesOf(game.start)) cells[cell] = piece;
  const captured = [[], []];
  const first = fieldsOf(game)[1] === "w" ? 0 : 1;
  let clock = Number(fieldsOf(game)[4]);
  const checked = (side) => cells.indexOf(side ? -6 : 6);
  const positions = [{cells: cells.slice(), moved: [], check: game.check ? checked(first) : -1, captured: [[], []], clock}];
  (game.changes.match(/\(.*?\)|../g) || []).forEach((part, k) => {
    const digits = [...part.replace(/[()]/g, "")].map((digit) => DIGITS.indexOf(digit));
    const becomes = digits.length % 2 ? digits.pop() - 32 : 0;
    const pairs = [];
    for (let at = 0; at < digits.length; at += 2) pairs.push([digits[at], digits[at + 1], cells[digits[at]]]);
    const pawn = Math.abs(pairs[0][2]) === 1;
    for (const [origin] of pairs) cells[origin] = 0;
    const taken = [];
    for (const [origin, to, piece] of pairs) {
      if (origin === to) taken.push(piece);
      else {
        if (cells[to]) taken.push(cells[to]);
        cells[to] = becomes || piece;
      }
    }
    const side = (first + k) % 2;
    captured[side] = [...captured[side], ...taken].sort((a, b) => Math.abs(a) - Math.abs(b));
    clock = pawn || taken.length ? 0 : clock + 1;
    const check = /[+#]$/.test(game.moves[k]) ? checked(1 - side) : -1;
    const moved = pairs.filter(([origin, to]) => origin !== to).map((pair) => pair.slice(0, 2)); // of castling first the king
    positions.push({cells: cells.slice(), moved, check, captured: [...captured], clock});
  });
  return positions;
}

const fieldsOf = (game) => (game.setup || START_FEN).split(" ");
// How many plies were played before the game's first position: 0 for White's first move.
const pliesBefore = (game) => 2 * (Number(fieldsOf(game)[5]) - 1) + (fieldsOf(game)[1] === "b" ? 1 : 0);

function fenOf(game, positions, ply) {
  const {cells, clock} = positions[ply];
  const ranks = [];
  for (let y = 0; y < 8; y += 1) {
    const row = [...cells.subarray(8 * y, 8 * y + 8)].map((piece) => (piece ? " PNBRQK"[Math.abs(piece)] : "."));
    const signs = row.map((sign, x) => (cells[8 * y + x] < 0 ? sign.toLowerCase() : sign)).join("");
    ranks.push(signs.replace(/\.+/g, (gap) => gap.length));
  }
  const rights = game.rights.filter(([from]) => from <= ply).pop()[1];
  const passant = game.passants.find(([at]) => at === ply);
  const plies = pliesBefore(game) + ply;
  return [ranks.join("/"), "wb"[plies % 2], rights, passant ? passant[1] : "-", clock, Math.floor(plies / 2) + 1].join(" ");
}

// "12." before White's move, "12..." before Black's.
function moveNumber(game, ply) {
  const plies = pliesBefore(game) + ply;
  return `${Math.floor(plies / 2) + 1}${plies % 2 ? "..." : "."}`;
}

function pgnOf(game, players, ending, event) {
  const quoted = (text) => `"${text.replace(/\s+/g, " ").replace(/[\\"]/g, "\\$&")}"`;
  const result = ["1-0", "0-1", "1/2-1/2"].includes(game.result) ? game.result : "*";
  const tags = [["Event", event], ["Site", "?"], ["Date", "????.??.??"], ["Round", `${game.number}`], ["White", players[0]], ["Black", players[1]], ["Result", result]];
  if (game.board.name === "chess960") tags.push(["Variant", "Chess960"]);
  if (game.setup) tags.push(["SetUp", "1"], ["FEN", game.setup]);
  if (ending) tags.push(["Termination", ending]);
  const words = [];
  const comment = (ply) => {
    const text = (game.comments[ply] || "").replace(/[{}]/g, "").trim();
    if (text) words.push(...`{ ${text} }`.split(/\s+/));
    return Boolean(text);
  };
  comment(0);
  let interrupted = true;
  game.turns.forEach((side, k) => {
    if (side === 0 || interrupted) words.push(moveNumber(game, k));
    words.push(game.moves[k]);
    interrupted = comment(k + 1);
  });
  words.push(result);
  const lines = [""];
  for (const word of words) {
    const last = lines.length - 1;
    if (lines[last] && lines[last].length + word.length >= 80) lines.push(word);
    else lines[last] += (lines[last] ? " " : "") + word;
  }
  return `${tags.map(([tag, text]) => `[${tag} ${quoted(text)}]`).join("\n")}\n\n${lines.join("\n")}\n`;
}

// What the pieces on the board are worth for a side, less those of the other.
function balanceOf(position, side) {
  const white = position.cells.reduce((sum, piece) => sum + Math.sign(piece) * WORTH[Math.abs(piece)], 0);
  return side ? -white : white;
}

// A row of small pictures of the pieces that a side has taken, and its lead in material.
function capturesOf(game, position, side) {
  const row = element("span", "", "taken");
  position.captured[side].forEach((piece, k, all) => {
    const icon = svg("svg", {viewBox: "-.42 -.46 .84 .92", "aria-hidden": "true"}, row);
    if (k && all[k - 1] !== piece) icon.setAttribute("class", "other");
    drawChessman(icon, piece, 0, 0);
  });
  const lead = balanceOf(position, side);
  if (lead > 0) row.append(element("b", `+${lead}`));
  const names = position.captured[side].map((piece) => ["", "pawn", "knight", "bishop", "rook", "queen"][Math.abs(piece)]);
  if (names.length) row.title = `has taken ${names.join(", ")}`;
  return row;
}

class ChessDrawing extends MovingDrawing {
  constructor(board) {
    const edge = 0.4;
    super(board, 64, `${-edge} ${-edge} ${8 + 2 * edge} ${8 + 2 * edge}`);
    const danger = `danger${(serial += 1)}`;
    Object.assign(this, {size: [1, 1], squares: 64, glow: "#f2cf2e", danger: {fill: `url(#${danger})`}, ratio: 1});
    const red = svg("radialGradient", {id: danger}, svg("defs", {}, this.element));
    for (const [offset, opacity] of [[0, 0.95], [0.45, 0.8], [1, 0]]) svg("stop", {offset, "stop-color": "#e0261a", "stop-opacity": opacity}, red);
    svg("rect", {x: -edge, y: -edge, width: 8 + 2 * edge, height: 8 + 2 * edge, rx: 0.12, fill: WOOD.frame}, this.element);
    svg("rect", {width: 8, height: 8, fill: WOOD.light, class: "ground"}, this.element);
    let dark = "";
    for (let cell = 0; cell < 64; cell += 1) if ((cell + (cell >> 3)) % 2) dark += `M${cell % 8} ${cell >> 3}h1v1h-1z`;
    svg("path", {d: dark, fill: WOOD.dark}, this.element);
    this.layers();
    this.label();
  }

  label() {
    this.names.replaceChildren();
    for (const [name, value] of [["fill", WOOD.label], ["font-size", 0.25]]) this.names.setAttribute(name, value);
    this.turned(this.board.columns).forEach((name, x) => write(this.names, name, x + 0.5, 8.2));
    this.turned(this.board.rows).forEach((name, y) => write(this.names, name, -0.2, y + 0.5));
  }

  at(cell) {
    const seen = this.flipped ? 63 - cell : cell;
    return [(seen % 8) + 0.5, (seen >> 3) + 0.5];
  }

  draw(piece) {
    return drawChessman(null, piece, 0, 0);
  }
}

KINDS.chess = {
  ...KINDS.plain,
  moving: true,
  flips: true,
  pairs: true,
  prepare: (game) => Object.assign(game, {rights: byPly(game.rights), passants: byPly(game.passants)}),
  positions: chessPositions,
  drawing: (board) => new ChessDrawing(board),
  length: (plies) => Math.ceil(plies / 2),
  numberOf: (game, k) => (k && moveNumber(game, k).endsWith("...") ? "" : moveNumber(game, k)),
  status(game, ply) {
    const move = game.moves[ply - 1];
    const sign = move.endsWith("#") ? ", mate" : move.endsWith("+") ? ", check" : "";
    return `${moveNumber(game, ply - 1)} ${move} (${game.board.sides[game.turns[ply - 1]]}${sign})`;
  },
  beside: capturesOf,
  icon: (side) => {
    const root = svg("svg", {viewBox: "-.55 -.55 1.1 1.1", "aria-hidden": "true"});
    drawChessman(root, side ? -6 : 6, 0, 0);
    return root;
  },
  position: {name: "FEN", text: fenOf},
  record: {name: "PGN", suffix: "pgn", type: "application/x-chess-pgn", text: pgnOf},
};

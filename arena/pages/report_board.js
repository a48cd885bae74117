// Draws boards as SVG. Knows how pieces look, not how they move: what changes at each move comes with the game.

const SVG = "http://www.w3.org/2000/svg";
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

function svg(name, attributes = {}, parent = null) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (parent) parent.append(element);
  return element;
}

// "AAhAB_" -> [[cell, piece], ...]
function changesOf(text) {
  const changes = [];
  for (let at = 0; at < text.length; at += 3) {
    const [high, low, piece] = [0, 1, 2].map((k) => DIGITS.indexOf(text[at + k]));
    changes.push([64 * high + low, piece - 32]);
  }
  return changes;
}

// [board after 0, 1, 2, ... moves], each {cells, mark, taken, lost}: the cell just played or -1, the cells that changed
// beside it as [cell, piece before], and how many pieces [first, second] have been taken off so far.
function positionsOf(board, start, changes, moves) {
  const cells = new Int8Array(board.width * board.height);
  for (const [cell, piece] of changesOf(start)) cells[cell] = piece;
  const positions = [{cells: cells.slice(), mark: -1, taken: [], lost: [0, 0]}];
  const parts = moves ? changes.split(",") : [];
  const lost = [0, 0];
  for (const part of parts) {
    let mark = -1;
    const taken = [];
    changesOf(part).forEach(([cell, piece], k) => {
      const before = cells[cell];
      if (k === 0 && before === 0 && piece !== 0) mark = cell;
      else taken.push([cell, before]);
      if (before !== 0 && piece === 0) lost[before > 0 ? 0 : 1] += 1;
      cells[cell] = piece;
    });
    positions.push({cells: cells.slice(), mark, taken, lost: lost.slice()});
  }
  return positions;
}

// Colours as [light, middle, dark] of a sphere lit from the upper left.
const PIECES = {
  go: [["#7d7d7d", "#2c2c2c", "#050505"], ["#ffffff", "#f3f1ea", "#bdb8ab"]],
  othello: [["#5b5f5d", "#1f2321", "#0a0c0b"], ["#ffffff", "#f6f5f0", "#cfccc2"]],
  connect4: [["#ff8f7d", "#d8392b", "#9a1f16"], ["#fff0a3", "#f2c230", "#b98a0c"]],
  tictactoe: [["#4f7ec4", "#2c5596", "#1c3a6a"], ["#ef9470", "#c9592f", "#8f3816"]],
  squares: [["#7d7d7d", "#2c2c2c", "#050505"], ["#ffffff", "#f3f1ea", "#bdb8ab"]],
  chess: [["#ffffff", "#fffdf7", "#d8d0c0"], ["#5b554f", "#35302c", "#12100e"]],
  shogi: [["#5b554f", "#35302c", "#12100e"], ["#ffffff", "#fffdf7", "#d8d0c0"]],
};

let serial = 0;

// Gradients and the like, with ids of their own for every drawing; returns a function from name to "url(#...)".
function definitions(root, style) {
  const id = (name) => `p${number}-${name}`;
  const number = (serial += 1);
  const defs = svg("defs", {}, root);
  PIECES[style].forEach(([light, middle, dark], side) => {
    const ball = svg("radialGradient", {id: id(`piece${side}`), cx: 0.36, cy: 0.32, r: 0.72}, defs);
    svg("stop", {offset: 0, "stop-color": light}, ball);
    svg("stop", {offset: side ? 0.55 : 0.5, "stop-color": middle}, ball);
    svg("stop", {offset: 1, "stop-color": dark}, ball);
  });
  const shade = svg("radialGradient", {id: id("shade")}, defs);
  svg("stop", {offset: 0.7, "stop-color": "#000", "stop-opacity": 0.42}, shade);
  svg("stop", {offset: 1, "stop-color": "#000", "stop-opacity": 0}, shade);
  const wood = svg("linearGradient", {id: id("wood"), x1: 0, y1: 0, x2: 1, y2: 1}, defs);
  for (const [offset, colour] of [[0, "#e9bf78"], [0.5, "#dfb069"], [1, "#d3a058"]]) {
    svg("stop", {offset, "stop-color": colour}, wood);
  }
  const felt = svg("radialGradient", {id: id("felt"), r: 0.8}, defs);
  svg("stop", {offset: 0, "stop-color": "#2f8a5c"}, felt);
  svg("stop", {offset: 1, "stop-color": "#20694a"}, felt);
  const grain = svg("filter", {id: id("grain"), x: 0, y: 0, width: "100%", height: "100%"}, defs);
  svg("feTurbulence", {type: "fractalNoise", baseFrequency: "0.012 0.22", numOctaves: 3, seed: 11}, grain);
  svg("feColorMatrix", {values: "0 0 0 0 .36  0 0 0 0 .2  0 0 0 0 .05  .75 0 0 0 -.26"}, grain);
  return (name) => `url(#${id(name)})`;
}

// A board of grained wood; `paint` is what `definitions` returns.
function woodenBoard(parent, paint, x, y, width, height) {
  svg("rect", {x, y, width, height, rx: 0.14, fill: paint("wood")}, parent);
  const scaled = svg("g", {transform: `translate(${x} ${y}) scale(${width / 640})`}, parent);
  const size = {width: 640, height: (640 * height) / width};
  svg("rect", {...size, rx: (0.14 * 640) / width, filter: paint("grain"), opacity: 0.55}, scaled);
}

function drawPiece(parent, paint, style, side, x, y) {
  const group = svg("g", {transform: `translate(${x} ${y})`}, parent);
  if (style === "tictactoe") {
    const stroke = {stroke: PIECES[style][side][1], "stroke-width": 0.13, "stroke-linecap": "round", fill: "none"};
    if (side === 0) svg("path", {d: "M-.26-.26 .26 .26M.26-.26-.26 .26", ...stroke}, group);
    else svg("circle", {r: 0.28, ...stroke}, group);
    return group;
  }
  const radius = {go: 0.475, othello: 0.42, connect4: 0.41, squares: 0.4}[style];
  if (style !== "connect4") svg("circle", {cx: 0.035, cy: 0.06, r: radius * 1.12, fill: paint("shade")}, group);
  svg("circle", {r: radius, fill: paint(`piece${side}`)}, group);
  if (style === "connect4") {
    svg("circle", {r: radius * 0.68, fill: "none", stroke: "#000", "stroke-opacity": 0.16, "stroke-width": 0.05}, group);
  }
  return group;
}

// A drawing of `board`, kept in step by `show(position)`; `element` goes into the page.
class Drawing {
  constructor(board) {
    this.board = board;
    const lines = board.style === "go";
    const margin = lines ? 1.1 : Math.min(0.62, 0.12 * board.width);
    const left = board.rows.some(Boolean) ? margin : 0.3;
    const top = board.style === "connect4" ? 0.3 : margin;
    const [width, height] = lines ? [board.width - 1, board.height - 1] : [board.width, board.height];
    this.middle = lines ? 0 : 0.5;
    this.element = svg("svg", {viewBox: `${-left} ${-top} ${width + 2 * left} ${height + top + margin}`, role: "img"});
    this.paint = definitions(this.element, board.style);
    this.frame(-left, -top, width + 2 * left, height + top + margin);
    if (lines) this.grid();
    else this.squares();
    this.labels(width, height, left, margin);
    this.ghosts = svg("g", {}, this.element);
    this.pieces = svg("g", {}, this.element);
    this.marks = svg("g", {}, this.element);
    this.shown = new Int8Array(board.width * board.height);
    this.elements = [];
    this.ratio = 1;
  }

  frame(x, y, width, height) {
    const {style} = this.board;
    const wooden = style === "go" || style === "squares";
    if (wooden) woodenBoard(this.element, this.paint, x, y, width, height);
    else svg("rect", {x, y, width, height, rx: 0.14, fill: {othello: "#3b2a1c", connect4: "#1d4fa3", tictactoe: "#fbf6e9"}[style]}, this.element);
  }

  grid() {
    const {width, height, dots} = this.board;
    let path = "";
    for (let x = 0; x < width; x += 1) path += `M${x} 0V${height - 1}`;
    for (let y = 0; y < height; y += 1) path += `M0 ${y}H${width - 1}`;
    svg("path", {d: path, stroke: "#3d2a10", "stroke-width": 0.03, "stroke-linecap": "square", fill: "none"}, this.element);
    if (width > 1 && height > 1) {
      const edge = {width: width - 1, height: height - 1, fill: "none", stroke: "#3d2a10", "stroke-width": 0.055};
      svg("rect", edge, this.element);
    }
    for (const dot of dots) svg("circle", {...this.at(dot), r: 0.095, fill: "#3d2a10"}, this.element);
  }

  squares() {
    const {style, width, height} = this.board;
    if (style === "othello") svg("rect", {width, height, fill: this.paint("felt")}, this.element);
    if (style === "connect4") {
      for (let cell = 0; cell < width * height; cell += 1) {
        svg("circle", {...this.at(cell), r: 0.41, fill: "#12336d"}, this.element);
        svg("circle", {...this.at(cell), r: 0.43, fill: "none", stroke: "#4d7fd0", "stroke-width": 0.03}, this.element);
      }
      return;
    }
    let path = "";
    const inner = style === "tictactoe" ? 1 : 0;
    for (let x = inner; x <= width - inner; x += 1) path += `M${x} 0V${height}`;
    for (let y = inner; y <= height - inner; y += 1) path += `M0 ${y}H${width}`;
    const stroke = {othello: "#10402b", tictactoe: "#8c8271"}[style] || "#3d2a10";
    const thick = style === "tictactoe" ? 0.045 : 0.03;
    svg("path", {d: path, stroke, "stroke-width": thick, "stroke-linecap": "round", fill: "none"}, this.element);
    if (style === "othello" && width >= 6) {
      for (const x of [2, width - 2]) for (const y of [2, height - 2]) {
        svg("circle", {cx: x, cy: y, r: 0.07, fill: "#10402b"}, this.element);
      }
    }
  }

  labels(width, height, left, margin) {
    const {style, columns, rows} = this.board;
    const fill = {othello: "#d9c8ae", connect4: "#cfe0ff", tictactoe: "#8c8271"}[style] || "#5a3e17";
    const size = Math.min(style === "go" ? 0.38 : 0.3, 0.03 * (width + 2 * left));
    const text = {fill, "font-size": size, "text-anchor": "middle", "dominant-baseline": "central"};
    const put = (label, x, y) => {
      svg("text", {x, y, ...text}, this.element).textContent = label;
    };
    const gap = style === "go" ? 0.78 : margin / 2;
    columns.forEach((label, x) => {
      put(label, x + this.middle, height + gap);
      if (style === "go") put(label, x, -gap);
    });
    rows.forEach((label, y) => {
      if (!label) return;
      put(label, -gap, y + this.middle);
      if (style === "go") put(label, width + gap, y);
    });
  }

  at(cell) {
    const x = cell % this.board.width;
    return {cx: x + this.middle, cy: (cell - x) / this.board.width + this.middle};
  }

  show(position) {
    const {style} = this.board;
    position.cells.forEach((piece, cell) => {
      if (piece === this.shown[cell]) return;
      if (this.elements[cell]) this.elements[cell].remove();
      const {cx, cy} = this.at(cell);
      this.elements[cell] = piece ? drawPiece(this.pieces, this.paint, style, piece > 0 ? 0 : 1, cx, cy) : null;
      this.shown[cell] = piece;
    });
    this.ghosts.replaceChildren();
    this.marks.replaceChildren();
    for (const [cell, before] of position.taken) {
      if (position.cells[cell] === 0) {
        const stroke = before > 0 ? "#1b1b1b" : "#fffdf6";
        svg("circle", {...this.at(cell), r: 0.3, fill: stroke, "fill-opacity": 0.18, stroke, "stroke-opacity": 0.75, "stroke-width": 0.05, "stroke-dasharray": "0.12 0.1", class: "ghost"}, this.ghosts);
      } else {
        const fill = position.cells[cell] > 0 ? "#8fd6b2" : "#2f8a5c";
        svg("circle", {...this.at(cell), r: 0.07, fill, class: "turned"}, this.marks);
      }
    }
    if (position.mark >= 0) {
      const light = position.cells[position.mark] > 0 ? "#fff" : "#1b1b1b";
      const ring = {...this.at(position.mark), r: 0.2, fill: "none", stroke: light, "stroke-width": 0.065, class: "last-move"};
      if (style === "tictactoe") Object.assign(ring, {r: 0.43, stroke: "#8c8271", "stroke-width": 0.03});
      if (style === "othello") Object.assign(ring, {stroke: "#e2503c"});
      svg("circle", ring, this.marks);
    }
  }
}

// How games of one style are shown; other styles replace what differs. `game` is as report.js makes it, `position` one
// of `positions(game)`.
const KINDS = {
  plain: {
    moving: false, // pieces move, so that paths can be seen
    flips: false,
    pairs: false, // moves are listed in two columns, one for each side
    prepare: () => {},
    positions: (game) => positionsOf(game.board, game.start, game.changes, game.turns.length),
    drawing: (board) => new Drawing(board),
    length: (plies) => plies, // plies as the moves that players count
    moveText: (game, k) => game.moves[k],
    numberOf: (game, k) => `${k + 1}`,
    status: null, // what is said of a move, where it is more than number, side and text
    outcome: (game, result, ending) => [result, ending],
    note: piecesText, // a few words about a side
    beside: null, // an element about a side
    icon(side, style) {
      const root = svg("svg", {viewBox: "-.55 -.55 1.1 1.1", "aria-hidden": "true"});
      drawPiece(root, definitions(root, style), style, side, 0, 0);
      return root;
    },
    position: null, // {name, text(game, positions, ply)}: the position as a text
    record: null, // {name, suffix, type, text(game, players, ending, event)}: the game as a text
    notations: [], // [name, value] of the ways in which moves can be written
    spell: (text) => document.createTextNode(text), // a text with moves as a node of the page
  },
};

// What a side has on the board (Othello) or has captured (Go).
function piecesText(game, position, side) {
  if (!position) return "";
  if (game.board.style === "othello") {
    const discs = position.cells.reduce((n, piece) => n + (piece > 0 ? side === 0 : piece < 0 && side === 1), 0);
    return `${discs} discs`;
  }
  return game.board.style === "go" ? `${position.lost[1 - side]} captured` : "";
}

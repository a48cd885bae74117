// A drawn board that takes moves: by click, by drag, by keys. Knows which moves are legal from a list that it is given,
// [text, cell to which it goes, cell from which or -1, piece that it becomes or 0], and no rules.

const REACH = 0.55; // of a square: how far from the middle of a cell a pointer still means it
const DRAG = 5; // px that a pointer goes before it drags

function middleOf(drawing, cell) {
  const at = drawing.at(cell);
  return Array.isArray(at) ? at : [at.cx, at.cy];
}

const sizeOf = (drawing) => drawing.size || [1, 1];

// The cell that is meant at these coordinates of the drawing; -1 for none.
function cellAt(drawing, x, y) {
  const [width, height] = sizeOf(drawing);
  for (let cell = 0; cell < drawing.shown.length; cell += 1) {
    const [cx, cy] = middleOf(drawing, cell);
    if (Math.abs(x - cx) <= REACH * width && Math.abs(y - cy) <= REACH * height) return cell;
  }
  return -1;
}

const CHESS_NAMES = ["", "pawn", "knight", "bishop", "rook", "queen", "king"];
const SHOGI_NAMES = ["", "pawn", "lance", "knight", "silver", "gold", "bishop", "rook", "king", "tokin", "promoted lance", "promoted knight", "promoted silver", "", "horse", "dragon"];

// "e4", "column 3", "Black's hand, pawn"
function cellName(board, cell) {
  if (cell >= board.width * board.height) {
    const held = cell - board.width * board.height;
    return `${board.sides[Math.floor(held / 7)]}'s hand, ${SHOGI_NAMES[(held % 7) + 1]}`;
  }
  const [column, row] = [board.columns[cell % board.width], board.rows[Math.floor(cell / board.width)]];
  return row ? column + row : `column ${column}`;
}

// "white stone", "Black knight", "2 of them"
function pieceName(board, cells, cell) {
  const piece = cells[cell];
  if (cell >= board.width * board.height) return piece ? `${piece} of them` : "none";
  if (!piece) return "empty";
  const side = board.sides[piece > 0 ? 0 : 1];
  const names = {chess: CHESS_NAMES, shogi: SHOGI_NAMES, go: ["", "stone"], tictactoe: ["", "mark"]}[board.style] || ["", "disc"];
  return `${side} ${names[Math.abs(piece)] || names[1]}`;
}

// What a person does on the board in `element`. `hooks`: `play(text)`, a move that is chosen; `illegal(text)`, one that
// is none; `changed()`, cursor or selection are elsewhere; `say(text)`; `choose(moves)`, a promise of one of several.
class Surface {
  constructor(element, hooks) {
    Object.assign(this, {element, hooks, drawing: null, cells: [], legal: [], selected: -1, cursor: -1, keyed: false, hovered: -1});
    this.held = null; // {cell, x, y, was, moving, image} of a piece under the pointer
    element.addEventListener("pointerdown", (event) => this.press(event));
    element.addEventListener("pointermove", (event) => this.drag(event));
    element.addEventListener("pointerup", (event) => this.release(event));
    element.addEventListener("pointercancel", () => this.letGo());
    // A finger on a piece drags it, elsewhere the page.
    element.addEventListener("touchmove", (event) => this.held && event.preventDefault(), {passive: false});
    element.addEventListener("pointerleave", () => this.hover(-1));
    element.addEventListener("keydown", (event) => this.key(event));
    element.addEventListener("focus", () => {
      this.keyed = element.matches(":focus-visible");
      this.hooks.changed();
    });
    element.addEventListener("blur", () => {
      this.keyed = false;
      this.hooks.changed();
    });
  }

  // Take moves of `legal` on the board that `drawing` shows, whose pieces are `cells`.
  take(drawing, cells, legal) {
    if (drawing !== this.drawing) this.cursor = -1;
    this.letGo();
    Object.assign(this, {drawing, cells, legal, selected: -1, hovered: -1});
    this.places = legal.some(([, to, from]) => from < 0 && to >= 0);
    if (this.cursor < 0) this.cursor = Math.floor(drawing.board.height / 2) * drawing.board.width + Math.floor(drawing.board.width / 2);
    const movable = new Set(legal.map(([, , from]) => from));
    drawing.elements.forEach((piece, cell) => piece && piece.classList.toggle("movable", movable.has(cell)));
  }

  // The cells to which the piece that is selected may go.
  get targets() {
    return this.selected < 0 ? [] : [...new Set(this.legal.filter(([, , from]) => from === this.selected).map(([, to]) => to))];
  }

  from(cell) {
    return this.legal.filter(([, , from]) => from === cell);
  }

  // The legal moves to a cell, from the one selected where pieces move. In Connect Four a cell means its column.
  to(cell) {
    const {board} = this.drawing;
    const same = board.style === "connect4" ? (to) => to % board.width === cell % board.width : (to) => to === cell;
    return this.legal.filter(([, to, from]) => to >= 0 && same(to) && from === (this.places ? -1 : this.selected));
  }

  point(event) {
    const root = this.drawing.element;
    const {x, y} = new DOMPoint(event.clientX, event.clientY).matrixTransform(root.getScreenCTM().inverse());
    return [x, y];
  }

  press(event) {
    if (!this.drawing || event.button) return;
    this.keyed = false;
    const cell = cellAt(this.drawing, ...this.point(event));
    if (cell < 0 || this.places || !this.from(cell).length) return;
    if (this.selected >= 0 && cell !== this.selected && this.to(cell).length) return; // a king castles with its rook
    this.held = {cell, x: event.clientX, y: event.clientY, moving: false, was: this.selected};
    this.selected = cell;
    this.element.setPointerCapture(event.pointerId);
    this.hooks.changed();
  }

  drag(event) {
    if (!this.drawing) return;
    const [x, y] = this.point(event);
    this.hover(cellAt(this.drawing, x, y));
    const {held} = this;
    if (!held || (!held.moving && Math.hypot(event.clientX - held.x, event.clientY - held.y) < DRAG)) return;
    if (!held.moving) this.lift(held);
    held.image.setAttribute("transform", `translate(${x} ${y})`);
  }

  // Show a piece under the pointer. It stays where it is, as browsers forget what was touched if that is moved.
  lift(held) {
    const piece = this.drawing.elements[held.cell];
    held.moving = true;
    held.image = piece.cloneNode(true);
    held.image.classList.add("dragged");
    piece.classList.add("lifted");
    this.drawing.element.append(held.image);
  }

  release(event) {
    if (!this.drawing || event.button) return;
    const cell = cellAt(this.drawing, ...this.point(event));
    const {held} = this;
    this.letGo();
    if (held && held.moving) {
      if (cell === held.cell || cell < 0) this.select(-1);
      else this.goTo(cell);
    } else if (held) this.select(held.was === held.cell ? -1 : held.cell);
    else if (cell >= 0) this.meant(cell);
  }

  // Put a piece that is held back where it was.
  letGo() {
    const {held} = this;
    this.held = null;
    if (!held || !held.moving) return;
    held.image.remove();
    const piece = this.drawing.elements[held.cell];
    if (piece) piece.classList.remove("lifted");
  }

  hover(cell) {
    const legal = this.drawing && cell >= 0 && (this.places || this.selected >= 0) && this.to(cell);
    const hovered = legal && legal.length ? legal[0][1] : -1;
    if (hovered === this.hovered) return;
    this.hovered = hovered;
    this.hooks.changed();
  }

  select(cell) {
    this.selected = cell;
    this.hooks.changed();
    const {board} = this.drawing;
    if (cell >= 0) this.hooks.say(`${cellName(board, cell)}, ${pieceName(board, this.cells, cell)}, can go to ${this.targets.map((to) => cellName(board, to)).join(", ")}`);
  }

  // A cell was clicked, or Enter pressed on it.
  meant(cell) {
    this.cursor = cell;
    if (!this.legal.length) return;
    if (this.places) this.goTo(cell);
    else if (cell === this.selected) this.select(-1);
    else if (this.selected >= 0 && this.to(cell).length) this.goTo(cell);
    else if (this.from(cell).length) this.select(cell);
    else if (this.selected >= 0) this.goTo(cell);
  }

  async goTo(cell) {
    const moves = this.to(cell);
    const origin = this.selected;
    if (!moves.length) {
      this.select(-1);
      const text = this.textOf(origin, cell);
      if (text) this.hooks.illegal(text);
      return;
    }
    const move = moves.length > 1 ? await this.hooks.choose(moves, cell) : moves[0];
    this.select(-1);
    if (move) this.hooks.play(move[0]);
  }

  // A move that is not legal as a text, so that its rules can say why.
  textOf(origin, cell) {
    const {board} = this.drawing;
    const squares = board.width * board.height;
    if (cell >= squares) return "";
    const to = cellName(board, cell);
    if (board.style === "connect4") return board.columns[cell % board.width];
    if (origin >= squares) return `${" PLNSGBR"[((origin - squares) % 7) + 1]}*${to}`;
    return origin < 0 ? to : cellName(board, origin) + to;
  }

  key(event) {
    if (!this.drawing || event.ctrlKey || event.metaKey || event.altKey) return;
    const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
    if (way) this.step(way);
    else if (event.key === "Enter" || event.key === " ") this.meant(this.cursor);
    else if (event.key === "Escape" && this.selected >= 0) this.select(-1);
    else return;
    this.keyed = true;
    this.hooks.changed();
    event.preventDefault();
    event.stopPropagation();
  }

  // Move the cursor to the nearest cell that way.
  step([dx, dy]) {
    const [x, y] = middleOf(this.drawing, this.cursor);
    let [best, least] = [-1, Infinity];
    for (let cell = 0; cell < this.drawing.shown.length; cell += 1) {
      const [cx, cy] = middleOf(this.drawing, cell);
      const [along, aside] = [(cx - x) * dx + (cy - y) * dy, Math.abs((cx - x) * dy) + Math.abs((cy - y) * dx)];
      const cost = along + 2.5 * aside;
      if (along > 0.3 && aside <= along + 0.3 && cost < least) [best, least] = [cell, cost];
    }
    if (best < 0) return;
    this.cursor = best;
    const {board} = this.drawing;
    this.hooks.say(`${cellName(board, best)}, ${pieceName(board, this.cells, best)}`);
  }
}

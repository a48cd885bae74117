// What boards share whose pieces move (chess, shogi): stepping, gliding, the last move, check, turning the board.

const GLIDE = 170; // ms that a piece takes from square to square
const LAST = {from: 0.42, to: 0.62}; // how strong the squares of the last move are seen

// A position of such a board is {cells, moved, check}: the piece on each cell, [from, to] of the pieces that the last
// move moved, the one that names the move first, and the cell of a king in check or -1. A drawing adds `at(cell)`, where
// the middle of a cell is as the board is seen now; `draw(piece, cell)`, a group with the piece at 0, 0; `label()`, which
// writes the coordinates anew; `size`, of a square; `squares`, how many of the cells are on the board; and the colours of
// marks, `glow` and `danger`.
class MovingDrawing {
  constructor(board, cells, viewBox) {
    this.board = board;
    this.flipped = false;
    this.element = svg("svg", {viewBox, role: "img"});
    this.elements = new Array(cells).fill(null);
    this.shown = new Int8Array(cells);
    this.position = null;
  }

  layers() {
    this.names = svg("g", {"text-anchor": "middle", "dominant-baseline": "central"}, this.element);
    this.marks = svg("g", {}, this.element);
    this.lines = svg("g", {}, this.element);
    this.pieces = svg("g", {}, this.element);
  }

  // Labels in the order in which they are seen.
  turned(labels) {
    return this.flipped ? [...labels].reverse() : labels;
  }

  // Show the board from the second side, or from the first.
  flip(flipped) {
    if (flipped === this.flipped) return;
    this.flipped = flipped;
    this.arrange();
  }

  // Draw everything where it now belongs.
  arrange() {
    this.label();
    this.pieces.replaceChildren();
    this.elements.fill(null);
    this.shown.fill(0);
    if (this.position) this.show(this.position);
  }

  // `paths`, [from, to] of the pieces that are to be seen moving; none where the position is no neighbour of the last.
  show(position, paths = []) {
    const {cells} = position;
    const origins = new Map(paths.map(([from, to]) => [to, from]));
    cells.forEach((piece, cell) => {
      if (piece === this.shown[cell]) return;
      if (this.elements[cell]) this.elements[cell].remove();
      this.elements[cell] = piece ? this.place(piece, cell) : null;
    });
    for (const [to, from] of origins) if (to < this.squares && cells[to]) this.glide(this.elements[to], from, to);
    this.shown = cells.slice();
    this.position = position;
    this.mark(position);
  }

  place(piece, cell) {
    const group = this.draw(piece, cell);
    const [x, y] = this.at(cell);
    group.setAttribute("transform", `translate(${x} ${y})`);
    group.dataset.cell = cell;
    group.dataset.piece = piece;
    this.pieces.append(group);
    return group;
  }

  glide(group, origin, cell) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.pieces.append(group); // above the others while it moves
    const frames = [origin, cell].map((place) => {
      const [x, y] = this.at(place);
      return {transform: `translate(${x}px, ${y}px)`};
    });
    group.animate(frames, {duration: GLIDE, easing: "ease-out"});
  }

  mark(position) {
    this.marks.replaceChildren();
    const [width, height] = this.size;
    const square = (cell, more) => {
      const [x, y] = this.at(cell);
      svg("rect", {x: x - width / 2, y: y - height / 2, width, height, ...more}, this.marks);
    };
    for (const [from, to] of position.moved.slice(0, 1)) {
      if (from < this.squares) square(from, {fill: this.glow, "fill-opacity": LAST.from, class: "last-from"});
      square(to, {fill: this.glow, "fill-opacity": LAST.to, class: "last-to"});
    }
    if (position.check >= 0) square(position.check, {...this.danger, class: "check"});
  }
}

// The coordinates of a board: a text in the layer `names` for each.
function write(names, text, x, y) {
  svg("text", {x, y}, names).textContent = text;
}

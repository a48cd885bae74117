// What is drawn over a board: the cursor, where a piece may go, and what a player foresees there.

const ROUND = (number) => Math.round(1000 * number) / 1000;

// A layer over the drawing, emptied and drawn anew whenever anything in it changes.
class Marks {
  constructor(drawing) {
    this.drawing = drawing;
    this.layer = svg("g", {class: "over", "aria-hidden": "true"}, drawing.element);
  }

  clear() {
    this.layer.replaceChildren();
    this.drawing.element.append(this.layer); // above what has been drawn since
  }

  square(cell, className) {
    const [x, y] = middleOf(this.drawing, cell);
    const [width, height] = sizeOf(this.drawing);
    const inset = 0.04;
    const box = {x: x - width / 2 + inset, y: y - height / 2 + inset, width: width - 2 * inset, height: height - 2 * inset, rx: 0.1};
    return svg("rect", {...box, class: className}, this.layer);
  }

  // A cell to which the piece that is selected may go: a dot, or a ring around what stands there.
  target(cell, occupied) {
    const [cx, cy] = middleOf(this.drawing, cell);
    const shape = occupied ? {r: 0.43, class: "target ring"} : {r: 0.15, class: "target"};
    svg("circle", {cx, cy, ...shape}, this.layer);
  }

  // A piece that is not there (yet), with the number of its move if it has one.
  ghost(cell, side, number = 0) {
    const [x, y] = middleOf(this.drawing, cell);
    const {board, paint} = this.drawing;
    const group = svg("g", {class: "ghostly"}, this.layer);
    drawPiece(group, paint, board.style, side, x, y);
    if (number) this.number(number, x, y, side ? "#1b1b1b" : "#fff");
  }

  number(number, x, y, fill) {
    svg("text", {x, y: y + 0.02, fill, class: "number", "font-size": number > 9 ? 0.4 : 0.48}, this.layer).textContent = number;
  }

  // A move that a search looked at for a share (0 to 1) of its time, on the cell where it is put; `told`: in figures too.
  heat(cell, share, most, best, told) {
    const [cx, cy] = middleOf(this.drawing, cell);
    const r = 0.13 + 0.3 * Math.sqrt(share / most);
    svg("circle", {cx, cy, r: ROUND(r), class: best ? "heat best" : "heat", "fill-opacity": ROUND(0.3 + 0.6 * (share / most))}, this.layer);
    if (told && r > 0.3) svg("text", {x: cx, y: cy + 0.01, class: "percent", "font-size": 0.27}, this.layer).textContent = Math.round(100 * share);
  }

  // A move from cell to cell; `strength` 0 to 1 is how strongly it is seen.
  arrow(from, to, strength, className, number = 0) {
    const [[x1, y1], [x2, y2]] = [middleOf(this.drawing, from), middleOf(this.drawing, to)];
    const length = Math.hypot(x2 - x1, y2 - y1) || 1;
    const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
    const width = 0.05 + 0.11 * strength;
    const head = Math.min(0.2 + 0.2 * strength, 0.45 * length);
    const [sx, sy, ex, ey] = [x1 + 0.18 * ux, y1 + 0.18 * uy, x2 - 0.08 * ux, y2 - 0.08 * uy];
    const [bx, by] = [ex - head * ux, ey - head * uy];
    const [wx, wy] = [-uy * width, ux * width];
    const [hx, hy] = [(-uy * head) / 1.7, (ux * head) / 1.7];
    const points = [[sx + wx / 2, sy + wy / 2], [bx + wx, by + wy], [bx + hx, by + hy], [ex, ey], [bx - hx, by - hy], [bx - wx, by - wy], [sx - wx / 2, sy - wy / 2]];
    const d = `M${points.map(([x, y]) => `${ROUND(x)} ${ROUND(y)}`).join("L")}z`;
    svg("path", {d, class: `arrow ${className}`, "fill-opacity": ROUND(0.35 + 0.5 * strength)}, this.layer);
    if (!number) return;
    const [nx, ny] = [(x1 + bx) / 2, (y1 + by) / 2];
    svg("circle", {cx: nx, cy: ny, r: 0.2, class: `badge ${className}`}, this.layer);
    svg("text", {x: nx, y: ny + 0.01, class: "badge-number", "font-size": 0.27}, this.layer).textContent = number;
  }
}

// Where the move to `position` (of a film) went: [from or -1, to], or null for a pass.
function stepTo(kind, position) {
  if (kind.moving) return position.moved.length ? position.moved[0] : null;
  return position.mark < 0 ? null : [-1, position.mark];
}

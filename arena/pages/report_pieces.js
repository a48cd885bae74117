// Chessmen as outlines on a square of 100 by 100, drawn for this page; White's and Black's differ in colour alone.

const CHESSMEN = {
  1: {
    body: "M50 21a12.5 12.5 0 0 1 8.3 21.8c3.7 1.3 6.2 3.7 6.2 6.9l-6.6 1.3c.4 9.8 4.3 17 11.6 22 4.4 3 6.5 7.5 6.5 15h-52c0-7.5 2.1-12 6.5-15 7.3-5 11.2-12.2 11.6-22l-6.6-1.3c0-3.2 2.5-5.6 6.2-6.9A12.5 12.5 0 0 1 50 21z",
    lines: "M31.5 76.5h37",
  },
  2: {
    body: "M25.5 88c-.5-11 5-18.5 11.5-25.5 4-4.3 6.5-8 6.5-12.5-4.5 3-9.5 3.5-13.5 7.5-2.5 2.5-4.5 5-8 4.5-2.2-.3-3.6-1.9-4.6-3.7-2.6-.3-4.9-4.3-2.9-8.3 3.5-7 8.5-12 11-19 1.3-3.7.5-6.5 1-10.5l1.2-7.5 8.3 6.7c1.5-.6 3.5-1 5-1.2l3-7 6 7.5c18.5 3.5 31 18.5 31 42.5 0 10-2 17.5-2.5 26.5z",
    lines: "M57.5 27.5c10.5 5.5 15.5 16 15 33M31.5 77h44",
    dots: [[37.5, 33.5, 3.1], [21.5, 53.5, 2]],
  },
  3: {
    body: "M50 8.5a5.7 5.7 0 0 1 3.9 9.9c9.6 7 15.6 17.1 14.1 28.6-.8 6-4.3 10.5-8.8 13.2 1 5.3 4.2 9.3 9.3 12.3 5.5 3.2 7.5 8 7.5 15.5h-52c0-7.5 2-12.3 7.5-15.5 5.1-3 8.3-7 9.3-12.3-4.5-2.7-8-7.2-8.8-13.2-1.5-11.5 4.5-21.6 14.1-28.6a5.7 5.7 0 0 1 3.9-9.9z",
    lines: "M50 30v18M41.5 38.5h17M41 60.5h18M32 75.5h36",
  },
  4: {
    body: "M24.5 19.5h11.5v7.5h8.3v-7.5h11.4v7.5h8.3v-7.5h11.5v17.5l-8 7.5 1.8 24.5 7.2 7v12.5h-53v-12.5l7.2-7 1.8-24.5-8-7.5z",
    lines: "M35.5 44.5h29M34 69h32",
  },
  5: {
    body: "M27 63 14.5 37.5a5 5 0 1 1 4.6-2.4l13.4 15-2.6-21.7a5.2 5.2 0 1 1 5.6-1.6l9 18.2 3.1-24.3a5.4 5.4 0 1 1 4.8 0l3.1 24.3 9-18.2a5.2 5.2 0 1 1 5.6 1.6l-2.6 21.7 13.4-15a5 5 0 1 1 4.6 2.4l-12.5 25.5c-.8 4.5-.4 7.5 1.5 10.5 2 3.2 2.5 7 2.5 14.5h-54c0-7.5.5-11.3 2.5-14.5 1.9-3 2.3-6 1.5-10.5z",
    lines: "M30 62.2c13-4 27-4 40 0M29 73.2c13.5-3.6 28.5-3.6 42 0",
  },
  6: {
    body: "M46.8 25.5v-6h-5.8v-6h5.8v-6h6.4v6h5.8v6h-5.8v6c3 2 4.6 4.7 4.3 8.3 8-5.6 20-5.4 25.5 2.2 6.5 9.2-1.5 20.2-11 29.5v6.5c4 3.5 5 8 5 16h-54c0-8 1-12.5 5-16v-6.5c-9.5-9.3-17.5-20.3-11-29.5 5.5-7.6 17.5-7.8 25.5-2.2-.3-3.6 1.3-6.3 4.3-8.3z",
    lines: "M50 52c-1-8-3.5-13.5-7.5-18.2M50 52c1-8 3.5-13.5 7.5-18.2M50 52v9M28 65.5c14-5 30-5 44 0M28 74.5c14-4.5 30-4.5 44 0",
  },
};
const COLOURS = [{fill: "#fffdf7", edge: "#2b2520", line: "#2b2520"}, {fill: "#35302c", edge: "#12100e", line: "#efe6d8"}];

// The chessman `piece` (1 pawn to 6 king, Black's negative) with its middle at x, y, in a square of 1.
function drawChessman(parent, piece, x, y) {
  const {fill, edge, line} = COLOURS[piece > 0 ? 0 : 1];
  const {body, lines, dots} = CHESSMEN[Math.abs(piece)];
  const group = svg("g", {transform: `translate(${x} ${y})`, "data-piece": piece}, parent);
  const man = svg("g", {transform: "scale(.0102) translate(-50 -49.5)", "stroke-linejoin": "round", "stroke-linecap": "round"}, group);
  svg("path", {d: body, fill, stroke: edge, "stroke-width": 4}, man);
  svg("path", {d: lines, fill: "none", stroke: line, "stroke-width": 3.2}, man);
  for (const [cx, cy, r] of dots || []) svg("circle", {cx, cy, r, fill: line}, man);
  return group;
}

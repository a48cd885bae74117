// The panel of what a player foresees: its expectation, the line that it expects, the moves that it considers.

const NAMED = 999; // nodes from which they are written in thousands

// A film as a game that can be shown, with its positions.
function gameOfFilm(data, index = 0) {
  const row = data.games[index];
  const game = Object.fromEntries(FIELDS.slice(0, FILM).map((field, k) => [field, row[k]]));
  game.number = data.numbers[index];
  unroll(game, row, data);
  game.positions = game.board ? game.kind.positions(game) : [];
  return game;
}

// The lines of a thought as [{game, steps: [{text, at: [from, to] or null, side}]}], made when they are first wanted.
function linesOf(thought) {
  if (!thought.drawn) {
    thought.drawn = thought.lines.games.map((_, index) => {
      const game = gameOfFilm(thought.lines, index);
      const steps = game.positions.slice(1 + thought.before).map((position, k) => {
        const move = k + thought.before;
        return {text: game.kind.moveText(game, move), at: stepTo(game.kind, position), side: game.turns[move]};
      });
      return {game, steps};
    });
  }
  return thought.drawn;
}

function countText(count) {
  if (count <= NAMED) return `${count}`;
  return count < 999500 ? `${(count / 1000).toPrecision(3).replace(/\.0+$/, "")}k` : `${(count / 1e6).toPrecision(3).replace(/\.0+$/, "")}M`;
}

// What is expected, for the first player, as the field writes it: "+0.35", "mate in 3", "62 %".
function verdictOf(thought) {
  if (thought.mate !== null) return `mate in ${Math.abs(thought.mate)}`;
  if (thought.centipawns !== null) return `${thought.centipawns > 0 ? "+" : thought.centipawns < 0 ? "−" : ""}${(Math.abs(thought.centipawns) / 100).toFixed(2)}`;
  return thought.value === null ? "" : shareText(thought.value);
}

const shareOf = (value) => (1 + value) / 2;
const shareText = (value) => `${Math.round(100 * shareOf(value))} %`;

// `hooks`: `point(line, upTo)`, a line of the thought is looked at (null: none is); `go(ply)`.
class Foresight {
  constructor(hooks) {
    Object.assign(this, {hooks, thought: null, drawnFor: ""});
    $("candidates").tBodies[0].addEventListener("mouseleave", () => hooks.point(null));
    $("line").addEventListener("mouseleave", () => hooks.point(null));
  }

  // Show a thought (or none), said to be about the position after `ply` moves.
  show(thought, sides, style) {
    $("foreseen").hidden = !thought;
    $("nothing-foreseen").hidden = Boolean(thought);
    if (thought === this.thought && this.drawnFor === state.notation) return;
    Object.assign(this, {thought, drawnFor: state.notation});
    if (!thought) return;
    const parts = [thought.by, `move ${thought.ply + 1}`];
    if (thought.depth) parts.push(`depth ${thought.depth}`);
    if (thought.nodes) parts.push(`${countText(thought.nodes)} nodes`);
    parts.push(clock(thought.seconds));
    $("about").textContent = parts.join(" · ");
    this.gauge(thought, sides, style);
    this.line(thought);
    this.candidates(thought);
  }

  gauge(thought, sides, style) {
    $("gauge").hidden = thought.value === null;
    if (thought.value === null) return;
    const share = shareOf(thought.value);
    $("foreseen").classList.toggle("white-first", style === "chess");
    $("gauge-first").style.width = `${(100 * share).toFixed(1)}%`;
    const verdict = verdictOf(thought);
    const plain = thought.mate === null && thought.centipawns === null;
    const ahead = thought.value >= 0;
    $("gauge-left").textContent = plain ? `${sides[0]} ${shareText(thought.value)}` : ahead ? verdict : "";
    $("gauge-right").textContent = plain ? `${shareText(-thought.value)} ${sides[1]}` : ahead ? "" : verdict;
    $("gauge").setAttribute("aria-label", `Expected: ${sides[0]} ${shareText(thought.value)}${plain ? "" : `, ${verdict} for ${ahead ? sides[0] : sides[1]}`}`);
  }

  line(thought) {
    const [main] = linesOf(thought);
    const items = main.steps.map((step, k) => {
      const button = element("button", "", `side-${step.side}`);
      button.type = "button";
      button.append(element("i", `${k + 1}`), main.game.kind.spell(step.text));
      this.pointed(button, 0, k + 1);
      const item = element("li");
      item.append(button);
      return item;
    });
    $("line").replaceChildren(...items);
  }

  pointed(target, line, upTo) {
    for (const name of ["mouseenter", "focus"]) target.addEventListener(name, () => this.hooks.point(line, upTo));
    target.addEventListener("click", () => this.hooks.point(line, upTo));
    target.addEventListener("blur", () => this.hooks.point(null));
  }

  candidates(thought) {
    const lines = linesOf(thought);
    const total = thought.candidates.reduce((sum, {visits}) => sum + (visits || 0), 0);
    const prior = thought.candidates.some((candidate) => candidate.prior !== null);
    const valued = thought.candidates.some((candidate) => candidate.value !== null);
    $("candidates").hidden = !total && !valued && thought.candidates.length < 2;
    $("value-head").hidden = !valued;
    $("candidates").querySelector(".share-head").hidden = !total;
    $("prior-head").hidden = !prior;
    const rows = thought.candidates.map((candidate, k) => {
      const row = element("tr");
      const button = element("button", "", "move");
      button.type = "button";
      const drawn = lines[k + 1];
      button.append(drawn && drawn.steps.length ? drawn.game.kind.spell(drawn.steps[0].text) : candidate.move);
      const name = element("th");
      name.scope = "row";
      name.append(button);
      row.append(name);
      if (total) row.append(shareCell(candidate.visits || 0, total));
      if (valued) row.append(element("td", candidate.value === null ? "" : shareText(candidate.value), "n"));
      if (prior) row.append(element("td", candidate.prior === null ? "" : `${(100 * candidate.prior).toFixed(1)} %`, "n"));
      row.addEventListener("mouseenter", () => this.hooks.point(k + 1, Infinity));
      this.pointed(button, k + 1, Infinity);
      return row;
    });
    $("candidates").tBodies[0].replaceChildren(...rows);
  }

  // The expectation over the game: `thoughts` by ply, `plies` in all, the one shown marked.
  curve(thoughts, plies, ply, sides) {
    const points = [...thoughts].filter(([at, {value}]) => value !== null && at <= plies).sort(([a], [b]) => a - b);
    $("curve").hidden = points.length < 2;
    if (points.length < 2) return;
    const [width, height, last] = [400, 90, Math.max(plies, 1)];
    const x = (at) => ROUND((width * at) / last);
    const y = (value) => ROUND(height / 2 - (height / 2 - 4) * value);
    const root = svg("svg", {viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true"});
    svg("rect", {width, height, class: "curve-ground"}, root);
    const path = points.map(([at, {value}]) => `${x(at)} ${y(value)}`).join("L");
    svg("path", {d: `M${x(points[0][0])} ${height}L${path}L${x(points[points.length - 1][0])} ${height}z`, class: "curve-area"}, root);
    svg("path", {d: `M0 ${height / 2}H${width}`, class: "curve-even"}, root);
    svg("path", {d: `M${path}`, class: "curve-line"}, root);
    svg("path", {d: `M${x(ply)} 0V${height}`, class: "curve-here"}, root);
    root.addEventListener("click", (event) => {
      const box = root.getBoundingClientRect();
      this.hooks.go(Math.round(((event.clientX - box.left) / box.width) * last));
    });
    const caption = element("p", `Expected result; above the middle ${sides[0]} wins`, "note");
    $("curve").replaceChildren(root, caption);
  }
}

function shareCell(visits, total) {
  const cell = element("td", "", "share");
  const bar = element("span", "", "share-bar");
  bar.style.width = `${((100 * visits) / total).toFixed(1)}%`;
  cell.append(bar, element("b", `${((100 * visits) / total).toFixed(visits / total < 0.0995 ? 1 : 0)} %`));
  cell.title = `${visits} of ${total} visits`;
  return cell;
}

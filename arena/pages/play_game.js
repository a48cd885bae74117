// The game as it stands: the board, the moves, the players, what can be done, what is foreseen.

const state = {notation: "japanese"}; // which the boards' scripts read
const FOLDED = 600; // px: in less room what stands beside a board goes above and below it

const table = {
  key: "", now: null, game: null, positions: [], ply: 0, drawing: null, marks: null, flipped: false, source: null,
  thoughts: new Map(), // by the moves played before
  pointed: null, // [line, how many of its moves] of the thought shown
  hinted: null, // {ply, move}
  analysing: false, // is analysis wanted? It goes on after each move
  looked: -1, // the position that was analysed last
};

function say(text) {
  $("say").textContent = text;
}

const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1) : "");

function tell(text) {
  $("message").hidden = !text;
  $("message").textContent = sentence(text);
}

// Give the board the room that its shape wants.
function fit() {
  if (!table.drawing) return;
  if (table.drawing.fold) table.drawing.fold(document.querySelector(".stage").clientWidth < FOLDED);
  $("table").style.setProperty("--ratio", table.drawing.ratio);
  if (table.now) draw();
}

const plies = () => table.positions.length - 1;

// Take over what the server says of the game.
function receive(now) {
  if (now.key !== table.key || (table.now && now.version <= table.now.version)) return;
  const before = table.now;
  const following = !before || table.ply === plies();
  const told = before ? table.game.turns.length : 0;
  table.now = now;
  DATA.endings = now.film.endings;
  table.game = gameOfFilm(now.film);
  table.positions = table.game.positions;
  for (const ply of table.thoughts.keys()) if (ply > plies()) table.thoughts.delete(ply);
  if (table.looked === plies() && before && before.thinking && before.thinking.kind === "analysis" && !now.thinking) table.analysing = false; // it came to an end
  if (table.hinted && table.hinted.ply !== plies()) table.hinted = null;
  board(table.game);
  listMoves();
  describe();
  show(following ? plies() : Math.min(table.ply, plies()), plies() - told);
  const {turns} = table.game;
  if (before && plies() > told) say(`${table.game.board.sides[turns[plies() - 1]]} ${moveText(plies() - 1)}${now.ended ? `. ${now.ended.words}` : ""}`);
  else if (now.ended && !(before && before.ended)) say(now.ended.words);
  if (table.analysing && !now.thinking && !now.ended && table.ply !== table.looked) look();
}

// Draw on the board of `game` from now on.
function board(game) {
  if (table.drawing && table.drawing.board === game.board) return;
  table.drawing = game.kind.drawing(game.board);
  table.marks = new Marks(table.drawing);
  $("board").replaceChildren(table.drawing.element);
  if (table.drawing.notate) table.drawing.notate(state.notation);
  fit();
}

const moveText = (k) => table.game.kind.moveText(table.game, k);

function listMoves() {
  const {game} = table;
  const items = game.turns.map((_, k) => {
    const button = element("button");
    button.type = "button";
    button.tabIndex = -1;
    button.dataset.ply = k + 1;
    button.append(element("i", game.kind.numberOf(game, k)), " ", game.kind.spell(moveText(k)));
    const item = element("li");
    item.append(button);
    return item;
  });
  if (game.kind.pairs && items.length && game.turns[0]) items[0].className = "second";
  $("moves").classList.toggle("pairs", game.kind.pairs);
  $("moves").replaceChildren(...items);
}

const mayMove = () => table.now && table.ply === plies() && table.now.legal.length > 0;

// What stands beside the board: whose turn it is, what can be done, how it ended.
function describe() {
  const {now, game} = table;
  const {sides} = game.board;
  const people = now.seats.filter(({person}) => person).length;
  $("game-title").textContent = titleOf(game.board.name);
  const mover = now.turn === null ? null : now.seats[now.turn];
  $("turn").hidden = Boolean(now.ended);
  if (mover) $("turn").textContent = mover.person ? `${people === 1 ? "Your move" : `${sides[now.turn]} to move`}${people === 1 ? `, ${sides[now.turn]}` : ""}` : `${mover.name} ${now.paused ? "waits" : "is thinking"}`;
  $("turn").classList.toggle("yours", Boolean(mover && mover.person));
  $("ended").hidden = !now.ended;
  if (now.ended) $("ended").replaceChildren(element("b", resultText(now)), element("span", sentence(now.ended.words.replace(`${resultText(now)} `, ""))));
  offerActions(people);
}

// Which buttons there are, and which of them can be pressed; so many seats are people's.
function offerActions(people) {
  const {now, game} = table;
  const {thinking} = now;
  const pass = now.legal.find(([, to]) => to < 0);
  $("pass").hidden = !pass && game.board.style !== "go";
  $("pass").disabled = !pass;
  $("undo").hidden = !people;
  $("undo").disabled = !now.undo;
  $("resign").hidden = !people || Boolean(now.ended);
  $("hint").hidden = !people || Boolean(now.ended);
  $("hint").disabled = !now.legal.length || !$("analyst").value || Boolean(thinking);
  $("claim").hidden = Boolean(now.ended) || !(now.claim || (game.board.style === "shogi" && now.legal.length));
  $("claim").textContent = game.board.style === "shogi" ? "Declare" : "Claim the draw";
  $("claim").title = now.claim || "declare the entering king";
  $("now").hidden = !(thinking && thinking.kind === "move");
  $("pause").hidden = people > 0 || Boolean(now.ended);
  $("pause").textContent = now.paused ? "Go on" : "Pause";
  $("pause").setAttribute("aria-pressed", `${now.paused}`);
  $("type").hidden = !people || Boolean(now.ended);
  const {position, record, notations, flips} = game.kind;
  $("notations").hidden = !notations.length;
  if (notations.length && $("notation").options.length !== notations.length) $("notation").replaceChildren(...notations.map(([name, value]) => new Option(name, value, false, value === state.notation)));
  $("copy-position").textContent = `Copy ${position ? position.name : "position"}`;
  $("save-record").hidden = !record;
  if (record) $("save-record").textContent = `Save ${record.name}`;
  $("flip").hidden = !flips;
  $("analyse").textContent = table.analysing ? "Stop" : "Analyse";
  $("analyse").setAttribute("aria-pressed", `${table.analysing}`);
  $("analyse").disabled = !$("analyst").value || Boolean(thinking && thinking.kind === "move");
}

const titleOf = (name) => (CHOICES.games[name] ? (name === "chess960" ? "Chess960" : CHOICES.games[name].family) : name) + (/\d+x\d+/.test(name) ? ` ${name.match(/\d+x\d+/)[0].replace("x", "×")}` : "");

function resultText(now) {
  const {winner, result} = now.ended;
  if (result === "*") return "No result";
  const people = now.seats.filter(({person}) => person);
  if (winner === null) return "Drawn";
  if (people.length === 1) return now.seats[winner].person ? "You win" : "You lose";
  return `${table.game.board.sides[winner]} wins`;
}

// Both players' names beside the board, with what they have taken and who is thinking.
function bars() {
  const {game, now, flipped} = table;
  const position = table.positions[table.ply];
  const over = table.ply === plies();
  const next = over ? now.turn : game.turns[table.ply];
  [["bar-top", flipped ? 0 : 1], ["bar-bottom", flipped ? 1 : 0]].forEach(([id, side]) => {
    const seat = now.seats[side];
    const name = element("b", seat.name);
    const box = element("span", "", "who");
    box.append(name, element("small", [game.board.sides[side], noteOf(game, position, side)].filter(Boolean).join(" · ")));
    const parts = [game.kind.icon(side, game.board.style), box];
    if (game.kind.beside) parts.push(game.kind.beside(game, position, side));
    const busy = over && now.thinking && now.thinking.kind === "move" && now.thinking.side === side;
    if (busy) parts.push(element("span", "thinking", "busy"));
    if (over && now.ended && now.ended.winner === side) parts.push(element("span", "won", "won"));
    $(id).replaceChildren(...parts);
    $(id).classList.toggle("moves-next", next === side);
  });
}

// A few words about a side beyond its name.
function noteOf(game, position, side) {
  return game.board.style === "shogi" ? (side ? "gote" : "sente") : game.kind.note(game, position, side);
}

function show(ply, stepped = 0) {
  const {game, drawing} = table;
  const before = table.ply;
  table.ply = Math.max(0, Math.min(ply, plies()));
  table.pointed = null;
  if (game.kind.flips) drawing.flip(table.flipped);
  const position = table.positions[table.ply];
  const near = Math.abs(before - table.ply) === 1 || stepped === 1;
  const {moved} = table.positions[Math.max(table.ply, 1)] || {};
  drawing.show(position, game.kind.moving && near && table.ply >= before && moved ? moved : []);
  surface.take(drawing, position.cells, mayMove() ? table.now.legal : []);
  const text = table.ply ? `Move ${table.ply}: ${game.board.sides[game.turns[table.ply - 1]]} ${moveText(table.ply - 1)}` : "The first position";
  $("surface").setAttribute("aria-label", `Board. ${text}`);
  $("surface").classList.toggle("looking-back", table.ply < plies());
  for (const id of ["first", "back"]) $(id).disabled = table.ply === 0;
  for (const id of ["forward", "last"]) $(id).disabled = table.ply === plies();
  const current = $("moves").querySelector("[aria-current]");
  if (current) current.removeAttribute("aria-current");
  const button = table.ply && $("moves").children[table.ply - 1] ? $("moves").children[table.ply - 1].firstChild : null;
  if (button) button.setAttribute("aria-current", "true");
  $("moves").scrollTop = button ? button.offsetTop - $("moves").clientHeight / 2 : 0;
  bars();
  shown();
}

// ---- what is foreseen

// The thought about the position shown; else that about the move that led there.
function thoughtShown() {
  return table.thoughts.get(table.ply) || table.thoughts.get(table.ply - 1) || null;
}

function foresee(thought) {
  table.thoughts.set(thought.ply, thought);
  shown();
}

function hinted(hint) {
  if (hint.words) tell(hint.words);
  if (!hint.move || hint.ply !== plies()) return;
  table.hinted = hint;
  const legal = table.now.legal.find(([text]) => text === hint.move);
  const text = spelled(hint);
  say(`Hint: ${text}`);
  tell("hint");
  $("message").replaceChildren(table.game.kind.spell(`${$("analyst").selectedOptions[0].text} would play ${text}.`));
  if (legal) shown();
}

// The move of a hint as it is written elsewhere on the page.
function spelled({ply, move}) {
  const thought = table.thoughts.get(ply);
  const place = thought ? thought.candidates.findIndex((candidate) => candidate.move === move) : -1;
  const line = place < 0 ? null : linesOf(thought)[place + 1];
  return line && line.steps.length ? line.steps[0].text : move;
}

function shown() {
  const {sides, style} = table.game.board;
  const thought = thoughtShown();
  foresight.show(thought, sides, style);
  foresight.curve(table.thoughts, plies(), table.ply, sides);
  draw();
}

// Draw what lies over the board.
function draw() {
  const {drawing, marks, hinted: hint, pointed} = table;
  if (!drawing || !table.now) return;
  marks.clear();
  if (surface.selected >= 0) marks.square(surface.selected, "selected");
  for (const cell of surface.targets) marks.target(cell, surface.cells[cell] !== 0);
  const thought = thoughtShown();
  if (thought && pointed) pointedLine(thought, ...pointed);
  else if (thought && thought.ply === table.ply && $("overlay").checked && surface.selected < 0) considered(thought);
  if (hint && hint.ply === table.ply) {
    const move = table.now.legal.find(([text]) => text === hint.move);
    if (move && move[2] >= 0) marks.arrow(move[2], move[1], 1, "hinted");
    else if (move && move[1] >= 0) marks.square(move[1], "hinted");
  }
  if (surface.hovered >= 0 && surface.places) marks.ghost(surface.hovered, table.now.turn);
  else if (surface.hovered >= 0) marks.square(surface.hovered, "aimed");
  if (surface.keyed) marks.square(surface.cursor, "cursor");
}

// The moves that a player considers: circles as large as its share of looks, or arrows as strong.
function considered(thought) {
  const lines = linesOf(thought);
  const total = thought.candidates.reduce((sum, {visits}) => sum + (visits || 0), 0);
  const found = thought.candidates.map((candidate, k) => ({at: lines[k + 1] && lines[k + 1].steps.length ? lines[k + 1].steps[0].at : null, share: total ? (candidate.visits || 0) / total : 1 / (k + 1)}));
  const main = lines[0].steps[0];
  if (!found.length && main) found.push({at: main.at, share: 1});
  const most = Math.max(...found.map(({share}) => share), 1e-9);
  found.map((one, rank) => ({...one, rank})).filter(({at, share}) => at && share > 0.004).reverse().forEach(({at: [from, to], share, rank}) => {
    if (from >= 0) table.marks.arrow(from, to, share / most, rank ? "other" : "best");
    else table.marks.heat(to, share, most, !rank, total > 0);
  });
}

// The line that is looked at, as numbered moves, as far as it lies ahead of the position shown.
function pointedLine(thought, line, upTo) {
  const {steps} = linesOf(thought)[line] || {steps: []};
  const past = table.ply - thought.ply;
  const played = steps.slice(0, past).every(({at}, k) => String(at) === String(stepTo(table.game.kind, table.positions[thought.ply + k + 1])));
  if (past < 0 || (past && !played)) return;
  const ahead = steps.slice(past, Math.max(upTo, past));
  const taken = new Map();
  ahead.forEach(({at, side}, k) => {
    if (!at) return;
    const [from, to] = at;
    if (from >= 0) table.marks.arrow(from, to, 1 - Math.min(k, 5) / 8, `side-${side}`, k + 1);
    else if (!taken.has(to)) {
      taken.set(to, k);
      table.marks.ghost(to, side, k + 1);
    }
  });
}

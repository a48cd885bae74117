// The viewer: one game, stepped through, and what can be done with it.

const BEAT = 650; // ms between moves when playing
const FOLDED = 600; // px: in less room what stands beside a board goes above and below it

const state = {game: null, wanted: 0, positions: [], ply: 0, drawing: null, flipped: false, notation: "", timer: 0, listed: GAMES, rows: 0, sort: "number", down: false};

function open(number, ply = null) {
  const game = NUMBERED.get(number);
  if (!game) return;
  state.wanted = number;
  if (!game.shown) {
    openLater(game, ply);
    return;
  }
  if (state.game !== game) {
    state.game = game;
    stop();
    const {board} = game;
    state.positions = board ? game.kind.positions(game) : [];
    if (!board) {
      $("board").replaceChildren(element("p", "There is no board for this game here.", "nothing"));
      state.drawing = null;
    } else if (!state.drawing || state.drawing.board !== board) {
      state.drawing = game.kind.drawing(board);
      $("board").replaceChildren(state.drawing.element);
      fit();
    }
    state.ply = -1;
    turn(state.flipped);
    equip(game);
    describe(game);
    listMoves(game);
    for (const row of $("list").tBodies[0].rows) mark(row);
  }
  show(ply === null ? lastPly() : ply);
}

// Open a game when its film has come, unless another is wanted by then.
async function openLater(game, ply) {
  const {quiet} = state;
  const found = await fetchFilm(game);
  if (state.wanted !== game.number) return;
  state.quiet = quiet;
  if (found) open(game.number, ply);
  else $("outcome").textContent = `Game ${game.number} cannot be fetched: has the server ended?`;
  state.quiet = false;
}

const lastPly = () => (state.game.board ? state.positions.length - 1 : state.game.plies);

function describe(game) {
  $("game-title").textContent = `Game ${game.number}`;
  beside(game);
  const seats = [game.first, game.second].map((player, side) => {
    const item = element("li");
    const name = element("b", DATA.players[player], winnerOf(game) === side ? "winner" : "");
    name.title = DATA.players[player];
    item.append(game.board ? game.kind.icon(side, game.board.style) : element("span"), name, element("small"));
    item.setAttribute("aria-label", `${sidesOf(game)[side]}: ${DATA.players[player]}`);
    return item;
  });
  $("seats").replaceChildren(...seats);
  const parts = game.kind.outcome(game, game.result, DATA.endings[game.ending]);
  if (!game.rated) parts.push("not rated");
  $("outcome").textContent = parts.join(" · ") + (game.detail ? `. ${game.detail}` : "");
}

// Which neighbours does the game have in the list?
function beside(game) {
  const place = state.listed.indexOf(game);
  $("game-before").disabled = place <= 0;
  $("game-after").disabled = place < 0 || place === state.listed.length - 1;
}

function listMoves(game) {
  const items = Array.from({length: game.plies}, (_, k) => {
    const button = element("button");
    button.type = "button";
    button.tabIndex = -1;
    button.dataset.ply = k + 1;
    button.append(element("i", game.kind.numberOf(game, k)), " ", game.kind.spell(game.kind.moveText(game, k)));
    const item = element("li");
    item.append(button);
    return item;
  });
  if (game.kind.pairs && items.length && game.turns[0]) items[0].className = "second";
  $("moves").classList.toggle("pairs", game.kind.pairs);
  $("moves").replaceChildren(...items);
  $("slider").max = lastPly();
}

function show(ply) {
  const {game} = state;
  const before = state.ply;
  state.ply = Math.max(0, Math.min(ply, lastPly()));
  const position = state.positions[state.ply];
  if (position) state.drawing.show(position, before < 0 ? [] : pathsOf(before, state.ply));
  const text = statusText(game, state.ply);
  if (game.kind.position) $("position").value = game.kind.position.text(game, state.positions, state.ply);
  $("status").replaceChildren(game.kind.spell(text));
  if (state.drawing) state.drawing.element.setAttribute("aria-label", `Board. ${text}`);
  $("slider").value = state.ply;
  $("slider").setAttribute("aria-valuetext", text);
  for (const id of ["first", "back"]) $(id).disabled = state.ply === 0;
  for (const id of ["forward", "last"]) $(id).disabled = state.ply === lastPly();
  [...$("seats").children].forEach((item, k) => {
    item.querySelector("small").textContent = [game.kind.note(game, position, k), clock(game.seconds[k])].filter(Boolean).join(" · ");
    if (game.kind.beside) item.replaceChildren(...[...item.children].slice(0, 3), game.kind.beside(game, position, k));
    item.classList.toggle("moves-next", game.turns[state.ply] === k);
  });
  const over = state.ply === lastPly();
  const words = [remark(game.comments[state.ply]), over ? game.fault : ""].filter(Boolean).join(" ");
  $("comment").hidden = !words;
  $("comment").textContent = words;
  const current = $("moves").querySelector("[aria-current]");
  if (current) current.removeAttribute("aria-current");
  const button = state.ply ? $("moves").children[state.ply - 1].firstChild : null;
  if (button) button.setAttribute("aria-current", "true");
  $("moves").scrollTop = button ? button.offsetTop - $("moves").clientHeight / 2 : 0;
  if (state.timer && over) stop();
  const address = `#game-${game.number}-ply-${state.ply}`;
  if (location.hash !== address && !state.quiet) history.replaceState(null, "", address);
}

// The ways of the pieces between two neighbouring positions, there or back; none between others.
function pathsOf(before, after) {
  if (!state.game.kind.moving || Math.abs(before - after) !== 1) return [];
  const {moved} = state.positions[Math.max(before, after)];
  return after > before ? moved : moved.map(([from, to]) => [to, from]);
}

function statusText(game, ply) {
  const {kind} = game;
  const all = kind.status ? movesOf(game) : movesOf(game) - (game.plies - lastPly());
  if (!ply) return `Start, ${all} move${all === 1 ? "" : "s"}`;
  if (kind.status) return kind.status(game, ply, state.positions);
  const side = game.board ? sidesOf(game)[game.turns[ply - 1]] : "";
  return `Move ${ply} of ${all}: ${side} ${game.moves[ply - 1]}`;
}

// A comment in words: "[%eval 0.35,12] [%clk 0:01:02] good" -> "evaluation 0.35, depth 12; clock 0:01:02; good".
function remark(comment) {
  if (!comment) return "";
  const said = [];
  const names = {eval: "evaluation", clk: "clock", emt: "took"};
  const rest = comment.replace(/\[%(\w+) ([^\]]*)\]/g, (_, command, value) => {
    if (names[command]) said.push(`${names[command]} ${value.replace(/^#/, "mate in ").replace(/,(\d+)$/, ", depth $1")}`);
    return "";
  });
  return [...said, rest.trim()].filter(Boolean).join("; ");
}

// Show the board from the second side, or from the first.
function turn(flipped) {
  state.flipped = flipped;
  $("flip").setAttribute("aria-pressed", `${flipped}`);
  if (state.game && state.game.kind.flips) state.drawing.flip(flipped);
}

// What can be done with the game beside looking at it.
function equip(game) {
  const {position, record, flips, notations} = game.kind;
  $("tools").hidden = !flips;
  document.querySelector(".keys .flips").hidden = !flips;
  if (!flips) return;
  $("position-name").textContent = position.name;
  $("position").setAttribute("aria-label", `${position.name} of the position shown`);
  $("copy-position").textContent = `Copy ${position.name}`;
  $("copy-record").textContent = `Copy ${record.name}`;
  $("save-record").textContent = `Save ${record.name}`;
  $("notations").hidden = !notations.length;
  $("notation").replaceChildren(...notations.map(([name, value]) => new Option(name, value, false, value === state.notation)));
  if (notations.length) notate($("notation").value);
}

// Write moves, and the coordinates of the board, in one of the notations of the game.
function notate(notation) {
  state.notation = notation;
  state.drawing.notate(notation);
}

// Give the board the room that its shape wants: what is broad may be broader, but no higher than the window.
function fit() {
  if (!state.drawing) return;
  if (state.drawing.fold) state.drawing.fold(document.querySelector(".stage").clientWidth < FOLDED);
  $("viewer").style.setProperty("--ratio", state.drawing.ratio);
}

function recordText() {
  const {game} = state;
  return game.kind.record.text(game, [game.first, game.second].map((player) => DATA.players[player]), DATA.endings[game.ending], document.title);
}

// Put `text` where the user can paste it; a page from a file may not be let near the clipboard, then the old way.
async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = element("textarea");
    area.value = text;
    button.after(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  const said = button.textContent;
  button.textContent = "Copied";
  button.disabled = true;
  setTimeout(() => {
    button.textContent = said;
    button.disabled = false;
  }, 1200);
}

function download(name, text, type) {
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([text], {type}));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function stop() {
  clearInterval(state.timer);
  state.timer = 0;
  $("play").setAttribute("aria-pressed", "false");
  $("play").setAttribute("aria-label", "Play");
}

function play() {
  if (state.timer) {
    stop();
    return;
  }
  if (state.ply === lastPly()) show(0);
  if (lastPly() === 0) return;
  state.timer = setInterval(() => show(state.ply + 1), BEAT);
  $("play").setAttribute("aria-pressed", "true");
  $("play").setAttribute("aria-label", "Pause");
}

function step(to) {
  stop();
  show(to);
}

function neighbour(offset) {
  const game = state.listed[state.listed.indexOf(state.game) + offset];
  if (game) open(game.number);
}

$("first").addEventListener("click", () => step(0));
$("back").addEventListener("click", () => step(state.ply - 1));
$("forward").addEventListener("click", () => step(state.ply + 1));
$("last").addEventListener("click", () => step(lastPly()));
$("play").addEventListener("click", play);
$("flip").addEventListener("click", () => turn(!state.flipped));
$("copy-position").addEventListener("click", () => copy($("position").value, $("copy-position")));
$("copy-record").addEventListener("click", () => copy(recordText(), $("copy-record")));
$("save-record").addEventListener("click", () => {
  const {suffix, type} = state.game.kind.record;
  download(`game-${state.game.number}.${suffix}`, recordText(), type);
});
$("position").addEventListener("focus", () => $("position").select());
$("notation").addEventListener("change", () => {
  notate($("notation").value);
  listMoves(state.game);
  show(state.ply);
});
new ResizeObserver(fit).observe(document.querySelector(".stage"));
$("slider").addEventListener("input", () => step(Number($("slider").value)));
$("game-before").addEventListener("click", () => neighbour(-1));
$("game-after").addEventListener("click", () => neighbour(1));
$("moves").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) step(Number(button.dataset.ply));
});

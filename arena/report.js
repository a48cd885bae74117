// The list of games, the viewer, and the address: #game-12-ply-30 names a game (from 1) and how many moves are played.

const DATA = JSON.parse(document.getElementById("data").textContent);
const FIELDS = ["first", "second", "result", "score", "ending", "detail", "seconds", "rated", "moves", "board", "start",
  "changes", "turns", "fault", "comments", "setup", "rights", "passants", "check"];
const GAMES = DATA.games.map((row, index) => {
  const game = Object.fromEntries(FIELDS.map((field, k) => [field, row[k]]));
  const moves = game.moves ? game.moves.split(" ") : [];
  const board = DATA.boards[game.board] || null;
  const chess = board !== null && board.style === "chess";
  const more = {number: index + 1, moves, plies: moves.length, board, chess, start: DATA.starts[game.start] || "", turns: turnsOf(game.turns)};
  if (chess) Object.assign(more, {rights: byPly(game.rights), passants: byPly(game.passants)});
  return {...game, ...more};
});
const PAGE = 100; // rows of the list that are made at a time
const BEAT = 650; // ms between moves when playing

const $ = (id) => document.getElementById(id);
const state = {game: null, positions: [], ply: 0, drawing: null, flipped: false, timer: 0, listed: GAMES, rows: PAGE, sort: "number", down: false};

// "0110" or [who began, how many plies] -> [0, 1, 1, 0]
function turnsOf(turns) {
  if (typeof turns === "string") return [...turns].map(Number);
  return Array.from({length: turns[1]}, (_, k) => (turns[0] + k) % 2);
}

function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function clock(seconds) {
  if (seconds < 0.9995) return `${Math.round(1000 * seconds)} ms`;
  if (seconds < 99.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}` : `${Math.floor(whole / 60)}:${two(whole % 60)}`;
}

const sidesOf = (game) => (game.board ? game.board.sides : ["First", "Second"]);
const movesOf = (game) => (game.chess ? Math.ceil(game.plies / 2) : game.plies);
const winnerOf = (game) => (game.score === 1 ? 0 : game.score === 0 ? 1 : -1);

// ---- the viewer

function open(number, ply = null) {
  const game = GAMES[number - 1];
  if (!game) return;
  if (state.game !== game) {
    state.game = game;
    stop();
    const {board} = game;
    state.positions = !board ? [] : game.chess ? chessPositions(game) : positionsOf(board, game.start, game.changes, game.turns.length);
    if (!board) {
      $("board").replaceChildren(element("p", "There is no board for this game here.", "nothing"));
      state.drawing = null;
    } else if (!state.drawing || state.drawing.board !== board) {
      state.drawing = game.chess ? new ChessDrawing(board) : new Drawing(board);
      $("board").replaceChildren(state.drawing.element);
    }
    state.ply = -1;
    turn(state.flipped);
    $("tools").hidden = !game.chess;
    describe(game);
    listMoves(game);
    for (const row of $("list").tBodies[0].rows) mark(row);
  }
  show(ply === null ? lastPly() : ply);
}

const lastPly = () => (state.game.board ? state.positions.length - 1 : state.game.plies);

function describe(game) {
  $("game-title").textContent = `Game ${game.number}`;
  const place = state.listed.indexOf(game);
  $("game-before").disabled = place <= 0;
  $("game-after").disabled = place < 0 || place === state.listed.length - 1;
  const seats = [game.first, game.second].map((player, side) => {
    const item = element("li");
    const name = element("b", DATA.players[player], winnerOf(game) === side ? "winner" : "");
    name.title = DATA.players[player];
    item.append(game.board ? pieceIcon(game.board.style, side) : element("span"), name, element("small"));
    if (game.chess) item.append(element("span", "", "taken"));
    item.setAttribute("aria-label", `${sidesOf(game)[side]}: ${DATA.players[player]}`);
    return item;
  });
  $("seats").replaceChildren(...seats);
  const parts = [game.result, DATA.endings[game.ending]];
  if (!game.rated) parts.push("not rated");
  $("outcome").textContent = parts.join(" · ") + (game.detail ? `. ${game.detail}` : "");
}

function listMoves(game) {
  const items = game.moves.map((move, k) => {
    const button = element("button");
    button.type = "button";
    button.tabIndex = -1;
    button.dataset.ply = k + 1;
    const number = game.chess ? moveNumber(game, k) : `${k + 1}`;
    button.append(element("i", k && number.endsWith("...") ? "" : number), ` ${move}`);
    const item = element("li");
    item.append(button);
    return item;
  });
  if (game.chess && items.length && game.turns[0]) items[0].className = "second";
  $("moves").classList.toggle("pairs", game.chess);
  $("moves").replaceChildren(...items);
  $("slider").max = lastPly();
}

function show(ply) {
  const {game} = state;
  const before = state.ply;
  state.ply = Math.max(0, Math.min(ply, lastPly()));
  const position = state.positions[state.ply];
  if (position) state.drawing.show(position, before >= 0 && Math.abs(before - state.ply) === 1);
  const text = statusText(game, state.ply);
  if (game.chess) $("fen").value = fenOf(game, state.positions, state.ply);
  $("status").textContent = text;
  if (state.drawing) state.drawing.element.setAttribute("aria-label", `Board. ${text}`);
  $("slider").value = state.ply;
  $("slider").setAttribute("aria-valuetext", text);
  for (const id of ["first", "back"]) $(id).disabled = state.ply === 0;
  for (const id of ["forward", "last"]) $(id).disabled = state.ply === lastPly();
  [...$("seats").children].forEach((item, k) => {
    item.querySelector("small").textContent = [piecesText(game, position, k), clock(game.seconds[k])].filter(Boolean).join(" · ");
    if (game.chess) item.querySelector(".taken").replaceWith(capturesOf(position, k));
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

function statusText(game, ply) {
  const all = movesOf(game) - (game.chess ? 0 : game.plies - lastPly());
  if (!ply) return `Start, ${all} move${all === 1 ? "" : "s"}`;
  const side = game.board ? sidesOf(game)[game.turns[ply - 1]] : "";
  const move = game.moves[ply - 1];
  if (!game.chess) return `Move ${ply} of ${all}: ${side} ${move}`;
  const sign = move.endsWith("#") ? ", mate" : move.endsWith("+") ? ", check" : "";
  return `${moveNumber(game, ply - 1)} ${move} (${side}${sign})`;
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

// What a side has on the board (Othello) or has captured (Go).
function piecesText(game, position, side) {
  if (!position) return "";
  if (game.board.style === "othello") {
    const discs = position.cells.reduce((n, piece) => n + (piece > 0 ? side === 0 : piece < 0 && side === 1), 0);
    return `${discs} discs`;
  }
  return game.board.style === "go" ? `${position.lost[1 - side]} captured` : "";
}

// Show the board from the second side, or from the first.
function turn(flipped) {
  state.flipped = flipped;
  $("flip").setAttribute("aria-pressed", `${flipped}`);
  if (state.game && state.game.chess) state.drawing.flip(flipped);
}

function pgn() {
  const {game} = state;
  return pgnOf(game, [game.first, game.second].map((player) => DATA.players[player]), DATA.endings[game.ending], document.title);
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

function download(name, text) {
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "application/x-chess-pgn"}));
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

// ---- the list

const KEYS = {
  number: (game) => game.number,
  first: (game) => DATA.players[game.first],
  second: (game) => DATA.players[game.second],
  result: (game) => game.result,
  plies: (game) => game.plies,
  ending: (game) => DATA.endings[game.ending],
  seconds: (game) => game.seconds[0] + game.seconds[1],
};

function filterAndSort() {
  const [player, opponent, ending] = ["by-player", "by-opponent", "by-ending"].map((id) => $(id).value);
  const has = (game, chosen) => chosen === "" || game.first === Number(chosen) || game.second === Number(chosen);
  const both = (game) => player === "" || opponent === "" || player !== opponent || game.first === game.second;
  state.listed = GAMES.filter(
    (game) => has(game, player) && has(game, opponent) && both(game) && (ending === "" || game.ending === Number(ending)));
  const key = KEYS[state.sort];
  const order = (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.number - b.number);
  state.listed.sort((a, b) => (state.down ? -order(a, b) : order(a, b)));
  state.rows = PAGE;
  list();
  if (state.game) describe(state.game), show(state.ply);
}

function list() {
  const shown = state.listed.slice(0, state.rows);
  $("list").tBodies[0].replaceChildren(...shown.map(rowOf));
  $("more").hidden = shown.length === state.listed.length;
  $("shown").textContent = `${state.listed.length} of ${GAMES.length} games`;
  for (const head of $("list").tHead.rows[0].cells) {
    if (head.dataset.key === state.sort) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}

function rowOf(game) {
  const row = element("tr");
  row.dataset.number = game.number;
  const number = element("td", "", "n");
  const link = element("a", `${game.number}`);
  link.href = `#game-${game.number}`;
  number.append(link);
  const players = [game.first, game.second].map((player, side) => {
    const cell = element("td");
    const name = element("span", DATA.players[player], winnerOf(game) === side ? "name won" : "name");
    name.title = DATA.players[player];
    cell.append(chip(game, side), name);
    return cell;
  });
  const ending = element("td", DATA.endings[game.ending], game.detail ? "fault" : "");
  ending.title = game.detail;
  const seconds = element("td", clock(KEYS.seconds(game)), "n");
  row.append(number, ...players, element("td", game.result), element("td", `${movesOf(game)}`, "n"), ending, seconds);
  mark(row);
  return row;
}

function chip(game, side) {
  const made = element("span", "", "chip");
  made.style.background = PIECES[game.board ? game.board.style : "squares"][side][1];
  made.title = sidesOf(game)[side];
  return made;
}

function mark(row) {
  if (state.game && Number(row.dataset.number) === state.game.number) row.setAttribute("aria-current", "true");
  else row.removeAttribute("aria-current");
}

// ---- the address and the keys

function follow() {
  const match = /^#game-(\d+)(?:-ply-(\d+))?$/.exec(location.hash);
  if (!match || !GAMES[match[1] - 1]) return false;
  open(Number(match[1]), match[2] === undefined ? null : Number(match[2]));
  $("viewer").focus({preventScroll: true}); // so that the arrow keys step through the game at once
  $("viewer").scrollIntoView({block: "start"});
  return true;
}

function keys(event) {
  const busy = event.target.closest("input, select, textarea, .scroll");
  if (busy || event.ctrlKey || event.metaKey || event.altKey || !state.game) return;
  if (event.key === " " && event.target.closest("button, a")) return;
  const act = {
    ArrowLeft: () => step(state.ply - 1), ArrowRight: () => step(state.ply + 1),
    Home: () => step(0), End: () => step(lastPly()), " ": play,
    ...(state.game.chess ? {f: () => turn(!state.flipped)} : {}),
  }[event.key];
  const near = $("viewer").getBoundingClientRect();
  if (!act || (near.bottom < 0 || near.top > innerHeight)) return; // the page scrolls as usual where no board is seen
  event.preventDefault();
  act();
}

function fill(select, names) {
  names.forEach((name, k) => {
    const option = element("option", name);
    option.value = k;
    select.append(option);
  });
  select.addEventListener("change", filterAndSort);
}

fill($("by-player"), DATA.players);
fill($("by-opponent"), DATA.players);
fill($("by-ending"), DATA.endings);
for (const id of ["viewer", "filters", "list"]) $(id).hidden = false;
$("first").addEventListener("click", () => step(0));
$("back").addEventListener("click", () => step(state.ply - 1));
$("forward").addEventListener("click", () => step(state.ply + 1));
$("last").addEventListener("click", () => step(lastPly()));
$("play").addEventListener("click", play);
$("flip").addEventListener("click", () => turn(!state.flipped));
$("copy-fen").addEventListener("click", () => copy($("fen").value, $("copy-fen")));
$("copy-pgn").addEventListener("click", () => copy(pgn(), $("copy-pgn")));
$("save-pgn").addEventListener("click", () => download(`game-${state.game.number}.pgn`, pgn()));
$("fen").addEventListener("focus", () => $("fen").select());
$("slider").addEventListener("input", () => step(Number($("slider").value)));
$("game-before").addEventListener("click", () => neighbour(-1));
$("game-after").addEventListener("click", () => neighbour(1));
$("moves").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) step(Number(button.dataset.ply));
});
$("more").addEventListener("click", () => {
  state.rows += PAGE;
  list();
});
$("list").tHead.addEventListener("click", (event) => {
  const head = event.target.closest("th");
  if (!head) return;
  state.down = head.dataset.key === state.sort ? !state.down : false;
  state.sort = head.dataset.key;
  filterAndSort();
});
$("list").tBodies[0].addEventListener("click", (event) => {
  const row = event.target.closest("tr");
  if (row && !event.target.closest("a")) location.hash = `#game-${row.dataset.number}`;
});
addEventListener("hashchange", follow);
document.addEventListener("keydown", keys);
list();
if (!follow()) {
  state.quiet = true; // an address without a game stays as it is until somebody moves
  open(1, null);
  state.quiet = false;
}

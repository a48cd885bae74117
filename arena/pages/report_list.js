// The list of games, and the address: #game-12-ply-30 names a game and how many of its moves are played.

const PAGE = 100; // rows of the list that are made at a time
const CHOICES = ["by-player", "by-opponent", "by-result", "by-ending"];
const ROWS = new WeakMap(); // of games

const KEYS = {
  number: (game) => game.number,
  first: (game) => DATA.players[game.first],
  second: (game) => DATA.players[game.second],
  result: (game) => game.result,
  plies: (game) => game.plies,
  ending: (game) => DATA.endings[game.ending],
  seconds: (game) => game.seconds[0] + game.seconds[1],
};

// What is listed, by what the user chose.
function select() {
  const [player, opponent, result, ending] = CHOICES.map((id) => $(id).value);
  const has = (game, chosen) => chosen === "" || game.first === Number(chosen) || game.second === Number(chosen);
  const both = (game) => player === "" || opponent === "" || player !== opponent || game.first === game.second;
  state.listed = GAMES.filter(
    (game) => has(game, player) && has(game, opponent) && both(game) && (result === "" || result === `${game.score ?? "none"}`)
      && (ending === "" || game.ending === Number(ending)));
  const key = KEYS[state.sort];
  const order = (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.number - b.number);
  state.listed.sort((a, b) => (state.down ? -order(a, b) : order(a, b)));
}

function filterAndSort() {
  select();
  state.rows = PAGE;
  list();
  if (state.game) beside(state.game);
}

function list() {
  const shown = state.listed.slice(0, state.rows);
  const rows = shown.map((game) => ROWS.get(game) || rowOf(game));
  rows.forEach(mark);
  arrange($("list").tBodies[0], rows);
  $("more").hidden = shown.length === state.listed.length;
  $("shown").textContent = `${state.listed.length} of ${GAMES.length} game${GAMES.length === 1 ? "" : "s"}`;
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
  ROWS.set(game, row);
  return row;
}

// Let `parent` have these children in this order; those that stand right are not touched, and keep the focus.
function arrange(parent, children) {
  let at = parent.firstChild;
  for (const child of children) {
    if (child === at) at = at.nextSibling;
    else parent.insertBefore(child, at);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
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

function follow() {
  const match = /^#game-(\d+)(?:-ply-(\d+))?$/.exec(location.hash);
  if (!match || !NUMBERED.has(Number(match[1]))) return false;
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
    ...(state.game.kind.flips ? {f: () => turn(!state.flipped)} : {}),
  }[event.key];
  const near = $("viewer").getBoundingClientRect();
  if (!act || (near.bottom < 0 || near.top > innerHeight)) return; // the page scrolls as usual where no board is seen
  event.preventDefault();
  act();
}

// Offer the names to choose from; what is chosen stays.
function offer(select, names) {
  for (let k = select.options.length - 1; k < names.length; k += 1) select.append(new Option(names[k], k));
}

function offerAll() {
  offer($("by-player"), DATA.players);
  offer($("by-opponent"), DATA.players);
  offer($("by-ending"), DATA.endings);
}

offerAll();
for (const id of CHOICES) $(id).addEventListener("change", filterAndSort);
for (const id of ["viewer", "filters", "list"]) $(id).hidden = false;
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
state.rows = PAGE;
if (DATA.live) state.down = true; // the newest on top
select();
list();
if (!follow() && GAMES.length) {
  state.quiet = true; // an address without a game stays as it is until somebody moves
  open(DATA.live ? GAMES[GAMES.length - 1].number : GAMES[0].number, null);
  state.quiet = false;
}

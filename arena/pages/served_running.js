// A tournament as it is played: games that end, the figures, and the boards of the games being played.

const NEWEST = 700; // ms that a new game in the list is marked

// Games have ended: they are listed where they belong, and what is being looked at stays.
function heardGames(news) {
  const first = !GAMES.length;
  Object.assign(DATA, {players: news.players, endings: news.endings, boards: news.boards.map(sameBoard)});
  const known = new Set(NUMBERED.keys());
  addGames(news);
  offerAll();
  select();
  list();
  $("games").hidden = false;
  if (first) {
    state.quiet = true;
    open(GAMES[GAMES.length - 1].number);
    state.quiet = false;
  } else if (state.game) beside(state.game);
  if (still() || document.hidden) return;
  for (const row of $("list").tBodies[0].rows) {
    if (!known.has(Number(row.dataset.number))) row.animate([{backgroundColor: "color-mix(in srgb, var(--accent) 30%, transparent)"}, {}], {duration: NEWEST});
  }
}

// ---- the boards of games being played

const LINGER = 4000; // ms that the board of a game that has ended stays where no other takes its place: so nothing jumps
const SLOTS = []; // {item, number, drawing, board, ...} each: a game keeps its place until it ends

function slotFor(number, taken) {
  return SLOTS.find((slot) => slot.number === number) || SLOTS.find((slot) => !taken.has(slot.number));
}

function newSlot() {
  const item = element("li");
  const title = element("h3");
  const seats = [element("p", "", "seat"), element("p", "", "seat")];
  const stage = element("div", "", "small-board");
  const last = element("p", "", "note");
  item.append(title, seats[1], stage, seats[0], last);
  const slot = {item, title, seats, stage, last, number: 0, drawing: null, board: null, plies: -1, leaving: 0};
  SLOTS.push(slot);
  $("boards").append(item);
  return slot;
}

function heardRunning(data) {
  const games = data.games.map((row, k) => {
    const game = Object.fromEntries(FIELDS.slice(0, FILM).map((field, at) => [field, row[at]]));
    Object.assign(game, {number: data.numbers[k], clocks: data.clocks[k]});
    return unroll(game, row, data);
  });
  const taken = new Set(games.map((game) => game.number));
  for (const game of games) showSmall(slotFor(game.number, taken) || newSlot(), game, data.players);
  for (const slot of SLOTS) {
    const over = !taken.has(slot.number);
    slot.item.classList.toggle("over", over);
    if (!over) clearTimeout(slot.leaving);
    slot.leaving = over ? slot.leaving || setTimeout(leave, LINGER, slot) : 0;
  }
  $("running").hidden = !SLOTS.length;
  $("running-count").textContent = games.length || "";
}

function leave(slot) {
  slot.item.remove();
  SLOTS.splice(SLOTS.indexOf(slot), 1);
  $("running").hidden = !SLOTS.length;
}

function showSmall(slot, game, players) {
  const same = slot.number === game.number;
  if (!same) Object.assign(slot, {number: game.number, plies: -1});
  slot.item.dataset.number = game.number;
  slot.title.textContent = `Game ${game.number}`;
  if (slot.board !== game.board) {
    slot.board = game.board;
    slot.drawing = game.board ? game.kind.drawing(game.board) : null;
    slot.stage.replaceChildren(slot.drawing ? slot.drawing.element : element("p", "There is no board for this game here.", "note"));
    if (slot.drawing && slot.drawing.fold) slot.drawing.fold(true);
  }
  [game.first, game.second].forEach((player, side) => {
    const toMove = game.board && (game.turns.length ? 1 - game.turns[game.turns.length - 1] : 0) === side;
    const name = element("b", players[player]);
    name.title = players[player];
    const time = game.clocks ? element("span", clock(game.clocks[side]), "time") : "";
    slot.seats[side].replaceChildren(chip(game, side), name, time);
    slot.seats[side].classList.toggle("moves-next", Boolean(toMove));
  });
  if (game.board) showLast(slot, game);
  const moves = movesOf(game);
  const last = game.plies ? game.kind.moveText(game, game.plies - 1) : "";
  slot.last.replaceChildren(`Move ${moves}`, game.plies ? ": " : "", game.kind.spell(last));
}

function showLast(slot, game) {
  const positions = game.kind.positions(game);
  const ply = positions.length - 1;
  const position = positions[ply];
  slot.drawing.show(position, game.kind.moving && slot.plies === ply - 1 && ply ? position.moved : []);
  slot.drawing.element.setAttribute("aria-label", `Board of game ${game.number} after ${ply} plies`);
  slot.plies = ply;
}

listen(DATA.live, {games: heardGames, regions: renew, running: heardRunning, anew: () => location.reload()});

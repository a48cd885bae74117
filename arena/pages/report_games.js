// The games: those of the page's data, and those that a server tells of later. Films come with them or one by one.

const DATA = JSON.parse(document.getElementById("data").textContent);
const FIELDS = ["first", "second", "result", "score", "ending", "detail", "seconds", "rated", "moves", "board", "start",
  "changes", "turns", "fault", "comments", "setup", "rights", "passants", "check"];
const FILM = FIELDS.indexOf("moves"); // where what is needed for the list ends
const GAMES = []; // by number
const NUMBERED = new Map();

const $ = (id) => document.getElementById(id);

// "0110" or [who began, how many plies] -> [0, 1, 1, 0]
function turnsOf(turns) {
  if (typeof turns === "string") return [...turns].map(Number);
  return Array.from({length: turns[1]}, (_, k) => (turns[0] + k) % 2);
}

// Make `game` one that can be shown: `row` is its list in `data`.
function unroll(game, row, data) {
  for (const [k, field] of FIELDS.entries()) if (k >= FILM) game[field] = row[k];
  game.board = game.board < 0 ? null : sameBoard(data.boards[game.board]);
  game.kind = (game.board && KINDS[game.board.style]) || KINDS.plain;
  game.moves = game.moves ? game.moves.split(" ") : [];
  game.plies = game.moves.length;
  game.turns = turnsOf(game.turns);
  game.start = data.starts[game.start] || "";
  game.kind.prepare(game);
  game.shown = true;
  return game;
}

// The board of `DATA` that is like this one, so that one drawing serves all games on it.
function sameBoard(board) {
  const same = DATA.boards.find(({name, width, height}) => name === board.name && width === board.width && height === board.height);
  if (!same) DATA.boards.push(board);
  return same || board;
}

function gameOf(row, number) {
  const game = Object.fromEntries(FIELDS.slice(0, FILM).map((field, k) => [field, row[k]]));
  game.number = number;
  if (typeof row[FILM] === "string") return unroll(game, row, DATA);
  const board = DATA.boards[row[FILM + 1]] || null;
  return Object.assign(game, {plies: row[FILM], board, kind: (board && KINDS[board.style]) || KINDS.plain, shown: false});
}

// Add games, or put them in the place of others with their numbers; `data` is like `DATA`.
function addGames(data) {
  const later = !GAMES.length || data.numbers[0] > GAMES[GAMES.length - 1].number;
  data.games.forEach((row, k) => {
    const game = gameOf(row, data.numbers[k]);
    const place = NUMBERED.has(game.number) ? GAMES.indexOf(NUMBERED.get(game.number)) : GAMES.length;
    GAMES[place] = game;
    NUMBERED.set(game.number, game);
  });
  if (!later || data.numbers.length > 1) GAMES.sort((a, b) => a.number - b.number);
}

// Fetch the film of a game. Resolves to false if there is none.
async function fetchFilm(game) {
  try {
    const answer = await fetch(`films/${game.number}.json`);
    if (!answer.ok) return false;
    const data = await answer.json();
    if (!game.shown) unroll(game, data.games[0], data);
    return true;
  } catch {
    return false; // the server has ended
  }
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
const movesOf = (game) => game.kind.length(game.plies);
const winnerOf = (game) => (game.score === 1 ? 0 : game.score === 0 ? 1 : -1);

addGames(DATA);

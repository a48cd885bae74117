// The page to play on: asks the server, hears what happens, and does what a person wants.

// ---- the server

// The server's answer, or {error}.
async function ask(path, body) {
  try {
    const answer = await fetch(`/play/${path}`, body && {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});
    return await answer.json();
  } catch {
    return {error: "The server does not answer: has it ended?"};
  }
}

// Ask for something to be done with the game, and show what it is like then.
async function act(verb, body = {}) {
  tell("");
  const answer = await ask(`${table.key}/${verb}`, body);
  if (answer.error) tell(answer.error);
  if (!answer.error && answer.key === table.key) receive(answer);
  return !answer.error;
}

async function begin(body) {
  const answer = await ask("new", {...body, replaces: table.key});
  if (answer.error) return sentence(answer.error);
  sit(answer);
  $("surface").focus({preventScroll: true});
  return "";
}

// Show a game from now on.
function sit(now) {
  $("foreseen").hidden = true;
  if (table.source) table.source.close();
  Object.assign(table, {key: now.key, now: null, game: null, thoughts: new Map(), pointed: null, hinted: null, analysing: Boolean(now.thinking && now.thinking.kind === "analysis"), looked: -1});
  table.flipped = !now.seats[0].person && now.seats[1].person;
  history.replaceState(null, "", `#${now.key}`);
  const {players} = CHOICES.games[now.game] || {players: []};
  const thinkers = players.filter(({thinks}) => thinks);
  $("analyst").replaceChildren(...thinkers.map(({name, spec}) => new Option(name, spec)));
  const opponent = now.seats.map(({spec}) => spec).find((spec) => thinkers.some((thinker) => thinker.spec === spec));
  $("analyst").value = opponent || OPPONENTS.filter((spec) => thinkers.some((thinker) => thinker.spec === spec)).pop() || "";
  seen("game");
  tell("");
  receive(now);
  show(table.positions.length - 1);
  listen(now.key);
}

function listen(key) {
  const source = new EventSource(`/play/${key}/events`);
  const on = (name, handle) => source.addEventListener(name, (event) => {
    if (key === table.key && table.now) handle(JSON.parse(event.data)); // no game is shown while the form is
  });
  on("state", receive);
  on("thought", foresee);
  on("hint", hinted);
  on("closed", () => {
    source.close();
    setTimeout(resume, 500, key);
  });
  const cutOff = (is) => key === table.key && document.body.classList.toggle("cut-off", is);
  source.addEventListener("open", () => cutOff(false));
  source.addEventListener("error", () => {
    cutOff(source.readyState === EventSource.CONNECTING); // the browser tries again by itself
    if (source.readyState === EventSource.CLOSED && key === table.key) tell("The server has ended, or has closed this game.");
  });
  table.source = source;
}

// Go on with the game of that key, if the server still has it.
async function resume(key) {
  const answer = await ask(`${key}/state`);
  if (!answer.error) sit(answer);
  else if (table.now) tell(answer.error);
  else {
    history.replaceState(null, "", location.pathname);
    form.wrong(sentence(answer.error));
  }
}

// ---- what a person does

async function analyse() {
  if (table.analysing) {
    table.analysing = false;
    await act("stop");
    return;
  }
  table.analysing = true;
  await look();
}

// Let the analyst think about the position shown.
async function look() {
  table.looked = table.ply;
  if (!(await act("analyse", {spec: $("analyst").value, ply: table.ply}))) table.analysing = false;
  describe();
}

const play = (text) => act("move", {move: text, ply: plies()});

// Show the form, or the game.
function seen(what) {
  const playing = what === "game";
  $("setup").hidden = playing;
  for (const id of ["game", "foresight", "score", "browse"]) $(id).hidden = !playing;
  $("cancel").hidden = !table.key;
  $("table").classList.toggle("setting", !playing);
  if (!playing) for (const id of ["bar-top", "bar-bottom"]) $(id).replaceChildren();
}

// What the form's game looks like.
function preview(film) {
  if (!$("game").hidden) return;
  const game = gameOfFilm(film);
  table.now = null;
  board(game);
  if (game.kind.flips) table.drawing.flip(false);
  table.drawing.show(game.positions[0]);
  table.marks.clear();
  surface.take(table.drawing, game.positions[0].cells, []);
  const names = ["bar-top", "bar-bottom"];
  names.forEach((id, k) => $(id).replaceChildren(game.kind.icon(1 - k, game.board.style), element("b", game.board.sides[1 - k])));
}

function step(to) {
  if (!table.now || to < 0 || to > plies() || to === table.ply) return;
  show(to);
  say($("surface").getAttribute("aria-label").replace("Board. ", ""));
  if (table.analysing && !(table.now.thinking && table.now.thinking.kind === "move")) look();
}

function save() {
  const {kind} = table.game;
  const names = table.now.seats.map(({name}) => name);
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([kind.record.text(table.game, names, table.now.ended ? table.now.film.endings[0] : "", "Sakiyomi")], {type: kind.record.type}));
  link.download = `game.${kind.record.suffix}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function copyPosition() {
  const {kind} = table.game;
  const text = kind.position ? kind.position.text(table.game, table.positions, table.ply) : table.now.text;
  try {
    await navigator.clipboard.writeText(text);
    tell(`copied: ${text}`);
  } catch {
    tell(text);
  }
}

// ---- wiring

const surface = new Surface($("surface"), {
  play,
  illegal: (text) => act("move", {move: text, ply: plies()}),
  changed: () => draw(),
  say: (text) => { $("cell-says").textContent = text; },
  choose,
});
const foresight = new Foresight({
  point(line, upTo) {
    table.pointed = line === null ? null : [line, upTo];
    draw();
  },
  go: (ply) => step(ply),
});

for (const [id, handle] of Object.entries({
  undo: () => act("undo"),
  resign: () => act("resign"),
  claim: () => act("claim"),
  hint: () => act("hint", {spec: $("analyst").value}),
  now: () => act("stop"),
  pause: () => act("pause", {paused: !table.now.paused}),
  pass: () => play(table.now.legal.find(([, to]) => to < 0)[0]),
  analyse,
  first: () => step(0),
  back: () => step(table.ply - 1),
  forward: () => step(table.ply + 1),
  last: () => step(plies()),
  flip() {
    table.flipped = !table.flipped;
    $("flip").setAttribute("aria-pressed", `${table.flipped}`);
    show(table.ply);
  },
  "new-game": () => {
    seen("setup");
    form.choose(form.name);
  },
  cancel() {
    seen("game");
    resume(table.key);
  },
  "save-record": save,
  "copy-position": copyPosition,
})) $(id).addEventListener("click", handle);
$("moves").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) step(Number(button.dataset.ply));
});
$("type").addEventListener("submit", async (event) => {
  event.preventDefault();
  if ($("typed").value.trim() && (await play($("typed").value))) $("typed").value = "";
});
$("overlay").addEventListener("change", draw);
$("analyst").addEventListener("change", () => table.analysing && look());
$("notation").addEventListener("change", () => {
  state.notation = $("notation").value;
  table.drawing.notate(state.notation);
  for (const thought of table.thoughts.values()) delete thought.drawn;
  listMoves();
  show(table.ply);
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const to = {ArrowLeft: table.ply - 1, ArrowRight: table.ply + 1, Home: 0, End: plies()}[event.key];
  if (to !== undefined && table.now && !$("game").hidden) {
    event.preventDefault();
    step(to);
  }
});
// A page that the browser keeps for later would keep its connection, of which there are few.
window.addEventListener("pagehide", () => table.source && table.source.close());
window.addEventListener("pageshow", (event) => event.persisted && table.now && resume(table.key));
new ResizeObserver(fit).observe(document.querySelector(".stage"));

const form = new NewGame({preview, begin});
seen("setup");
if (location.hash.length > 1) resume(location.hash.slice(1));

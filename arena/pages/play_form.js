// The form of a new game: which game, who plays, by which rules, from where.

const CHOICES = JSON.parse(document.getElementById("choices").textContent);
const BUDGETS = [["as the player has it", {}], ["0.5 seconds a move", {seconds: 0.5}], ["1 second", {seconds: 1}], ["3 seconds", {seconds: 3}], ["10 seconds", {seconds: 10}], ["30 seconds", {seconds: 30}], ["100 simulations", {simulations: 100}], ["1,000 simulations", {simulations: 1000}], ["10,000 simulations", {simulations: 10000}]];
const OTHER = "other";
const FIRST_CHOICE = {Go: "go-9x9"};
const KIND_LABELS = {chess: "Chess", chess960: "Chess960", othello: "8×8", "othello-6x6": "6×6"};
const POSITION_NAMES = {chess: "FEN", shogi: "SFEN"};
const OPPONENTS = ["uct:1000", "alphabeta:4"]; // the last that there is

const kindLabel = (name) => KIND_LABELS[name] || name.replace("go-", "").replace("x", "×");

// `hooks`: `preview(film)`, the game that is chosen; `begin(body)`, a promise of "" or what is wrong.
class NewGame {
  constructor(hooks) {
    this.hooks = hooks;
    this.seats = [0, 1].map((side) => this.seat(side));
    $("seat-fields").replaceChildren(...this.seats.map(({box}) => box));
    $("families").append(...Object.keys(CHOICES.families).map((family) => this.tile(family)));
    $("rules").replaceChildren(...CHOICES.rules.map((name) => new Option(name, name)));
    $("stones").replaceChildren(new Option("none", ""), ...[2, 3, 4, 5, 6, 7, 8, 9].map((n) => new Option(`${n} stones`, n)));
    $("handicap").replaceChildren(...CHOICES.handicaps.map((name) => new Option(name === "even" ? "none" : name, name === "even" ? "" : name)));
    $("kind").addEventListener("change", () => this.choose($("kind").value));
    $("swap").addEventListener("click", () => this.swap());
    $("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.family("Go");
  }

  tile(family) {
    const label = element("label", "", "family");
    const input = element("input");
    Object.assign(input, {type: "radio", name: "family", value: family, checked: family === "Go"});
    input.addEventListener("change", () => this.family(family));
    const {board} = gameOfFilm(CHOICES.games[CHOICES.families[family][0]].film);
    const kind = KINDS[board.style] || KINDS.plain;
    label.append(input, kind.icon(0, board.style), element("span", family));
    return label;
  }

  family(family) {
    const names = CHOICES.families[family];
    $("kind").replaceChildren(...names.map((name) => new Option(kindLabel(name), name)));
    $("kind-field").hidden = names.length < 2;
    this.choose(FIRST_CHOICE[family] || names[0]);
  }

  choose(name) {
    const {family, film} = CHOICES.games[name];
    const style = film.boards[0].style;
    Object.assign(this, {name, sides: film.boards[0].sides});
    $("kind").value = name;
    for (const field of document.querySelectorAll("[data-for]")) field.hidden = ![family, name].includes(field.dataset.for);
    $("position-label").textContent = POSITION_NAMES[style] || "Position";
    $("from-position").value = "";
    if (style === "go") $("komi").value = $("komi").value || "7.5";
    this.seats.forEach((seat, side) => this.offer(seat, side));
    this.hooks.preview(film);
  }

  // One side's fields.
  seat(side) {
    const box = element("div", "", "seat");
    const name = element("span", "", "seat-name");
    const who = element("select");
    const spec = element("input");
    const budget = element("select");
    who.id = `who-${side}`;
    spec.id = `spec-${side}`;
    budget.id = `budget-${side}`;
    Object.assign(spec, {placeholder: "a player's spec, such as uct:5000", spellcheck: false, autocomplete: "off"});
    spec.setAttribute("aria-label", "The player's spec");
    budget.setAttribute("aria-label", "What it may spend on a move");
    budget.append(...BUDGETS.map(([label], k) => new Option(label, k)));
    box.append(name, who, budget, spec);
    const seat = {box, name, who, spec, budget};
    who.addEventListener("change", () => this.fit(seat));
    return seat;
  }

  offer(seat, side) {
    const {players} = CHOICES.games[this.name];
    const first = !seat.who.options.length;
    const before = seat.who.value;
    seat.name.textContent = this.sides[side];
    seat.who.setAttribute("aria-label", `Who plays ${this.sides[side]}`);
    seat.who.replaceChildren(new Option("A person", ""), ...players.map(({name, spec}) => new Option(name, spec)), new Option("Another player …", OTHER));
    const usual = OPPONENTS.filter((spec) => players.some((player) => player.spec === spec)).pop();
    const kept = [...seat.who.options].some(({value}) => value === before);
    seat.who.value = first ? (side ? usual : "") : kept && !(OPPONENTS.includes(before) && before !== usual) ? before : usual;
    this.fit(seat);
  }

  fit({who, spec, budget}) {
    spec.hidden = who.value !== OTHER;
    budget.hidden = !who.value || ["random", "greedy", "perfect"].includes(who.value) || who.value.includes("byoyomi=");
    if (budget.hidden) budget.value = "0";
  }

  swap() {
    const [one, two] = this.seats.map(({who, spec, budget}) => [who.value, spec.value, budget.value]);
    [two, one].forEach(([who, spec, budget], side) => {
      Object.assign(this.seats[side].who, {value: who});
      Object.assign(this.seats[side].spec, {value: spec});
      this.fit(this.seats[side]);
      this.seats[side].budget.value = budget;
    });
  }

  body() {
    const {family} = CHOICES.games[this.name];
    const seats = this.seats.map(({who, spec, budget}) => ({spec: who.value === OTHER ? spec.value : who.value, ...BUDGETS[Number(budget.value)][1]}));
    const body = {game: this.name, seats};
    const number = (field) => (field.value === "" ? NaN : Number(field.value));
    if (family === "Go") {
      body.options = {rules: $("rules").value};
      if (!Number.isNaN(number($("komi")))) body.options.komi = number($("komi"));
      if ($("stones").value) body.handicap = Number($("stones").value);
    }
    if (family === "Shogi" && $("handicap").value) body.handicap = $("handicap").value;
    const text = $("from-position").value.trim();
    if (text) body.position = text;
    else if (this.name === "chess960") body.number = Number.isNaN(number($("number"))) ? -1 : number($("number"));
    return body;
  }

  async submit() {
    if (this.seats.some(({who, spec}) => who.value === OTHER && !spec.value.trim())) {
      this.wrong("Write the player's spec, such as uct:5000");
      return;
    }
    $("begin").disabled = true;
    this.wrong(await this.hooks.begin(this.body()));
    $("begin").disabled = false;
  }

  wrong(words) {
    $("form-message").hidden = !words;
    $("form-message").textContent = words;
  }
}

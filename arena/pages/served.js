// What moves on a served page: parts of it are written anew, by events of the server, without losing focus or place.

const MOVED = 450; // ms that what has a new place takes to get there
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// Make `old` like `wanted` by as few changes as can be: elements with a data-key keep together wherever they go.
function grow(old, wanted) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.nodeValue !== wanted.nodeValue) old.nodeValue = wanted.nodeValue;
    return;
  }
  for (const {name} of [...old.attributes]) if (!wanted.hasAttribute(name)) old.removeAttribute(name);
  for (const {name, value} of wanted.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  growChildren(old, wanted);
}

function growChildren(old, wanted) {
  const keyed = new Map([...old.children].filter((child) => child.dataset.key).map((child) => [child.dataset.key, child]));
  let at = old.firstChild;
  for (const child of [...wanted.childNodes]) {
    const key = child.nodeType === Node.ELEMENT_NODE ? child.dataset.key : "";
    let match = key ? keyed.get(key) : at;
    if (match && (match.nodeName !== child.nodeName || (!key && match.dataset && match.dataset.key))) match = null;
    if (match === at && match) at = at.nextSibling;
    else old.insertBefore(match || child, at); // a new child leaves `wanted`, one in another place goes to this one
    if (match) grow(match, child);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// Rows that have changed places are seen going there.
function withMoves(root, change) {
  const rows = [...root.querySelectorAll("#standings tr[data-key], .plot-row[data-key], .cards > li")];
  const before = new Map(rows.map((row) => [row, row.getBoundingClientRect()]));
  change();
  if (still() || document.hidden) return;
  for (const [row, {left, top}] of before) {
    if (!row.isConnected) continue;
    const now = row.getBoundingClientRect();
    const [x, y] = [left - now.left, top - now.top];
    if (Math.abs(x) + Math.abs(y) < 2) continue;
    row.animate([{transform: `translate(${x}px, ${y}px)`}, {transform: "none"}], {duration: MOVED, easing: "ease-in-out"});
  }
}

function renew(regions) {
  for (const [id, html] of Object.entries(regions)) {
    const region = document.getElementById(id);
    const wanted = new DOMParser().parseFromString(`<div>${html}</div>`, "text/html").body.firstChild;
    withMoves(region, () => growChildren(region, wanted));
  }
}

// Listen to events at `address`; `heard` says by name what to do with their data. The browser connects again by itself. A
// page that nobody sees lets go, for a browser keeps only a few connections to a server, and goes on where it was.
function listen(address, heard) {
  let source = null;
  let known = "";
  const connect = () => {
    source = new EventSource(known ? address.replace(/since=.*/, `since=${known}`) : address);
    for (const [name, act] of Object.entries(heard)) {
      source.addEventListener(name, (event) => {
        known = event.lastEventId || known;
        act(JSON.parse(event.data));
      });
    }
    source.addEventListener("open", () => document.body.classList.remove("cut-off"));
    source.addEventListener("error", () => document.body.classList.add("cut-off"));
  };
  const letGo = () => {
    if (source) source.close();
    source = null;
  };
  const attend = () => {
    if (document.hidden) letGo();
    else if (!source) connect();
  };
  document.addEventListener("visibilitychange", attend);
  addEventListener("pagehide", letGo);
  addEventListener("pageshow", (event) => event.persisted && attend());
  attend();
}

if (document.getElementById("cards")) {
  listen(document.getElementById("cards").dataset.events, {regions: renew, go: (address) => location.replace(address)});
}

// A page without events says by `data-again` after how many seconds it is asked for again, as long as it does.
async function askAgain() {
  const facts = document.getElementById("facts");
  if (!facts || !facts.dataset.again) return;
  await new Promise((resolve) => { setTimeout(resolve, 1000 * Number(facts.dataset.again)); });
  try {
    const answer = document.hidden ? null : await fetch(location.pathname);
    const wanted = answer && answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
    if (wanted) for (const id of ["facts", "main"]) grow(document.getElementById(id), wanted.getElementById(id));
    document.body.classList.remove("cut-off");
  } catch {
    document.body.classList.add("cut-off");
  }
  askAgain();
}

askAgain();

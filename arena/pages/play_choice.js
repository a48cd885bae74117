// The choice of what a piece becomes.

// Choose among moves that differ in what the piece becomes; resolves to null if none is wanted.
function choose(moves, cell) {
  const {drawing, game} = table;
  const side = table.now.turn;
  const box = $("promotion");
  const buttons = [...moves].sort((a, b) => b[3] - a[3]).map((move) => { // queen or promotion first
    const button = element("button");
    button.type = "button";
    const root = svg("svg", {viewBox: "-.55 -.55 1.1 1.1", "aria-hidden": "true"});
    if (game.board.style === "shogi") {
      const kind = Math.abs(surface.cells[move[2]]) + (move[3] ? 8 : 0);
      drawing.man(root, kind, drawing.below(0) ? side : 1 - side);
      button.setAttribute("aria-label", move[3] ? `promote to ${SHOGI_NAMES[kind]}` : "do not promote");
    } else {
      drawChessman(root, side ? -move[3] : move[3], 0, 0);
      button.setAttribute("aria-label", CHESS_NAMES[move[3]]);
    }
    button.dataset.move = move[0];
    button.append(root);
    return button;
  });
  box.replaceChildren(...buttons);
  box.hidden = false;
  const [x, y] = middleOf(drawing, cell);
  const point = new DOMPoint(x, y).matrixTransform(drawing.element.getScreenCTM());
  const frame = document.querySelector(".stage").getBoundingClientRect();
  const half = box.offsetWidth / 2;
  box.style.left = `${Math.max(half, Math.min(point.x - frame.left, frame.width - half))}px`;
  box.style.top = `${Math.max(0, Math.min(point.y - frame.top - box.offsetHeight / 2, frame.height - box.offsetHeight))}px`;
  buttons[0].focus();
  return new Promise((resolve) => {
    const close = (move) => {
      box.hidden = true;
      box.onclick = box.onkeydown = null;
      document.removeEventListener("pointerdown", outside, true);
      $("surface").focus({preventScroll: true});
      resolve(move);
    };
    const among = (step) => buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length].focus();
    const outside = (event) => box.contains(event.target) || close(null);
    document.addEventListener("pointerdown", outside, true);
    box.onclick = (event) => {
      const button = event.target.closest("button");
      if (button) close(moves.find(([text]) => text === button.dataset.move));
    };
    box.onkeydown = (event) => {
      if (event.key === "Escape") close(null);
      const next = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Tab: event.shiftKey ? -1 : 1}[event.key];
      if (next) among(next); // Escape leaves, Tab goes round
      if (next || event.key === "Escape") event.preventDefault();
      event.stopPropagation();
    };
  });
}

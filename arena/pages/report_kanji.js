// The characters on shogi pieces, drawn for this page with a brush of our own, so that no Japanese font is needed.

// Strokes on a square of 100 by 100, each a letter and the points of its middle line: h across, v down, p falling to
// the left and growing thin, n falling to the right and growing thick, d a dot, s as thick as a v all along. Three
// points and more are a smooth curve.
const STROKES = {
  歩: "v50 5 50 40;v27 19 27 40;h51 22 83 22;h6 41 94 41;v50 46 49 72;p50 73 46 77 37 73;p34 54 26 65 12 74;d66 54 75 61 83 71;p79 65 60 86 14 97",
  香: "p78 6 54 13 22 16;h8 29 92 29;v50 13 50 55;p47 31 32 47 6 59;n53 31 69 46 94 58;v27 63 27 98;v73 63 73 98;h27 63 73 63;h27 79 73 79;h27 95 73 95",
  桂: "h4 32 43 32;v25 6 25 97;p24 34 17 54 3 71;d28 42 34 49 40 58;h52 24 92 24;v72 7 72 45;h47 46 97 46;h52 70 92 70;v72 52 72 94;h46 95 98 95",
  銀: "p25 4 17 21 2 36;d27 11 36 19 44 30;h14 38 37 38;h7 55 44 55;v25 39 25 92;d11 64 15 70 17 80;p42 63 39 72 34 80;h4 94 46 88;v55 9 55 90;h55 10 90 10;v90 9 90 46;h55 28 90 28;h55 46 90 46;p55 92 66 90 78 82;p94 55 87 62 76 68;n66 47 75 76 98 95",
  金: "p50 4 33 27 4 47;n50 5 68 27 97 46;h30 45 70 45;h14 63 86 63;v50 46 50 92;d26 70 31 77 34 87;p76 70 72 79 64 87;h6 95 94 95",
  角: "p43 3 35 17 15 34;h37 13 68 13;p68 13 65 21 55 32;v27 33 27 62 24 72;p25 68 21 84 8 97;h27 33 80 33;s80 33 80 93;p80 94 76 98 63 93;v53 33 53 77;h27 54 80 54;h26 76 80 76",
  飛: "h9 9 65 9;s65 9 67 29 79 41 90 45;p92 48 94 42 93 30;p90 12 82 19 72 22;d72 22 78 27 86 36;p38 19 26 26 8 31;h6 54 65 54;p28 32 29 66 8 96;v49 23 49 98;s65 54 67 76 79 90 91 94;p93 97 95 90 94 78;p92 58 83 65 73 69;d72 69 79 74 86 84",
  王: "h13 14 87 14;h19 51 81 51;v50 14 50 92;h7 93 93 93",
  玉: "h13 14 87 14;h19 50 81 50;v49 14 49 92;h7 93 93 93;d66 64 74 72 80 83",
  と: "n34 8 37 24 43 44;s80 28 58 38 35 52 24 68 31 84 52 89 83 85",
  杏: "h7 25 93 25;v50 4 50 58;p47 27 32 46 5 61;n53 27 69 45 95 60;v24 66 24 98;v76 66 76 98;h24 67 76 67;h24 94 76 94",
  圭: "h20 23 80 23;v50 4 50 46;h9 46 91 46;h17 69 83 69;v50 51 50 93;h5 95 95 95",
  全: "p50 4 33 29 4 50;n50 5 68 29 97 49;h26 47 74 47;h24 70 76 70;v50 48 50 93;h9 95 91 95",
  馬: "s20 9 20 60;h20 9 84 9;v51 10 51 60;h20 26 78 26;h20 43 78 43;h20 61 90 61;s90 61 88 86 80 95;p80 97 74 98 65 91;p15 70 13 84 6 97;d30 71 34 79 35 92;d46 71 51 78 53 89;d62 69 68 75 71 84",
  龍: "v26 3 27 16;h6 17 46 17;d13 23 17 28 18 36;p40 22 37 30 32 37;h2 39 50 39;s10 47 10 98;h10 48 44 48;s44 48 44 92;p44 93 41 98 31 94;h10 63 44 63;h10 77 44 77;v61 4 61 32;h61 14 93 14;h61 31 92 31;v92 31 92 45;h59 45 92 45;s59 45 59 86 63 93 75 94 91 92;p93 95 95 88 94 78;h62 58 89 58;h62 70 89 70;h62 82 86 82",
  一: "h10 50 90 50", 二: "h20 24 80 24;h8 80 92 80", 三: "h16 16 84 16;h22 49 78 49;h8 85 92 85",
  四: "v14 20 16 88;h14 20 86 20;v86 20 84 88;h16 83 84 83;p38 22 37 42 25 58;s62 22 62 48 66 55 78 55",
  五: "h13 15 87 15;v47 16 36 90;h17 49 74 49;v74 49 72 90;h6 91 94 91", 六: "v50 6 50 26;h6 32 94 32;p35 48 28 70 10 92;n62 48 76 66 90 92",
  七: "h6 52 92 38;s42 8 42 76 48 86 66 87 88 84;p90 87 92 80 91 68", 八: "p36 22 30 58 8 92;n56 14 66 56 94 90",
  九: "p40 6 38 60 8 94;h10 32 68 32;s68 32 66 76 72 88 88 89;p91 91 94 82 93 70",
};
// What texts of moves need beside the names of pieces and the numerals.
Object.assign(STROKES, {
  "１": "h36 24 56 10;v56 8 56 94", "２": "s22 32 28 13 50 8 73 16 75 36 58 60 22 90;h22 91 80 91",
  "３": "s23 18 46 8 71 17 71 36 48 46;s48 46 75 54 78 73 64 91 42 94 21 84", "４": "s62 8 17 67;h17 67 85 67;v65 8 65 95",
  "５": "h29 11 76 11;s30 11 27 46;s27 46 50 39 75 50 78 69 66 89 44 94 21 86", "６": "s70 9 42 24 26 50 24 73 36 91 56 94 74 84 76 65 62 51 42 53 26 67",
  "７": "h19 11 80 11;s80 11 58 46 45 95", "８": "s50 8 72 16 72 36 50 47 26 60 24 82 50 94 76 82 74 60 50 47 28 36 28 16 50 8",
  "９": "s75 35 60 50 40 52 25 40 26 20 42 8 62 10 76 27 74 56 58 80 33 94",
  同: "v15 9 15 98;h15 10 86 10;s86 10 86 95;p87 95 82 98 72 92;h31 31 69 31;v33 50 33 84;h33 50 68 50;v68 50 68 84;h33 80 68 80",
  成: "h17 25 94 25;p18 25 17 62 4 96;h18 49 43 49;s43 49 43 70 40 81;p40 81 34 83 28 76;s57 5 61 44 73 76 90 92;p92 95 95 86 95 74;p82 43 70 70 42 95;d72 5 79 10 85 17",
  不: "h8 13 92 13;p54 14 36 43 5 64;v51 37 51 97;d62 44 77 54 91 69",
  右: "h6 26 94 26;p44 4 35 44 6 76;v35 54 35 97;h35 54 84 54;v84 54 84 97;h35 91 84 91",
  左: "h6 25 94 25;p43 4 37 54 6 94;h36 55 90 55;v63 55 63 92;h31 93 96 93",
  上: "v47 6 47 90;h47 41 85 41;h6 92 94 92",
  引: "h12 14 54 14;v54 14 54 38;h17 36 54 36;s17 36 15 50 13 61;h13 60 54 60;s54 60 53 80 50 91;p50 92 44 96 32 88;v82 5 82 98",
  寄: "v50 2 50 16;v10 15 9 32;h10 15 90 15;p91 15 89 24 82 32;h26 34 75 34;p50 22 45 41 20 52;d55 39 67 44 79 52;h5 58 95 58;v24 70 24 92;h24 70 57 70;v57 70 57 92;h24 88 57 88;s80 58 80 92;p81 93 75 98 62 90",
  直: "h12 17 88 17;v50 3 50 30;v29 30 29 80;h29 30 74 30;v74 30 74 80;h29 46 74 46;h29 62 74 62;h29 78 74 78;v12 42 12 94;h12 93 94 93",
  打: "h4 28 44 28;s26 5 26 91;p26 92 20 96 8 88;p46 49 26 59 4 66;h50 18 97 18;s75 18 75 92;p75 93 69 97 55 89",
});
const BRUSH = {h: [6, 5, 7], v: [9.5, 8, 8.5], s: [8.5, 8, 8], p: [9.5, 7, 1.5], n: [3, 7, 10.5], d: [2.5, 8, 10]}; // at both ends and in the middle

// The width of a stroke of that kind at `t` (0 where the brush comes down, 1 where it is lifted).
function widthAt(kind, t) {
  const [from, middle, to] = BRUSH[kind];
  return t < 0.5 ? from + 2 * t * (middle - from) : middle + (2 * t - 1) * (to - middle);
}

// A smooth curve through the points: 12 pieces between each two of them.
function curve(points) {
  const at = (k) => points[Math.max(0, Math.min(points.length - 1, k))];
  const steps = points.length > 2 ? 12 : 1;
  const found = [points[0]];
  for (let k = 0; k + 1 < points.length; k += 1) {
    for (let step = 1; step <= steps; step += 1) {
      const t = step / steps;
      found.push([0, 1].map((axis) => {
        const [a, b, c, d] = [-1, 0, 1, 2].map((offset) => at(k + offset)[axis]);
        return points.length > 2 ? b + t * ((c - a) + t * (2 * a - 5 * b + 4 * c - d + t * (3 * b - a - 3 * c + d))) / 2 : b + t * (c - b);
      }));
    }
  }
  return found;
}

// The outline of one stroke: its middle line, moved to either side by half its width.
function outline(stroke) {
  const kind = stroke[0];
  const numbers = stroke.slice(1).split(" ").map(Number);
  const line = curve(Array.from({length: numbers.length / 2}, (_, k) => numbers.slice(2 * k, 2 * k + 2)));
  const sides = [[], []];
  line.forEach(([x, y], k) => {
    const [x0, y0] = line[Math.max(0, k - 1)];
    const [x1, y1] = line[Math.min(line.length - 1, k + 1)];
    const long = Math.hypot(x1 - x0, y1 - y0) || 1;
    const half = widthAt(kind, k / (line.length - 1)) / 2;
    const [dx, dy] = [(half * (y0 - y1)) / long, (half * (x1 - x0)) / long];
    sides[0].push(`${(x + dx).toFixed(1)} ${(y + dy).toFixed(1)}`);
    sides[1].unshift(`${(x - dx).toFixed(1)} ${(y - dy).toFixed(1)}`);
  });
  return `M${sides[0].concat(sides[1]).join("L")}z`;
}

const outlines = new Map();

// The character as an SVG path on a square of 100 by 100.
function kanjiPath(character) {
  if (!outlines.has(character)) outlines.set(character, STROKES[character].split(";").map(outline).join(""));
  return outlines.get(character);
}

const TRIANGLES = {"▲": "M50 12 92 86H8z", "△": "M50 12 92 86H8zM50 28 22 78H78z"};
const WIDE_DIGITS = " １２３４５６７８９";
const SPELT = new RegExp(`[▲△　${Object.keys(STROKES).join("")}]+`, "g");

// Where a character of a text is drawn once, to be used wherever it stands.
function glyph(character) {
  const id = `glyph-${character.codePointAt(0)}`;
  if (!document.getElementById(id)) {
    const store = document.getElementById("glyphs") || svg("svg", {id: "glyphs", "aria-hidden": "true", width: 0, height: 0}, document.body);
    svg("path", {id, d: TRIANGLES[character] || kanjiPath(character), "fill-rule": TRIANGLES[character] ? "evenodd" : "nonzero"}, store);
  }
  return `#${id}`;
}

// A piece of Japanese text, drawn; the text itself is there for who copies or hears it.
function drawnText(text) {
  const holder = element("span", "", "drawn");
  holder.lang = "ja";
  holder.append(element("span", text));
  const root = svg("svg", {"aria-hidden": "true"}, holder);
  let x = 0;
  for (const character of text) {
    if (character !== "　") svg("use", {href: glyph(character), x: WIDE_DIGITS.includes(character) ? x - 16 : x}, root);
    x += character === "　" ? 30 : WIDE_DIGITS.includes(character) ? 70 : 108;
  }
  root.setAttribute("viewBox", `0 -6 ${x} 112`);
  root.style.width = `${(x / 100).toFixed(2)}em`; // 1.12em high
  return holder;
}

// `text` with its Japanese drawn, as one element.
function spelt(text) {
  const whole = element("span");
  let at = 0;
  for (const match of text.matchAll(SPELT)) {
    whole.append(text.slice(at, match.index), drawnText(match[0]));
    at = match.index + match[0].length;
  }
  whole.append(text.slice(at));
  return whole;
}

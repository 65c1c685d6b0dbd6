// Colours: gates from 0 to 1 along a ramp of even steps in lightness, all else around 0, which is the ground's colour.
// Both can be read by colour-blind eyes: the one is told by lightness, the other is blue against orange.

const darkMode = matchMedia("(prefers-color-scheme: dark)");
// for who listens, a query of its own: one whose answer is read before Chromium tells of its change tells of none
const groundChange = matchMedia("(prefers-color-scheme: dark)");

const GATE = ["#00204d", "#31446b", "#666970", "#958f78", "#cbba69", "#ffea46"];
const AROUND_ZERO = {
  light: ["#08306b", "#2f74b5", "#8fbcdf", "#fdfdfb", "#f2b27c", "#d06a1c", "#7f3200"],
  dark: ["#b3deff", "#5aa9e6", "#245a8a", "#16181c", "#8a4a16", "#e08a45", "#ffd3ae"],
};

const STRANGE = "#d100c4"; // on neither ramp: infinite, or not a number

const channels = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));

const COLOURS = 255; // an odd number, so that 0 stands in the middle exactly

/** So many colours along the anchors, four bytes each. */
function ramp(anchors) {
  const table = new Uint8ClampedArray(4 * COLOURS);
  for (let k = 0; k < COLOURS; k++) {
    const place = (k / (COLOURS - 1)) * (anchors.length - 1);
    const left = Math.min(Math.floor(place), anchors.length - 2);
    const [from, to] = [channels(anchors[left]), channels(anchors[left + 1])];
    for (let c = 0; c < 3; c++) table[4 * k + c] = from[c] + (place - left) * (to[c] - from[c]);
    table[4 * k + 3] = 255;
  }
  return table;
}

const ramps = { gate: ramp(GATE), light: ramp(AROUND_ZERO.light), dark: ramp(AROUND_ZERO.dark) };

const scales = new Map();

/** A quantity's scale in one layer, the same in both directions. */
function scaleOf(name, layer) {
  const key = `${name} ${layer} ${darkMode.matches}`;
  if (!scales.has(key)) scales.set(key, newScale(name, data.directions.map((_, side) => field(name, layer, side))));
  return scales.get(key);
}

/** The largest size among the numbers, and whether some are none. */
function extent(lists) {
  let [largest, strange] = [0, false];
  for (const values of lists)
    for (const v of values)
      if (!isFinite(v)) strange = true;
      else if (Math.abs(v) > largest) largest = Math.abs(v);
  return { largest, strange, high: largest === 0 ? "0" : Number(largest.toPrecision(2)).toString() };
}

/** {table, place, low, high, note, strange}: place(value) is between 0 and 1, where it stands in the table. */
function newScale(name, lists) {
  const { largest, strange, high } = extent(lists);
  if (data.gates.includes(name)) return { table: ramps.gate, place: (v) => v, low: "0", high: "1", note: "", strange };
  const isGradient = name.startsWith("d");
  // square root: gradients differ by orders of magnitude, and the small ones are to be seen too
  const bend = isGradient ? (v) => Math.sign(v) * Math.sqrt(Math.abs(v)) : (v) => v;
  const table = ramps[darkMode.matches ? "dark" : "light"];
  const place = (v) => 0.5 + 0.5 * bend(largest ? v / largest : 0);
  return { table, place, low: largest ? `-${high}` : "", high, note: isGradient ? "√ scale" : "", strange };
}

/** From 0, the ground's colour, up to the largest value: what has no sign and no natural end. */
function fromZero(values) {
  const { largest, strange, high } = extent([values]);
  const table = ramp(AROUND_ZERO[darkMode.matches ? "dark" : "light"].slice(3));
  return { table, place: (v) => Math.sqrt(v / (largest || 1)), low: "0", high, note: "√ scale", strange };
}

/** One pixel a value; the style sheet makes it large. at(x, y) is the value in column x and row y. */
function paint(canvas, width, height, at, { table, place }) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const colours = new Uint32Array(table.buffer);
  const last = COLOURS - 1;
  const [strange] = new Uint32Array(new Uint8Array([...channels(STRANGE), 255]).buffer);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const v = at(x, y);
      const k = Math.max(0, Math.min(last, Math.round(last * place(v))));
      pixels[y * width + x] = isFinite(v) ? colours[k] : strange;
    }
  context.putImageData(image, 0, 0);
}

/** A bar of the colours with the numbers at its ends; and the colour of what is no number, where there is such. */
function legend(scale) {
  const bar = element("canvas", "bar");
  paint(bar, COLOURS, 1, (x) => x / (COLOURS - 1), { table: scale.table, place: (v) => v });
  const swatch = element("span", "swatch");
  swatch.style.background = STRANGE;
  const others = scale.strange ? [swatch, "not finite"] : [];
  const note = scale.note && element("small", "", scale.note);
  return element("span", "legend", [scale.low, bar, scale.high, note, ...others]);
}

/** An element with a class and content: text, which is never read as markup, or elements. */
function element(tag, className, content = []) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...[content].flat().filter((part) => part || part === 0));
  return made;
}

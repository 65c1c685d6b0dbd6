// The pictures of one layer: the chosen unit as strips around the tokens, and all units as maps.

const picture = { names: [], strips: [], maps: [], tokens: [], bars: [] };
const arrowOf = (direction) => (data.directions[direction] === "reverse" ? "←" : "→");
const byDirection = (make) => data.directions.map((_, direction) => make(direction));

/** How wide a step's column is: as its token needs, wider where there are few steps. */
const columnWidth = (() => {
  const longest = data.tokens.reduce((most, token) => Math.max(most, [...token].length), 1);
  return Math.max(14, Math.min(112, 8 * longest + 8), Math.min(36, Math.floor(680 / data.steps)));
})();

/** Steps or units to be named on an axis: every 1st, 2nd, 5th, 10th ... so that there are at most so many. */
function ticks(count, most) {
  let every = 1;
  for (let k = 0; Math.ceil(count / every) > most; k++) every *= [2, 2.5, 2][k % 3];
  return Array.from({ length: Math.ceil(count / every) }, (_, k) => k * every);
}

const tokenText = (token) => tokenParts(token).map((part, k) => (k % 2 ? element("span", "space", part) : part));

function tokenRow(point) {
  const row = element("div", "tokens track");
  const several = Array.isArray(data.predicted);
  picture.tokens = data.tokens.map((token, step) => {
    const cell = element("span", "token", tokenText(token));
    const at = (names) => (Array.isArray(names) ? names[step] : null);
    const [predicted, correct] = [at(data.predicted), at(data.true)];
    if (several) cell.classList.add(`k${classIndex(predicted) % 9}`);
    if (predicted !== null && correct !== null && predicted !== correct) cell.classList.add("wrong");
    const whole = isNamed ? `step ${step} “${token}”` : `step ${step}`;
    cell.title = [whole, predicted !== null && `predicted ${predicted}`, correct !== null && `true ${correct}`]
      .filter(Boolean)
      .join(", ");
    return cell;
  });
  row.append(...picture.tokens);
  watch(row, (x) => point({ step: Math.floor(x * data.steps) }));
  return row;
}

const named = [data.predicted, data.true].flat().filter((name) => name !== null);
const classNames = data.classes ?? [...new Set(named)].sort();
const classIndex = (name) => Math.max(0, classNames.indexOf(name));

/** The turns at which a direction reads the steps; all of them where there is room. */
function turnRow(direction) {
  const row = element("div", "turns track");
  const every = columnWidth >= 22 ? 1 : 5;
  for (let step = 0; step < data.steps; step++) {
    const number = turn({ direction, step }) + 1;
    row.append(element("span", "", number === 1 || number % every === 0 ? String(number) : ""));
  }
  return row;
}

/** One direction's strips of the chosen unit, a row a quantity. */
function stripBlock(direction, point) {
  const track = element("div", "track block");
  const canvases = picture.names.map((name) => {
    const canvas = element("canvas", "strip");
    canvas.dataset.name = name;
    canvas.dataset.direction = data.directions[direction];
    return canvas;
  });
  const column = element("div", "column");
  const box = element("div", "box");
  // from which step the state came, in the rows of the states
  const marks = ["c", "h"].filter((state) => picture.names.includes(state)).map((state) => {
    const mark = element("div", "from", arrowOf(direction));
    mark.style.setProperty("--row", picture.names.indexOf(state));
    return mark;
  });
  track.append(...canvases, column, box, ...marks);
  watch(track, (x, y) => {
    const row = Math.floor(y * picture.names.length);
    const step = Math.floor(x * data.steps);
    point({ direction, step, name: picture.names[row] });
  });
  const ranges = picture.names.map(() => element("small"));
  picture.strips[direction] = { canvases, column, box, marks, ranges };
  const labels = picture.names.map((name, row) => element("div", "", [symbol(name), ranges[row]]));
  return [element("div", "labels", labels), track];
}

function buildStrips(names, point) {
  picture.names = names;
  const grid = document.getElementById("strips");
  grid.style.setProperty("--columns", data.steps);
  grid.style.setProperty("--column", `${columnWidth}px`);
  // arrows all along the sequence, so that some are in view wherever the strips are scrolled to
  const arrows = (direction) => (way({ direction }) > 0 ? "▶" : "◀").repeat(Math.ceil((data.steps * columnWidth) / 90));
  const wayRow = (direction) => [
    element("div", `labels ${data.directions[direction]}`, data.directions[direction]),
    element("div", `way ${data.directions[direction]} track`, arrows(direction)),
  ];
  const rows = { forward: [], reverse: [] };
  byDirection((direction) => {
    const [way, strips] = [wayRow(direction), stripBlock(direction, point)];
    const turns = [element("div", "labels quiet", "turn"), turnRow(direction)];
    const below = data.directions[direction] === "reverse"; // below the tokens, mirrored: turns first
    rows[data.directions[direction]] = (below ? [turns, strips, way] : [way, strips, turns]).flat();
  });
  const middle = [element("div", "labels quiet", isNamed ? "token" : "step"), tokenRow(point)];
  if (data.influence) {
    const bars = element("div", "bars track");
    picture.bars = data.tokens.map(() => element("span"));
    bars.append(...picture.bars);
    middle.unshift(element("div", "labels quiet", "influence"), bars);
  }
  grid.replaceChildren(...rows.forward, ...middle, ...rows.reverse);
  // the maps say what they are, the panel what is chosen
  for (const part of grid.children) part.ariaHidden = String(!part.matches(".tokens"));
}

/** A scale in few signs: 0–1, ±1.3. */
const rangeOf = ({ low, high }) => (low.startsWith("-") ? `±${high}` : low ? `${low}–${high}` : "0");

/** The cell and gradients differ much from unit to unit: a unit's strips of them have a scale of their own. */
const hasOwnScale = (name) => name === "c" || name.startsWith("d");

function paintStrips({ layer, unit }) {
  byDirection((direction) =>
    picture.strips[direction].canvases.forEach((canvas, row) => {
      const name = picture.names[row];
      const width = widthOf(name);
      const values = field(name, layer, direction);
      const at = (x) => (unit < width ? values[x * width + unit] : 0);
      const own = () => newScale(name, [data.tokens.map((_, step) => at(step))]);
      const scale = hasOwnScale(name) ? own() : scaleOf(name, layer);
      canvas.classList.toggle("absent", unit >= width);
      paint(canvas, data.steps, 1, at, scale);
      picture.strips[direction].ranges[row].textContent = rangeOf(scale);
    }),
  );
}

/** Every unit of one quantity in one direction, with its scale. */
function map(name, direction, layer, point) {
  const canvas = element("canvas", "cells");
  canvas.dataset.name = name;
  canvas.dataset.direction = data.directions[direction];
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${name}, ${data.directions[direction]} direction: units down, steps across`);
  const width = widthOf(name);
  const values = field(name, layer, direction);
  const scale = scaleOf(name, layer);
  const units = orderOf(layer, direction).units.filter((unit) => unit < width);
  paint(canvas, data.steps, width, (x, y) => values[x * width + units[y]], scale);
  const height = width > 160 ? 160 : width * Math.max(1, Math.min(28, Math.floor(132 / width)));
  canvas.style.height = `${height}px`;
  const [column, row] = [element("div", "column"), element("div", "row")];
  const frame = element("div", "frame", [canvas, column, row, unitAxis(units)]);
  watch(frame, (x, y) => {
    const step = Math.floor(x * data.steps);
    const unit = units[Math.floor(y * width)];
    point({ direction, step, unit, name }, true);
  });
  picture.maps.push({ name, width, direction, units, column, row });
  const caption = element("figcaption", "", [
    element("b", "", symbol(name)),
    element("span", `reading ${data.directions[direction]}`, data.directions[direction]),
    legend(scale),
  ]);
  return element("figure", "with-units", [caption, frame, axis("axis", "left", data.steps, 8)]);
}

/** Numbers beside a map, each at its column or row. */
function axis(className, side, count, most, nameOf = (k) => k) {
  const line = element("div", className);
  line.ariaHidden = "true";
  for (const k of ticks(count, most)) {
    const tick = element("span", "", String(nameOf(k)));
    tick.style[side] = `${((k + 0.5) / count) * 100}%`;
    line.append(tick);
  }
  return line;
}

const unitAxis = (units) => axis("unit-axis", "top", units.length, 5, (k) => units[k]);

function buildMaps(names, layer, point) {
  picture.maps = [];
  const grid = document.getElementById("maps");
  grid.style.setProperty("--widest", `${Math.max(120, data.steps * 48)}px`);
  grid.style.setProperty("--directions", data.directions.length);
  const pair = (name) => byDirection((direction) => map(name, direction, layer, point));
  grid.replaceChildren(...names.map((name) => element("div", "pair", pair(name))));
}

/** Outlines and arrows on the chosen cell. */
function markCell(cell, name) {
  const place = (part, left, top) => {
    part.hidden = left === null;
    if (left !== null) part.style.setProperty("--left", left);
    if (top !== undefined) part.style.setProperty("--top", top);
  };
  picture.strips.forEach(({ column, box, marks }, direction) => {
    const own = direction === cell.direction;
    place(column, cell.step);
    column.classList.toggle("other", !own);
    const row = picture.names.indexOf(name);
    place(box, own && row >= 0 ? cell.step : null, row);
    for (const mark of marks) place(mark, own && !isFirst(cell) ? Math.max(cell.step, readBefore(cell).step) : null);
  });
  for (const { column, row, direction, width, units } of picture.maps) {
    const own = direction === cell.direction;
    column.style.left = `${(cell.step / data.steps) * 100}%`;
    column.style.width = `${100 / data.steps}%`;
    column.classList.toggle("other", !own);
    row.hidden = !own || cell.unit >= width;
    row.style.top = `${(units.indexOf(cell.unit) / width) * 100}%`;
    row.style.height = `${100 / width}%`;
  }
  picture.tokens.forEach((token, step) => token.classList.toggle("chosen", step === cell.step));
}

/** Call `at` with where the pointer is in an element, as parts of its width and height; see inspect.js for the rest. */
function watch(part, at) {
  part.classList.add("pointable");
  part.place = ({ clientX, clientY }) => {
    const { left, top, width, height } = part.getBoundingClientRect();
    const inside = (part) => Math.max(0, Math.min(1 - 1e-9, part));
    at(inside((clientX - left) / width), inside((clientY - top) / height));
  };
}

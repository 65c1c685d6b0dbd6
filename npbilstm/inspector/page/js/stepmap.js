// What the model makes of the steps beyond its recurrent layers: a map of lines by steps, as strips are, and the equations
// of its cells. What the lines are, and all words, stand in the data.

const stepMap = { marks: null, labels: [], tokens: [] };
const isOfMap = (name) => Boolean(data.map) && name === data.map.name;
const lineName = (line) => `${data.map.down} ${line} “${visible(data.map.lines[line])}”`;
const mapCellInWords = (cell) => `${lineName(cell.line)}, ${stepName(cell.step)}`;
const mapValueInWords = ({ line, step }) => `${data.map.name} is ${written(mapValue(data.map.name, { line, step }))}`;

/** The cell of the map; its unit is that of the largest term of the dot product, of which the equation before is. */
function mapCell({ line, step }) {
  const cell = { line, step, unit: 0, ofMap: true };
  const dot = equations.map.flatMap(({ sum }) => sum.terms).find(({ node }) => node.kind === "dot");
  if (!dot) return cell;
  const sizes = mapTerms(dot.node, cell).map(Math.abs);
  return { ...cell, unit: Math.max(0, sizes.indexOf(Math.max(...sizes))) };
}

/** What an equation of the map is, in words; of one unit of a vector which. */
function mapWords({ name }, { unit }) {
  const isVector = equations.map.some(({ sum }) => sum.terms.some(({ node }) => node.vector?.name === name));
  return `${data.map.words[name] ?? ""}${isVector ? ` (unit ${unit}, whose term below is the largest)` : ""}`;
}

/** What the panel shows of a cell of the map. */
function mapParts(cell, name) {
  const at = mapCell(cell);
  const given = Object.keys(data.map.axes).filter((one) => !mapEquationOf[one] && data.map.words[one]);
  const notes = given.map((one) => element("p", "note", `${one}: ${data.map.words[one]}`));
  return [element("h3", "", data.map.title), ...notes, ...equations.map.map((one) => equationBlock(one, at, name))];
}

/** The map, its legend and, for who does not see it, the same in words. */
function buildStepMap(point) {
  const { map } = data;
  for (const part of ["step-map", "map-words"]) document.getElementById(part).hidden = !map;
  if (!map) return;
  const lines = map.lines.length;
  const { values } = stored("map_arrays", map.name);
  say("map-title", map.title);
  say("about-map", map.about);
  const scale = { table: ramps.gate, place: (v) => v, low: "0", high: "1", note: "", strange: !values.every(isFinite) };
  document.getElementById("map-caption").replaceChildren(element("b", "", symbol(map.name)), legend(scale));
  const canvas = element("canvas", "cells");
  canvas.dataset.name = map.name;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${map.name}: ${map.down} down, steps across`);
  paint(canvas, data.steps, lines, (x, y) => values[y * data.steps + x], scale);
  const [column, box] = [element("div", "column"), element("div", "box")];
  const track = element("div", "track block", [canvas, column, box]);
  watch(track, (x, y) => point({ step: Math.floor(x * data.steps), line: Math.floor(y * lines), name: map.name }));
  const height = Math.max(3, Math.min(18, Math.floor(720 / lines)));
  const named = new Set(ticks(lines, Math.floor((lines * height) / 14)));
  const labels = map.lines.map((line, k) => element("div", "", named.has(k) ? tokenText(line) : []));
  labels.forEach((label, k) => (label.title = lineName(k)));
  const tokens = data.tokens.map((token) => element("span", "token", tokenText(token)));
  const row = element("div", "tokens track", tokens);
  watch(row, (x) => point({ step: Math.floor(x * data.steps), name: map.name }));
  const grid = document.getElementById("map-strips");
  grid.style.setProperty("--columns", data.steps);
  grid.style.setProperty("--column", `${columnWidth}px`);
  grid.style.setProperty("--strip", `${height}px`);
  grid.style.setProperty("--lines", lines);
  const names = element("div", "labels", labels);
  grid.replaceChildren(names, track, element("div", "labels quiet", "token"), row);
  for (const part of [names, ...grid.querySelectorAll(".labels.quiet")]) part.ariaHidden = "true";
  Object.assign(stepMap, { column, box, labels, tokens });
  tellMap(values);
}

const TOLD = 0.05; // what is less is not told in words
const MOST_TOLD = 4;

/** The map in words: for each line the steps of its largest numbers, or for each step the lines. */
function tellMap(values) {
  const { by, lines, name, title } = data.map;
  const [mine, others] = by === "line" ? [lineName, stepName] : [stepName, lineName];
  const [count, across] = by === "line" ? [lines.length, data.steps] : [data.steps, lines.length];
  const at = (k, other) => (by === "line" ? values[k * data.steps + other] : values[other * data.steps + k]);
  const items = Array.from({ length: count }, (_, k) => {
    const order = Array.from({ length: across }, (_, other) => other).filter((other) => at(k, other) >= TOLD);
    order.sort((a, b) => at(k, b) - at(k, a));
    const parts = order.slice(0, MOST_TOLD).map((other) => `${others(other)} ${written(at(k, other))}`);
    return element("li", "", `${mine(k)}: ${parts.join(", ") || `nothing of ${TOLD} or more`}`);
  });
  const words = document.getElementById("map-words");
  const each = by === "line" ? data.map.down : "step";
  words.querySelector("summary").textContent = `${title}, in words: the largest ${name} of each ${each}`;
  words.querySelector("ul").replaceChildren(...items);
}

/** Outlines on the chosen cell, and its number below the map. */
function markStepMap(cell, name) {
  if (!data.map) return;
  const { column, box, labels, tokens } = stepMap;
  const own = isOfMap(name);
  for (const mark of [column, box]) mark.style.setProperty("--left", cell.step);
  box.style.setProperty("--top", cell.line);
  column.classList.toggle("other", !own);
  labels.forEach((label, line) => label.classList.toggle("chosen", own && line === cell.line));
  tokens.forEach((token, step) => token.classList.toggle("chosen", step === cell.step));
  say("map-told", `${mapCellInWords(cell)}: ${mapValueInWords(cell)}`);
}

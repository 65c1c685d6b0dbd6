// The panel: the chosen cell in words, and its equations with their numbers.

/** What a name stands for, as the colours of names in equations tell. */
function kindOf(name) {
  if (data.gates.includes(name)) return "gate";
  if (/^d([a-z]|_)/.test(name)) return "gradient";
  if (/^(W|v$|(b|p)(_|$))/.test(name)) return "weight";
  return "number";
}

/** A name as it stands in an equation. */
function symbol(name) {
  return element("var", kindOf(name.replace("next.", "")), name);
}

/** The text of an equation with every name in the colour of its kind. */
function coloured(text) {
  return text
    .split(/((?:next\.)?[A-Za-z]\w*)/)
    .map((part, k) => (k % 2 && !(part in FUNCTIONS) && part !== "T" ? symbol(part) : part));
}

function ordinal(n) {
  const ending = n % 100 > 10 && n % 100 < 14 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${ending}`;
}

function cellInWords(cell) {
  const layer = data.layers > 1 ? `layer ${cell.layer}, ` : "";
  return `${layer}${data.directions[cell.direction]} direction, ${stepName(cell.step)}, unit ${cell.unit}`;
}

function labelsInWords(step) {
  const at = (names) => (Array.isArray(names) ? names[step] : names);
  const [predicted, correct] = [at(data.predicted), at(data.true)];
  const parts = [];
  if (predicted !== null) parts.push(`predicted ${short(predicted)}`);
  if (correct !== null) parts.push(`true ${short(correct)}`);
  return parts.length ? `${parts.join(", ")}${predicted !== correct && correct !== null ? " — a mistake" : ""}` : "";
}

/** A line whose brackets and small numbers are not broken at its end. */
const unbroken = (line) =>
  line.split(/(\((?:[^()]|\([^()]*\))*\)|\S+e-\d+)/).map((part, k) => (k % 2 ? element("span", "whole", part) : part));

function equationBlock(equation, cell, current) {
  const block = element("div", `equation${equation.name === current ? " current" : ""}`);
  block.dataset.name = equation.name;
  const words = cell.ofMap ? mapWords(equation, cell) : data.words[equation.name];
  block.append(element("p", "words", words ?? ""));
  block.append(element("div", "line formula", coloured(equation.text)));
  const { lines, result, terms, note } = worked(equation, cell);
  for (const line of lines) block.append(element("div", "line put-in", ["= ", ...unbroken(line)]));
  block.append(element("div", "line", ["= ", element("b", "result", result)]));
  for (const [product, text] of terms)
    block.append(element("p", "terms", [element("span", "product", `${product}: `), text]));
  if (note) block.append(element("p", "note", note));
  return block;
}

const PARTS = ["layer", "direction", "step", "unit", "line"];
const sameCell = (a, b) => PARTS.every((part) => a[part] === b[part]);

/** Whether what is pinned is shown: the same cell, of the same picture. */
const isShown = (pinned, cell, name) => sameCell(pinned.cell, cell) && isOfMap(pinned.name) === isOfMap(name);

/** Which cell is pinned: the one shown, or another one while the pointer is elsewhere. */
function pinnedInWords(kept, cell, name) {
  if (!kept || isShown(kept, cell, name)) return kept ? "pinned ✕" : "";
  const pinned = kept.cell;
  if (isOfMap(kept.name)) return `pinned: ${data.map.down} ${pinned.line}, step ${pinned.step} ✕`;
  const direction = pinned.direction === cell.direction ? "" : `${data.directions[pinned.direction]}, `;
  return `pinned: ${direction}step ${pinned.step}, unit ${pinned.unit} ✕`;
}

/** What the panel shows of a unit at a step. */
function cellParts(cell, name) {
  const blocks = (list) =>
    list
      .filter((equation) => cell.unit < widthOf(equation.name))
      .map((equation) => equationBlock(equation, cell, name));
  const notes = (texts) => texts.map((text) => element("p", "note", text));
  const parts = [element("h3", "", "Forward"), ...notes(before(cell)), ...blocks(equations.forward)];
  const main = "c_prev" in data.widths ? "c" : "h";
  const backward = ["Backward", element("small", "", `: d${main} is the gradient of the loss with respect to ${main}`)];
  if (data.gradients) parts.push(element("h3", "", backward), ...notes(after(cell)), ...blocks(equations.backward));
  if (cell.unit >= data.outputs)
    parts.push(element("p", "note", `h has ${data.outputs} numbers, so unit ${cell.unit} has no h of its own`));
  return parts;
}

/** name: the quantity pointed at; pinned: the pinned cell and name, or null; gradients: whether they are shown. */
function drawPanel(cell, name, pinned, gradients) {
  const onMap = isOfMap(name);
  const panel = document.getElementById("panel");
  document.getElementById("where").textContent = onMap ? mapCellInWords(cell) : cellInWords(cell);
  const read = onMap ? mapValueInWords(cell) : `read ${ordinal(turn(cell) + 1)} of ${data.steps}`;
  document.getElementById("turn").textContent = [read, labelsInWords(cell.step)].filter(Boolean).join(" · ");
  const button = document.getElementById("pinned");
  button.textContent = pinnedInWords(pinned, cell, name);
  button.hidden = !pinned;
  const parts = onMap ? mapParts(cell, name) : cellParts(cell, name);
  const scroller = document.getElementById("equations");
  scroller.replaceChildren(...parts);
  // what is pointed at comes into view; without such, the pass that the pictures show
  const current = scroller.querySelector(".current");
  const shown = `${name} ${gradients}`;
  if (shown !== drawPanel.shown) {
    const target = current ?? scroller.querySelectorAll("h3")[Number(gradients && !onMap)];
    const [box, frame] = [target.getBoundingClientRect(), scroller.getBoundingClientRect()];
    const inView = current && box.top >= frame.top && box.bottom <= frame.bottom;
    if (!inView) scroller.scrollTop += box.top - frame.top - 8;
  }
  drawPanel.shown = shown;
  Object.assign(panel.dataset, {
    layer: cell.layer,
    direction: data.directions[cell.direction],
    step: cell.step,
    unit: cell.unit,
    line: onMap ? cell.line : "",
    pinned: pinned && isShown(pinned, cell, name) ? "1" : "",
  });
}

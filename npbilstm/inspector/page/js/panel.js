// The panel: the chosen cell in words, and its equations with their numbers.

/** What a name stands for, as the colours of names in equations tell. */
function kindOf(name) {
  if (data.gates.includes(name)) return "gate";
  if (/^d([a-z]|_)/.test(name)) return "gradient";
  if (/^(W|b|p(_|$))/.test(name)) return "weight";
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
  if (predicted !== null) parts.push(`predicted ${predicted}`);
  if (correct !== null) parts.push(`true ${correct}`);
  return parts.length ? `${parts.join(", ")}${predicted !== correct && correct !== null ? " — a mistake" : ""}` : "";
}

/** A line whose brackets are not broken at its end. */
const unbroken = (line) =>
  line.split(/(\((?:[^()]|\([^()]*\))*\))/).map((part, k) => (k % 2 ? element("span", "whole", part) : part));

function equationBlock(equation, cell, current) {
  const block = element("div", `equation${equation.name === current ? " current" : ""}`);
  block.dataset.name = equation.name;
  block.append(element("p", "words", data.words[equation.name] ?? ""));
  block.append(element("div", "line formula", coloured(equation.text)));
  const { lines, result, terms, note } = worked(equation, cell);
  for (const line of lines) block.append(element("div", "line put-in", ["= ", ...unbroken(line)]));
  for (const [product, text] of terms)
    block.append(element("p", "terms", [element("span", "product", `${product}: `), text]));
  block.append(element("div", "line", ["= ", element("output", "", result)]));
  if (note) block.append(element("p", "note", note));
  return block;
}

function drawPanel(cell, name, pinned) {
  const panel = document.getElementById("panel");
  document.getElementById("where").textContent = cellInWords(cell);
  const read = `read ${ordinal(turn(cell) + 1)} of ${data.steps}`;
  document.getElementById("turn").textContent = [read, labelsInWords(cell.step)].filter(Boolean).join(" · ");
  document.getElementById("pinned").textContent = pinned ? "pinned · Esc frees it" : "";
  const blocks = (list) =>
    list
      .filter((equation) => cell.unit < widthOf(equation.name))
      .map((equation) => equationBlock(equation, cell, name));
  const notes = (texts) => texts.map((text) => element("p", "note", text));
  const parts = [element("h3", "", "Forward"), ...notes(before(cell)), ...blocks(equations.forward)];
  if (data.gradients)
    parts.push(element("h3", "", "Backward"), ...notes([after(cell)]), ...blocks(equations.backward));
  if (cell.unit >= data.outputs)
    parts.push(element("p", "note", `h has ${data.outputs} numbers, so unit ${cell.unit} has no h of its own`));
  const scroller = document.getElementById("equations");
  scroller.replaceChildren(...parts);
  const current = scroller.querySelector(".current");
  if (current && name !== drawPanel.shown) {
    const [box, frame] = [current.getBoundingClientRect(), scroller.getBoundingClientRect()];
    if (box.top < frame.top || box.bottom > frame.bottom) scroller.scrollTop += box.top - frame.top - 8;
  }
  drawPanel.shown = name;
  Object.assign(panel.dataset, {
    layer: cell.layer,
    direction: data.directions[cell.direction],
    step: cell.step,
    unit: cell.unit,
    pinned: pinned ? "1" : "",
  });
}

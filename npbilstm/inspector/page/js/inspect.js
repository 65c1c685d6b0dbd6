// What is chosen, and how pointer and keys change it.

const view = {
  cell: { layer: 0, direction: data.start[0], step: Math.floor((data.steps - 1) / 2), unit: data.start[1], line: 0 },
  name: null, // the quantity pointed at
  pinned: null, // the cell and name to go back to
  gradients: false,
};
const pictures = document.getElementById("pictures");
const layerChoice = document.getElementById("layer");
const spoken = document.getElementById("spoken");

const shownNames = () =>
  view.gradients ? data.maps.map((name) => `d${name}`).filter((name) => name in data.widths) : data.maps;

let waiting = false;
let paintedStrips = "";

const say = (id, words) => (document.getElementById(id).textContent = words);

/** Choose one of the radio buttons of that name. */
function check(name, value) {
  for (const choice of document.querySelectorAll(`[name=${name}]`)) choice.checked = choice.value === value;
}

/** Draw what follows the chosen cell, once a frame. */
function changed() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    drawCell();
  });
}

function drawCell() {
  const { cell, name, gradients, pinned } = view;
  const strips = `${cell.layer} ${cell.unit} ${gradients} ${darkMode.matches}`;
  if (strips !== paintedStrips) paintStrips(cell);
  paintedStrips = strips;
  const layer = data.layers > 1 ? ` of layer ${cell.layer}` : "";
  say("unit", `Unit ${cell.unit}${layer}, step by step`);
  say("units", `All units${layer}`);
  say("times", `Over time${data.layers > 1 ? ` in layer ${cell.layer}` : ""}`);
  say("about-strips", aboutStrips(cell));
  say("about-maps", ABOUT_MAPS[gradients ? "gradients" : "values"] + orderInWords(cell.layer));
  for (const part of ["step", "unit", "line"]) {
    const field = document.getElementById(`${part}-field`);
    if (Number(field.value) !== cell[part] || field !== document.activeElement) field.value = cell[part];
  }
  check("direction", data.directions[cell.direction]);
  markCell(cell, name);
  drawInfluence(cell);
  drawFlow(cell);
  markStepMap(cell, name);
  markTransitions(cell);
  drawPanel(cell, name, pinned, gradients);
  nameWhatIf(cell);
  clearTimeout(drawCell.timer);
  drawCell.timer = setTimeout(() => (spoken.textContent = spokenWords(cell, name)), 400);
}

const ABOUT_MAPS = {
  values:
    "A row is a unit, a column a step. Gates go from dark at 0 to yellow at 1; all else is blue below 0, orange above.",
  gradients: "A row is a unit, a column a step. Blue is below 0, orange above; the square root shows small ones too.",
};

function aboutStrips({ unit }) {
  const output = data.by_step ? "the output at the chosen step" : "the one output of the sequence";
  return [
    data.directions.length === 2 && `Unit ${unit} of forward and unit ${unit} of reverse are two different units.`,
    data.influence && `The bars show how strongly ${output} depends on each input.`,
  ]
    .filter(Boolean)
    .join(" ");
}

function spokenWords(cell, name) {
  if (isOfMap(name)) return `${mapCellInWords(cell)}, ${mapValueInWords(cell)}`;
  const pointed = name && cell.unit < widthOf(name) && `${name} is ${written(value(name, cell))}`;
  return [cellInWords(cell), pointed, labelsInWords(cell.step)].filter(Boolean).join(", ");
}

/** Draw everything of a layer: after another layer, other quantities or another ground. */
function drawLayer() {
  const names = shownNames();
  buildStrips(names, choose);
  buildMaps(names, view.cell.layer, choose);
  buildInfluence(choose);
  buildStepMap(choose);
  paintedStrips = "";
  drawCell();
}

/** Choose a part of the cell; `follow` where it was not chosen among strips. All strips scroll along, but those under the
    pointer where it was. */
function choose({ name = view.name, ...part }, follow = false) {
  view.cell = { ...view.cell, ...part };
  view.name = name;
  keepInView(follow ? null : document.querySelector(".scroller:hover"));
  changed();
}

function pin() {
  view.pinned = { cell: view.cell, name: view.name };
  changed();
}

function free() {
  view.pinned = null;
  changed();
}

/** Back to the pinned cell, if there is one. */
function goBack() {
  if (view.pinned) choose({ ...view.pinned.cell, name: view.pinned.name }, true);
}

/** Choose by key or field: a pinned cell moves, wherever the pointer is. part(cell) is what changes. */
function step(part) {
  goBack();
  choose(part(view.cell), true);
  if (view.pinned) pin();
}

/** The chosen column of strips stays where it can be seen, but in the scroller that is to keep its place. */
function keepInView(still = null) {
  for (const tokens of [picture.tokens, stepMap.tokens]) bringIntoView(tokens[view.cell.step], still);
}

/** A token's column comes to the middle of its scroller, unless it can be seen there. */
function bringIntoView(token, still) {
  const scroller = token?.closest(".scroller");
  if (!scroller || scroller === still) return;
  const [box, frame] = [token.getBoundingClientRect(), scroller.getBoundingClientRect()];
  const hidden = box.left < frame.left + 72 || box.right > frame.right - 8;
  if (hidden) scroller.scrollLeft += (box.left + box.right - frame.left - frame.right) / 2;
}

function setLayer(layer) {
  layerChoice.value = layer;
  step(() => ofUnit({ layer }));
  drawLayer();
}

function setGradients(on) {
  if (!data.gradients) return;
  view.gradients = on;
  check("quantity", on ? "gradients" : "values");
  // from c to dc and back
  const counterpart = (name) =>
    isOfMap(name) ? name : shownNames().find((other) => other === (on ? `d${name}` : name?.slice(1))) ?? null;
  view.name = counterpart(view.name);
  if (view.pinned) view.pinned.name = counterpart(view.pinned.name);
  drawLayer();
}

const within = (number, count) => Math.max(0, Math.min(count - 1, number));
const stepBy = (by) => step((cell) => ({ step: within(cell.step + by, data.steps) }));
/** Down the map or the units. */
const downBy = (by) =>
  step((cell) =>
    isOfMap(view.name)
      ? { line: within(cell.line + by, data.map.lines.length) }
      : { unit: unitBelow(cell, by) },
  );
/** So many rows further down in the maps' order. */
function unitBelow({ layer, direction, unit }, by) {
  const { units } = orderOf(layer, direction);
  return units[within(units.indexOf(unit) + by, data.units)];
}
/** Something of a unit is chosen: its equations in place of the map's. */
const ofUnit = (part) => ({ ...part, name: isOfMap(view.name) ? null : view.name });
const ofMap = (part) => ({ ...part, name: data.map.name });
const layerBy = (by) => setLayer(within(view.cell.layer + by, data.layers));

const KEYS = {
  ArrowLeft: () => stepBy(-1),
  ArrowRight: () => stepBy(1),
  ArrowUp: () => downBy(-1),
  ArrowDown: () => downBy(1),
  PageUp: () => downBy(-10),
  PageDown: () => downBy(10),
  Home: () => stepBy(-Infinity),
  End: () => stepBy(Infinity),
  Enter: pin,
  " ": pin,
  Escape: free,
  d: () => step((cell) => ofUnit({ direction: (cell.direction + 1) % data.directions.length })),
  m: () => data.map && step(() => (isOfMap(view.name) ? ofUnit({}) : ofMap({}))),
  g: () => setGradients(!view.gradients),
  w: () => data.what_if.why_not || document.getElementById("what-if-name").focus(),
  "[": () => layerBy(-1),
  "]": () => layerBy(1),
};

const ANYWHERE = ["d", "g", "m", "w", "[", "]"];
const SIDEWAYS = ["ArrowLeft", "ArrowRight", "Enter"]; // take no scrolling away

/** Whether a key is for the pictures: not where a field or the panel needs it. */
function isForPictures(target, key) {
  const isField = target.closest?.("form, button");
  if ((pictures.contains(target) && !isField) || (key === "Escape" && view.pinned)) return true;
  if (ANYWHERE.includes(key)) return !target.matches("select, [type=number]");
  return target === document.body && (SIDEWAYS.includes(key) || pictures.matches(":hover"));
}

document.addEventListener("keydown", (event) => {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!(key in KEYS) || !isForPictures(event.target, key)) return;
  // many keyboards write brackets with Alt
  if (event.metaKey || ((event.ctrlKey || event.altKey) && !(event.altKey && "[]".includes(key)))) return;
  event.preventDefault();
  KEYS[key]();
});

const placeOf = (event) => event.target.closest?.(".pointable");

pictures.addEventListener("pointermove", (event) => {
  if (event.pointerType !== "touch") placeOf(event)?.place(event);
});
pictures.addEventListener("pointerout", (event) => {
  // leaving the cells goes back to what is pinned
  const left = placeOf(event) && !event.relatedTarget?.closest?.(".pointable");
  if (left) goBack();
});
pictures.addEventListener("click", (event) => {
  const part = placeOf(event);
  if (!part) return;
  part.place(event);
  const { pinned, cell, name } = view;
  if (pinned && pinned.name === name && sameCell(pinned.cell, cell)) free();
  else pin();
});

function begin() {
  say("title", data.title);
  const facts = [
    `${data.encoder ? "encoder: " : ""}${data.cell}, ${data.directions.length === 2 ? "both directions" : `one direction, ${data.directions[0]}`}`,
    `${data.layers} ${data.layers === 1 ? "layer" : "layers"} of ${data.units} units`,
    `${data.steps} ${data.steps === 1 ? "step" : "steps"}`,
    data.rows > 1 && `row ${data.row} (of 0 to ${data.rows - 1})`,
    data.map?.fact,
    data.loss !== null && `loss ${written(data.loss)}${lossInWords()}`,
    typeof data.predicted === "string" && labelsInWords(0),
  ];
  say("facts", facts.filter(Boolean).join(" · "));
  document.getElementById("notes").append(...data.notes.map((note) => element("li", "", `Note: ${note}.`)));
  buildForm();
  buildFold();
  buildWhatIf();
  buildOrder();
  buildTransitions();
  if (Array.isArray(data.predicted)) document.getElementById("classes").append(...classLegend());
  if (data.encoder) say("influence-title", "Where the encoder’s outputs look");
  document.getElementById("flow").hidden = data.steps === 1 || (!data.flow && !KEEPER);
  document.getElementById("beside").hidden = !data.beside;
  document.getElementById("pinned").addEventListener("click", free);
  groundChange.addEventListener("change", drawLayer);
  drawLayer();
  keepInView();
  requestAnimationFrame(() => setTimeout(() => (document.documentElement.dataset.ready = "1")));
}

const lossInWords = () =>
  !data.encoder && (data.true === null || data.map) ? "" : ` (mean cross-entropy${data.rows > 1 ? " of the batch" : ""})`;

begin();

// What is chosen, and how pointer and keys change it.

const view = {
  cell: { layer: 0, direction: data.start[0], step: Math.floor((data.steps - 1) / 2), unit: data.start[1] },
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
  const { cell, name, gradients } = view;
  const strips = `${cell.layer} ${cell.unit} ${gradients} ${darkMode.matches}`;
  if (strips !== paintedStrips) paintStrips(cell);
  paintedStrips = strips;
  const layer = data.layers > 1 ? ` of layer ${cell.layer}` : "";
  document.getElementById("unit").textContent = `Unit ${cell.unit}${layer}, step by step`;
  document.getElementById("units").textContent = `All units${layer}`;
  markCell(cell, name);
  drawInfluence(cell);
  drawFlow(cell);
  drawPanel(cell, name, view.pinned !== null);
  clearTimeout(drawCell.timer);
  drawCell.timer = setTimeout(() => (spoken.textContent = cellInWords(cell)), 400);
}

/** Draw everything of a layer: after another layer, other quantities or another ground. */
function drawLayer() {
  const names = shownNames();
  buildStrips(names, choose);
  buildMaps(names, view.cell.layer, choose);
  buildInfluence(choose);
  paintedStrips = "";
  drawCell();
}

/** Choose a part of the cell; `follow` where it was not chosen among the strips, which then scroll along. */
function choose({ name = view.name, ...part }, follow = false) {
  view.cell = { ...view.cell, ...part };
  view.name = name;
  if (follow) keepInView();
  changed();
}

function pin() {
  view.pinned = { cell: view.cell, name: view.name };
  changed();
}

/** Choose by key: a pinned cell moves along. */
function step(part) {
  choose(part, true);
  if (view.pinned) pin();
}

/** The chosen column of the strips stays where it can be seen. */
function keepInView() {
  const token = picture.tokens[view.cell.step];
  const scroller = document.getElementById("scroller");
  const [box, frame] = [token.getBoundingClientRect(), scroller.getBoundingClientRect()];
  const hidden = box.left < frame.left + 72 || box.right > frame.right - 8;
  if (hidden) scroller.scrollLeft += (box.left + box.right - frame.left - frame.right) / 2;
}

function setLayer(layer) {
  layerChoice.value = layer;
  view.cell = { ...view.cell, layer };
  if (view.pinned) view.pinned = { ...view.pinned, cell: view.cell };
  drawLayer();
}

function setGradients(on) {
  view.gradients = on && data.gradients;
  for (const choice of document.querySelectorAll("[name=quantity]"))
    choice.checked = (choice.value === "gradients") === view.gradients;
  view.name = null;
  drawLayer();
}

const within = (number, count) => Math.max(0, Math.min(count - 1, number));

const KEYS = {
  ArrowLeft: () => step({ step: within(view.cell.step - 1, data.steps) }),
  ArrowRight: () => step({ step: within(view.cell.step + 1, data.steps) }),
  ArrowUp: () => step({ unit: within(view.cell.unit - 1, data.units) }),
  ArrowDown: () => step({ unit: within(view.cell.unit + 1, data.units) }),
  PageUp: () => step({ unit: within(view.cell.unit - 10, data.units) }),
  PageDown: () => step({ unit: within(view.cell.unit + 10, data.units) }),
  Home: () => step({ step: 0 }),
  End: () => step({ step: data.steps - 1 }),
  Enter: pin,
  " ": pin,
  Escape: () => {
    view.pinned = null;
    changed();
  },
  d: () => step({ direction: (view.cell.direction + 1) % data.directions.length }),
  g: () => setGradients(!view.gradients),
  "[": () => setLayer(within(view.cell.layer - 1, data.layers)),
  "]": () => setLayer(within(view.cell.layer + 1, data.layers)),
};

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.altKey || event.metaKey || !(key in KEYS)) return;
  // keys belong to the pictures: when they have the focus, or nothing has and no scrolling would be taken away
  const letter = key.length === 1 && key !== " ";
  const own = pictures.contains(target) || (target === document.body && (letter || pictures.matches(":hover")));
  if (!own && !(key === "Escape" && view.pinned)) return;
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
  if (view.pinned && left) choose({ ...view.pinned.cell, name: view.pinned.name }, true);
});
pictures.addEventListener("click", (event) => {
  const part = placeOf(event);
  if (!part) return;
  part.place(event);
  pin();
});

function begin() {
  const text = (id, words) => (document.getElementById(id).textContent = words);
  text("title", data.title);
  const facts = [
    `${data.cell}, ${data.directions.length === 2 ? "both directions" : "one direction"}`,
    `${data.layers} ${data.layers === 1 ? "layer" : "layers"} of ${data.units} units`,
    `${data.steps} ${data.steps === 1 ? "step" : "steps"}`,
    data.rows > 1 && `row ${data.row} of ${data.rows}`,
    data.loss !== null && `loss ${written(data.loss)}`,
    typeof data.predicted === "string" && labelsInWords(0),
  ];
  text("facts", facts.filter(Boolean).join(" · "));
  document.getElementById("notes").append(...data.notes.map((note) => element("li", "", `Note: ${note}.`)));
  for (let layer = 0; layer < data.layers; layer++) layerChoice.append(new Option(`layer ${layer}`, layer));
  layerChoice.addEventListener("change", () => setLayer(Number(layerChoice.value)));
  document.getElementById("layers").hidden = data.layers === 1;
  document.getElementById("quantities").hidden = !data.gradients;
  for (const choice of document.querySelectorAll("[name=quantity]"))
    choice.addEventListener("change", () => setGradients(choice.value === "gradients"));
  if (Array.isArray(data.predicted))
    document.getElementById("classes").append(
      ...classNames.map((name, k) => element("li", `k${k % 9}`, name)),
      data.true ? element("li", "wrong", "mistake") : "",
    );
  document.getElementById("flow").hidden = data.steps === 1 || (!data.flow && !KEEPER);
  document.getElementById("beside").hidden = !data.beside;
  document.getElementById("fold").addEventListener("click", ({ target }) => {
    const folded = document.getElementById("panel").classList.toggle("folded");
    target.setAttribute("aria-expanded", String(!folded));
    target.textContent = folded ? "unfold" : "fold";
  });
  darkMode.addEventListener("change", drawLayer);
  drawLayer();
  keepInView();
  requestAnimationFrame(() => setTimeout(() => (document.documentElement.dataset.ready = "1")));
}

begin();

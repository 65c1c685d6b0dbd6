// The fields at the head of the page, the fold of the panel, the legend of the classes.

/** A radio button or a list: after a choice by pointer the keys are the pictures' again. */
function onChoice(part, act) {
  let byPointer = false;
  part.addEventListener("pointerdown", () => (byPointer = true));
  part.addEventListener("keydown", () => (byPointer = false));
  part.addEventListener("change", ({ target }) => {
    act(target.value);
    if (byPointer) pictures.focus({ preventScroll: true });
  });
}

function buildForm() {
  for (let layer = 0; layer < data.layers; layer++) layerChoice.append(new Option(`layer ${layer}`, layer));
  const directions = document.getElementById("directions");
  for (const name of data.directions) {
    const choice = Object.assign(element("input"), { type: "radio", name: "direction", value: name });
    directions.append(element("label", "", [choice, ` ${name}`]));
  }
  onChoice(layerChoice, (layer) => setLayer(Number(layer)));
  onChoice(document.getElementById("quantities"), (quantity) => setGradients(quantity === "gradients"));
  onChoice(directions, (name) => step(() => ofUnit({ direction: data.directions.indexOf(name) })));
  const choices = { step: (part) => part, unit: ofUnit, line: ofMap };
  const counts = { step: data.steps, unit: data.units, line: data.map?.lines.length };
  for (const [part, count] of Object.entries(counts)) {
    const field = document.getElementById(`${part}-field`);
    field.max = count - 1;
    field.addEventListener("input", () => {
      if (field.value !== "") step(() => choices[part]({ [part]: within(Math.floor(field.value), count) }));
    });
    field.addEventListener("blur", changed); // what was left empty is filled again
  }
  const there = {
    layer: data.layers > 1,
    gradients: data.gradients,
    direction: data.directions.length > 1,
    map: Boolean(data.map),
    "what-if": !data.what_if.why_not,
  };
  document.getElementById("lines").hidden = !there.map;
  for (const name of document.querySelectorAll(".down")) name.textContent = data.map?.down ?? "";
  document.getElementById("layers").hidden = !there.layer;
  document.getElementById("quantities").hidden = !there.gradients;
  directions.hidden = !there.direction;
  for (const key of document.querySelectorAll("[data-needs]")) key.hidden = !there[key.dataset.needs];
}

function buildFold() {
  const fold = document.getElementById("fold");
  const set = (folded) => {
    document.getElementById("panel").classList.toggle("folded", folded);
    fold.setAttribute("aria-expanded", String(!folded));
    fold.textContent = folded ? "unfold" : "fold";
  };
  fold.addEventListener("click", () => set(fold.getAttribute("aria-expanded") === "true"));
  set(innerHeight < 500);
}

/** The classes in their colours, and what a mistake looks like. */
function classLegend() {
  const entries = classNames.map((name, k) => {
    const entry = element("li", `k${k % 9}`, short(name));
    entry.title = name;
    return entry;
  });
  const mistakes = data.true && data.true.some((name, step) => name !== data.predicted[step]);
  return mistakes ? [...entries, element("li", "wrong", "mistake")] : entries;
}

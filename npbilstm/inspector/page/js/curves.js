// Over time, for the loss at the chosen step alone: how large the gradient still is at every other step, and what the
// forget gates have left; and how strongly the output at the chosen step depends on every input.

const KEEPER = ["f", "z"].find((name) => data.maps.includes(name));
const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** A row of a picture over time: that of the chosen step, or the only one where there is one label a sequence. */
function timeRow(part, name, { layer, direction, step }) {
  const found = stored(part, name);
  const [T, U] = found.shape.slice(-2);
  const block = found.shape.length === 4 ? layer * found.shape[1] + direction : 0;
  const start = (block * T + Math.min(step, T - 1)) * U;
  return found.values.subarray(start, start + U);
}

/** From which step the loss looks back: the chosen one, or with one output a sequence the step read last. */
function lossStep(cell) {
  if (data.by_step) return cell.step;
  return way(cell) > 0 ? data.steps - 1 : 0;
}

/**
 * What is left at t of the cell after step u: the gates of the steps read after u, up to t, multiplied; their mean. In a
 * changed run nothing is left in a state that is set.
 */
function keptProduct(cell) {
  const gates = field(KEEPER, cell.layer, cell.direction);
  const state = KEEPER === "f" ? "c" : "h";
  const H = data.units;
  const product = new Float64Array(H).fill(1);
  const means = new Array(data.steps).fill(NaN);
  for (let step = lossStep(cell); isRead(step); step -= way(cell)) {
    means[step] = product.reduce((sum, v) => sum + v, 0) / H;
    for (let unit = 0; unit < H; unit++)
      product[unit] *= isSet(state, { ...cell, step, unit }) ? 0 : gates[step * H + unit];
  }
  return means;
}

/** A chart with a logarithmic axis. series: {values, direction, dashed}. */
function chart(title, what, series, cell) {
  const [W, H, left, right, top, bottom] = [280, 180, 40, 6, 8, 34];
  const positive = series.flatMap(({ values }) => [...values].filter((v) => v > 0 && isFinite(v)));
  const most = positive.reduce((a, b) => Math.max(a, b), 0) || 1;
  const least = Math.max(positive.reduce((a, b) => Math.min(a, b), most), most * 1e-12);
  const high = Math.ceil(Math.log10(most) - 1e-9);
  const low = Math.min(high - 1, Math.floor(Math.log10(least)));
  const x = (step) => left + ((step + 0.5) / data.steps) * (W - left - right);
  const y = (v) => top + ((high - Math.log10(v)) / (high - low)) * (H - top - bottom);
  const image = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `${title}: ${what}` });
  const every = Math.ceil((high - low) / 6);
  for (let power = high; power >= low; power -= every) {
    image.append(svg("line", { class: "grid", x1: left, x2: W - right, y1: y(10 ** power), y2: y(10 ** power) }));
    const label = svg("text", { x: left - 6, y: y(10 ** power) + 4, "text-anchor": "end" }, "10");
    label.append(svg("tspan", { dy: -4, class: "power" }, String(power)));
    image.append(label);
  }
  for (const step of ticks(data.steps, 8))
    image.append(svg("text", { x: x(step), y: H - bottom + 14, "text-anchor": "middle" }, String(step)));
  image.append(svg("text", { x: (left + W - right) / 2, y: H - 4, "text-anchor": "middle" }, "step u"));
  image.append(svg("line", { class: "chosen", x1: x(cell.step), x2: x(cell.step), y1: top, y2: H - bottom }));
  for (const { values, direction, dashed } of series) {
    let path = "";
    let open = false;
    values.forEach((v, step) => {
      const seen = v > 0 && isFinite(v) && v >= 10 ** low;
      if (seen) path += `${open ? "L" : "M"}${x(step).toFixed(1)} ${y(v).toFixed(1)}`;
      if (seen && !open) path += "h0";
      open = seen;
    });
    image.append(svg("path", { class: `curve ${data.directions[direction]}${dashed ? " dashed" : ""}`, d: path }));
  }
  const told = element("p", "told");
  image.addEventListener("pointermove", ({ clientX }) => {
    const box = image.getBoundingClientRect();
    const part = (((clientX - box.left) / box.width) * W - left) / (W - left - right);
    const step = within(Math.floor(part * data.steps), data.steps);
    const kind = ({ direction, dashed }) => `${data.directions[direction]}${dashed ? " of the other model" : ""}`;
    const there = series.filter(({ values }) => isFinite(values[step]));
    const texts = there.map((one) => `${kind(one)} ${written(one.values[step])}`);
    told.textContent = `${stepName(step)}: ${texts.join(", ")}`;
  });
  return element("figure", "", [element("figcaption", "", [element("b", "", title), ` ${what}`]), image, told]);
}

/** Sizes as a share of that at the chosen step: how much is left there. */
const share = (values, step) => Array.from(values, (v) => v / values[step]);

function drawFlow(cell) {
  const charts = [];
  for (const name of ["dh", "dc"].filter((gradient) => data.flow?.[gradient])) {
    const whole = data.flow[name].shape[2] === 1;
    const lines = (part, dashed) =>
      byDirection((direction) => {
        const sizes = timeRow(part, name, { ...cell, direction });
        return { values: whole ? sizes : share(sizes, cell.step), direction, dashed };
      });
    const series = [...lines("flow", false), ...(data.beside ? lines("beside", true) : [])];
    const loss = whole ? "the whole loss" : "the loss at the chosen step alone, as a share of that at the chosen step";
    charts.push(chart(`|dL/d${name[1]}|`, `at step u, of ${loss}`, series, cell));
  }
  if (KEEPER) {
    const series = byDirection((direction) => ({ values: keptProduct({ ...cell, direction }), direction }));
    const end = data.by_step ? "chosen one" : "one read last";
    charts.push(chart(`product of ${KEEPER}`, `from step u to the ${end}, mean over the units`, series, cell));
  }
  document.getElementById("charts").replaceChildren(...charts);
}

/** How strongly the output at the chosen step depends on each input: bars over the tokens. */
function drawInfluence(cell) {
  if (!data.influence) return;
  const values = timeRow("influence", "x", cell);
  const most = values.reduce((a, b) => Math.max(a, b), 0) || 1;
  picture.bars.forEach((bar, step) => {
    bar.style.setProperty("--part", values[step] / most);
    bar.title = `${stepName(step)}: ${written(values[step])}`;
  });
  const mark = document.getElementById("influence-row"); // none with one output a sequence
  if (!mark) return;
  mark.style.top = `${(cell.step / data.steps) * 100}%`;
  mark.style.height = `${100 / data.steps}%`;
}

/** The map of all outputs and inputs; one row is one output. */
function buildInfluence(point) {
  const section = document.getElementById("influence");
  const found = stored("influence", "x");
  section.hidden = !found || found.shape[0] === 1;
  if (section.hidden) return;
  const T = data.steps;
  const canvas = element("canvas", "cells");
  const scale = fromZero(found.values);
  paint(canvas, T, T, (x, y) => found.values[y * T + x], scale);
  const row = element("div", "row");
  row.id = "influence-row";
  const frame = element("div", "frame square", [canvas, row, axis("unit-axis", "top", T, 8)]);
  const told = element("p", "told");
  watch(frame, (x, y) => {
    const [t, u] = [Math.floor(y * T), Math.floor(x * T)];
    told.textContent = `output ${t} of input ${u}: ${written(found.values[t * T + u])}`;
    point({ step: t }, true);
  });
  const caption = element("figcaption", "", ["output (down) of input (across)", legend(scale)]);
  const across = axis("axis", "left", T, 8);
  document.getElementById("influence-map").replaceChildren(caption, frame, across, told);
}

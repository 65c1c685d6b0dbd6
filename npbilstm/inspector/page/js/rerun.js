// A changed run: one unit's gate or state is set over some steps, and all that follows is computed again by the
// equations: a step in float64, where something that it reads differs, then kept in the precision of the run. All else
// stays as it was.

/** A node for all units of a step at once: a number, or numbers. now: the step's own by name; at: layer and direction. */
function ofAllUnits(node, now, at) {
  switch (node.kind) {
    case "number":
      return node.value;
    case "symbol":
      return now[node.name] ?? weightVector(node.name, at);
    case "call":
      return together(FUNCTIONS[node.name], ofAllUnits(node.argument, now, at));
    case "product":
      return node.factors.map((factor) => ofAllUnits(factor, now, at)).reduce((a, b) => together((x, y) => x * y, a, b));
    case "dot":
      return timesMatrix(ofAllUnits(node.vector, now, at), weight(node.weight, at));
    default:
      return node.terms
        .map(({ sign, node: term }) => together((a) => sign * a, ofAllUnits(term, now, at)))
        .reduce((a, b) => together((x, y) => x + y, a, b));
  }
}

/** A function of numbers, unit by unit; a lone number is every unit's. */
function together(act, ...parts) {
  const long = parts.find((part) => typeof part !== "number");
  if (!long) return act(...parts);
  return Float64Array.from(long, (_, unit) => act(...parts.map((part) => (typeof part === "number" ? part : part[unit]))));
}

function weightVector(name, at) {
  const found = weight(name, at);
  return Float64Array.from({ length: data.units }, (_, unit) => found.at(unit));
}

function timesMatrix(vector, { values, rows, width, columns, start }) {
  const found = new Float64Array(width);
  for (let row = 0; row < rows; row++)
    for (let unit = 0; unit < width; unit++) found[unit] += vector[row] * values[row * columns + start + unit];
  return found;
}

const whole = (part, step, width) => part.subarray(step * width, (step + 1) * width);

/** What a layer puts out at a step, the states of its directions as one. h(direction) are those of all steps. */
function putOut(layer, step, h) {
  const sides = byDirection((direction) => whole(h(direction), step, data.outputs));
  const merge = sides.length === 1 ? "concat" : (data.what_if.merges[layer] ?? "concat");
  if (merge === "concat") return Float64Array.from(sides.flatMap((side) => [...side]));
  const act = { sum: (a, b) => a + b, mul: (a, b) => a * b, ave: (a, b) => (a + b) / 2 }[merge];
  return h(0).constructor.from(together(act, ...sides));
}

/**
 * setting: {name, layer, direction, unit, first, last, to}. -> a function of name, layer and direction: the numbers of all
 * steps as `field` has them, those of the changed run.
 */
function rerun(setting) {
  const found = new Map();
  const numbers = (name, layer, direction) => found.get(`${name} ${layer} ${direction}`) ?? field(name, layer, direction);
  const states = ["h", "c"].filter((state) => `${state}_prev` in data.widths);
  let readsNew = data.tokens.map(() => false);
  for (let layer = setting.layer; layer < data.layers; layer++) {
    const below = (step) =>
      layer === 0
        ? whole(stored("inputs", 0).values, step, inputWidth(0))
        : putOut(layer - 1, step, (direction) => numbers("h", layer - 1, direction));
    const putsOutNew = data.tokens.map(() => false);
    data.directions.forEach((_, direction) => {
      const at = { layer, direction };
      const own = layer === setting.layer && direction === setting.direction;
      const isSetHere = (step) => own && setting.first <= step && step <= setting.last;
      const before = Object.fromEntries(data.maps.map((name) => [name, field(name, layer, direction)]));
      const kept = Object.fromEntries(data.maps.map((name) => [name, before[name].slice()]));
      const differs = (name, step) => {
        const old = whole(before[name], step, widthOf(name));
        return whole(kept[name], step, widthOf(name)).some((v, k) => v !== old[k]);
      };
      let readsNewState = false;
      let cell = { ...at, step: way(at) > 0 ? 0 : data.steps - 1, unit: 0 };
      for (; isRead(cell.step); cell = readNext(cell)) {
        const { step } = cell;
        if (!isSetHere(step) && !readsNew[step] && !readsNewState) continue;
        const now = { x: below(step) };
        for (const name of states) {
          const last = readBefore(cell).step;
          const first = () => Float64Array.from({ length: widthOf(name) }, (_, unit) => state(name, { ...readBefore(cell), unit }));
          now[`${name}_prev`] = isRead(last) ? whole(kept[name], last, widthOf(name)) : first();
        }
        for (const { name, sum } of equations.forward) {
          now[name] = ofAllUnits(sum, now, at);
          if (stored("set", name)) {
            const was = whole(before[name], step, widthOf(name));
            now[name] = now[name].map((v, unit) => (isSet(name, { ...at, step, unit }) ? was[unit] : v));
          }
          if (isSetHere(step) && name === setting.name) now[name][setting.unit] = setting.to;
          if (kept[name]) kept[name].set(now[name], step * widthOf(name));
        }
        readsNewState = states.some((name) => differs(name, step));
        putsOutNew[step] ||= differs("h", step);
      }
      for (const name of data.maps) found.set(`${name} ${layer} ${direction}`, kept[name]);
    });
    readsNew = putsOutNew;
  }
  return numbers;
}

/** The scores of a run, a row for each output; null where no label follows from them alone. */
function scoresOf(numbers) {
  if (!data.what_if.classes) return null;
  const top = data.layers - 1;
  const h = (direction) => numbers("h", top, direction);
  const steps = data.tokens.map((_, step) => step);
  const { pooling } = data.what_if;
  let rows;
  if (pooling === "final") {
    const last = byDirection((direction) => whole(h(direction), way({ direction }) > 0 ? data.steps - 1 : 0, data.outputs));
    rows = [Float64Array.from(last.flatMap((side) => [...side]))];
  } else {
    rows = steps.map((step) => putOut(top, step, h));
    if (pooling === "max") rows = [rows.reduce((a, b) => together(Math.max, a, b))];
    if (pooling === "mean") rows = [together((sum) => sum / data.steps, rows.reduce((a, b) => together((x, y) => x + y, a, b)))];
  }
  const [W, b] = [stored("head", "W"), stored("head", "b")];
  const [size, columns] = W.shape;
  const linear = { values: W.values, rows: size, width: columns, columns, start: 0 };
  return rows.map((row) => together((a, c) => a + c, timesMatrix(row, linear), Float64Array.from(b.values)));
}

/** The first NaN, if there is one, as in NumPy. */
const likeliestOf = (scores) => {
  const nan = scores.findIndex(Number.isNaN);
  return nan >= 0 ? nan : scores.indexOf(Math.max(...scores));
};

/** The softmax. */
function probabilities(scores) {
  const most = Math.max(...scores);
  const sizes = scores.map((score) => Math.exp(score - most));
  const sum = sizes.reduce((a, b) => a + b, 0);
  return sizes.map((size) => size / sum);
}

// The equations, computed from their text: what is shown and what is computed are the same words.
//
//   sum = ["-"] term {("+" | "-") term}      term = factor {"*" factor} | SYMBOL "@" SYMBOL[".T"]
//   factor = (NUMBER | SYMBOL | FUNCTION "(" sum ")" | "(" sum ")") ["^2"]

const toUnit = (s) => Math.min(Math.max(s, 0), 1);
const slope = (size) => (s) => (s > 0 && s < 1 ? size : 0);
const FUNCTIONS = {
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  tanh: Math.tanh,
  exp: Math.exp,
  relu: (a) => Math.max(a, 0),
  positive: (a) => (a > 0 ? 1 : 0),
  hard_sigmoid: (a) => toUnit(a / 5 + 0.5),
  hard_sigmoid_sixth: (a) => toUnit(a / 6 + 0.5),
  slope_fifth: slope(1 / 5),
  slope_sixth: slope(1 / 6),
  "": (a) => a,
  "^2": (a) => a * a,
};

function parse(text) {
  const words = text.match(/next\.\w+|[A-Za-z]\w*|\d+(?:\.\d+)?|\.T|\^2|[-+*@()=]/g);
  let k = 2; // after NAME =
  const taken = (word) => words[k] === word && k++ > 0;

  function sum() {
    const terms = [];
    let sign = taken("-") ? -1 : 1;
    for (;;) {
      terms.push({ sign, node: term() });
      if (taken("+")) sign = 1;
      else if (taken("-")) sign = -1;
      else return { kind: "sum", terms };
    }
  }
  function term() {
    const factors = [factor()];
    if (taken("@")) {
      const weight = words[k++];
      return { kind: "dot", vector: factors[0], weight, transposed: taken(".T") };
    }
    while (taken("*")) factors.push(factor());
    return factors.length > 1 ? { kind: "product", factors } : factors[0];
  }
  function factor() {
    const word = words[k++];
    let node;
    if (word === "(") node = call("");
    else if (taken("(")) node = call(word);
    else if (/^\d/.test(word)) node = { kind: "number", value: Number(word) };
    else node = { kind: "symbol", name: word.replace("next.", ""), next: word.startsWith("next.") };
    return taken("^2") ? { kind: "call", name: "^2", argument: node } : node;
  }
  function call(name) {
    const argument = sum();
    k++; // ")"
    return { kind: "call", name, argument };
  }
  return { name: words[0], text, sum: sum() };
}

const equations = {
  forward: data.equations.forward.map(parse),
  backward: data.gradients ? data.equations.backward.map(parse) : [],
};
equations.map = (data.map?.equations ?? []).map(parse);
const mapEquationOf = Object.fromEntries(equations.map.map((e) => [e.name, e]));
const equationOf = Object.fromEntries([...equations.forward, ...equations.backward].map((e) => [e.name, e]));

/** A cell is {layer, direction, step, unit}: whose numbers an equation is about; of the map {line, step, unit, ofMap}. */
const way = (cell) => (data.directions[cell.direction] === "reverse" ? -1 : 1);
const turn = (cell) => (way(cell) > 0 ? cell.step : data.steps - 1 - cell.step);
const isRead = (step) => step >= 0 && step < data.steps;
const readBefore = (cell) => ({ ...cell, step: cell.step - way(cell) });
const readNext = (cell) => ({ ...cell, step: cell.step + way(cell) });
const widthOf = (name) => data.widths[name] ?? data.units;

/** What a symbol is at a cell of the map: kept by those axes that it has, or derived. */
function mapValue(name, cell) {
  if (!(name in data.map.axes)) return evaluate(mapEquationOf[name].sum, cell);
  const { shape, values } = stored("map_arrays", name);
  return values[data.map.axes[name].reduce((place, axis, k) => place * shape[k] + cell[axis], 0)];
}

/** The number at a cell of what is kept by layer, direction, step and unit. */
function keptAt({ shape, values }, { layer, direction, step, unit }) {
  const [, S, T, U] = shape;
  return values[((layer * S + direction) * T + step) * U + unit];
}

/** Whether a number of a changed run is set, whatever its equation says. */
function isSet(name, cell) {
  const where = stored("set", name);
  return Boolean(where) && cell.unit < widthOf(name) && keptAt(where, cell) !== 0;
}

/** Whether it is the gradient of what is set. */
const passesNothing = (name, cell) => name.startsWith("d") && isSet(name.slice(1), cell);

/** What a symbol is at a cell, one of a unit or, where it says so, one of the map. */
function value(name, cell) {
  if (cell.ofMap) return mapValue(name, cell);
  const { layer, step, unit } = cell;
  const kept = stored("arrays", name);
  if (kept) return keptAt(kept, cell);
  if (name === "x") return input(layer, step, unit);
  if (name.endsWith("_prev")) return state(name.replace("_prev", ""), readBefore(cell));
  if (passesNothing(name, cell)) return 0;
  if (equationOf[name]) return evaluate(equationOf[name].sum, cell);
  return weight(name, cell).at(unit);
}

/** h or c after a step, or before the first one. */
function state(name, cell) {
  if (isRead(cell.step)) return value(name, cell);
  const { shape, values } = stored("arrays", `${name}_0`);
  return values[(cell.layer * shape[1] + cell.direction) * shape[2] + cell.unit];
}

/** What layer k reads: its own input, or where that is not stored the outputs of the layer below, side by side. */
function input(layer, step, d) {
  const own = stored("inputs", layer);
  if (own) return own.values[step * own.shape[1] + d];
  const direction = Math.floor(d / data.outputs);
  return value("h", { layer: layer - 1, direction, step, unit: d - direction * data.outputs });
}

const inputWidth = (layer) => stored("inputs", layer)?.shape[1] ?? data.outputs * data.directions.length;

/** A weight by its symbol: "Wx_i" is block i of Wx, "Wp" all of Wp. at(unit) of a vector, at(row, unit) of a matrix. */
function weight(symbol, { layer, direction }) {
  const prefix = `${layer}.${data.directions[direction]}.`;
  const whole = stored("weights", prefix + symbol);
  const [name, letter] = whole ? [symbol, ""] : symbol.split("_");
  const found = whole ?? stored("weights", prefix + name);
  if (!found) return null;
  const blocks = data.blocks[name];
  const columns = found.shape[found.shape.length - 1];
  const width = letter ? columns / blocks.length : columns;
  const start = letter ? blocks.indexOf(letter) * width : 0;
  if (found.shape.length === 1) return { at: (unit) => found.values[start + unit] };
  const { values } = found;
  return { width, rows: found.shape[0], columns, start, values, at: (row, unit) => values[row * columns + start + unit] };
}

/** The terms of a dot product on the map, of which both sides are vectors. */
function mapTerms({ vector, weight: other }, cell) {
  const length = stored("map_arrays", other).shape.at(-1);
  const at = (name, unit) => mapValue(name, { ...cell, unit });
  return Array.from({ length }, (_, unit) => at(vector.name, unit) * at(other, unit));
}

/** The terms of a dot product, in order; null where the weights were left out. */
function dotTerms(node, cell) {
  if (cell.ofMap) return mapTerms(node, cell);
  const matrix = weight(node.weight, cell);
  if (!matrix) return null;
  const { name, next } = node.vector;
  const at = next ? readNext(cell) : cell;
  const length = node.transposed ? matrix.width : matrix.rows;
  return Array.from({ length }, (_, k) => {
    const w = node.transposed ? matrix.at(cell.unit, k) : matrix.at(k, cell.unit);
    return value(name, { ...at, unit: k }) * w;
  });
}

function evaluate(node, cell) {
  switch (node.kind) {
    case "number":
      return node.value;
    case "symbol":
      return value(node.name, node.next ? readNext(cell) : cell);
    case "call":
      return FUNCTIONS[node.name](evaluate(node.argument, cell));
    case "product":
      return node.factors.reduce((product, factor) => product * evaluate(factor, cell), 1);
    case "dot":
      return dotTerms(node, cell).reduce((sum, term) => sum + term, 0);
    default:
      return node.terms.reduce((sum, { sign, node: term }) => sum + sign * evaluate(term, cell), 0);
  }
}

const fields = new Map();

/** All of a quantity in one layer and direction, step by step (T, U), in the precision in which it is kept: what a map draws. */
function field(name, layer, direction) {
  const key = `${name} ${layer} ${direction}`;
  if (!fields.has(key)) {
    const width = widthOf(name);
    const Numbers = stored("arrays", name)?.values.constructor ?? Float64Array;
    const values = new Numbers(data.steps * width);
    for (let step = 0; step < data.steps; step++)
      for (let unit = 0; unit < width; unit++)
        values[step * width + unit] = value(name, { layer, direction, step, unit });
    fields.set(key, values);
  }
  return fields.get(key);
}

// The order of the units in the maps: by number, or those first whose h goes most with something over the steps.

const order = { by: "number" };

/** How many brackets are open after each token. */
function openBrackets() {
  let depth = 0;
  return data.tokens.map((token) => {
    for (const sign of token) depth = Math.max(0, depth + "([{".includes(sign) - ")]}".includes(sign));
    return depth;
  });
}

const labelsByStep = () => [data.true, data.predicted].find(Array.isArray) ?? null;

/** What units may follow: by its key the words and a number for each step; only what is not the same at all steps. */
const followable = (() => {
  const found = new Map([
    ["position", ["position", data.tokens.map((_, step) => step)]],
    ["brackets", ["open brackets", openBrackets()]],
  ]);
  const labels = labelsByStep();
  if (labels)
    classNames.forEach((name, k) => found.set(`class ${k}`, [`class ${short(name)}`, labels.map((own) => Number(own === name))]));
  for (const [key, [, numbers]] of found) if (numbers.every((v) => v === numbers[0])) found.delete(key);
  return found;
})();

/** Pearson's correlation; 0 where one of both is the same at all steps. */
function correlation(a, b) {
  const mean = (list) => list.reduce((sum, v) => sum + v, 0) / list.length;
  const [ma, mb] = [mean(a), mean(b)];
  const dot = (x, mx, y, my) => x.reduce((sum, v, k) => sum + (v - mx) * (y[k] - my), 0);
  const size = Math.sqrt(dot(a, ma, a, ma) * dot(b, mb, b, mb));
  return size > 0 ? dot(a, ma, b, mb) / size : 0;
}

const orders = new Map();

/** {units, correlations} of a layer's direction, in the chosen order; a unit that has no h of its own comes last. */
function orderOf(layer, direction) {
  const key = `${order.by} ${layer} ${direction}`;
  if (!orders.has(key)) {
    const units = Array.from({ length: data.units }, (_, unit) => unit);
    const numbers = followable.get(order.by)?.[1];
    const h = numbers && field("h", layer, direction);
    const of = (unit) => data.tokens.map((_, step) => h[step * data.outputs + unit]);
    const correlations = units.map((unit) => (numbers && unit < data.outputs ? correlation(of(unit), numbers) : 0));
    units.sort((a, b) => Math.abs(correlations[b]) - Math.abs(correlations[a]) || a - b);
    orders.set(key, { units, correlations });
  }
  return orders.get(key);
}

/** Which units go most with it, for who does not see the maps. */
function orderInWords(layer) {
  if (order.by === "number") return "";
  const each = byDirection((direction) => {
    const { units, correlations } = orderOf(layer, direction);
    const first = units.slice(0, 3).map((unit) => `unit ${unit} (${correlations[unit].toFixed(2)})`);
    return `${data.directions[direction]} ${first.join(", ")}`;
  });
  return ` Sorted by how h goes with ${followable.get(order.by)[0]}, their correlation: ${each.join("; ")} first.`;
}

function buildOrder() {
  const choice = document.getElementById("order");
  for (const [key, [words]] of followable) choice.append(new Option(words, key));
  document.getElementById("orders").hidden = !followable.size || data.units === 1;
  onChoice(choice, (by) => {
    order.by = by;
    drawLayer();
  });
}

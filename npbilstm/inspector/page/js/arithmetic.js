// An equation with its numbers, line by line: what is put in, the parts of a sum, what comes out.

const isLast = (cell) => !isRead(readNext(cell).step);
const isFirst = (cell) => !isRead(readBefore(cell).step);

function uses(node, test) {
  if (node.kind === "symbol") return test(node);
  if (node.kind === "dot") return test(node.vector);
  if (node.kind === "call") return uses(node.argument, test);
  if (node.kind === "product") return node.factors.some((factor) => uses(factor, test));
  return node.kind === "sum" && node.terms.some((term) => uses(term.node, test));
}

/** A node with numbers in place of its symbols. */
function putIn(node, cell) {
  if (node.kind === "number") return String(node.value);
  if (node.kind === "sum") return joined(node.terms.map(({ sign, node: term }) => [sign, putIn(term, cell)]));
  if (node.kind === "product") return node.factors.map((factor) => putIn(factor, cell)).join(" * ");
  if (node.kind !== "call") return written(evaluate(node, cell));
  const inside = putIn(node.argument, cell);
  if (node.name === "^2") return inside.startsWith("-") ? `(${inside})^2` : `${inside}^2`;
  return `${node.name}(${inside})`;
}

/** Terms and their signs as a sum: a minus in front of a term becomes the operator. */
function joined(terms) {
  let text = "";
  for (const [sign, term] of terms) {
    const minus = term.startsWith("-") ? sign > 0 : sign < 0;
    const plain = term.replace(/^-/, "");
    text += text ? ` ${minus ? "-" : "+"} ${plain}` : `${minus ? "-" : ""}${plain}`;
  }
  return text;
}

/** x[0], x[1] ...; of an x that is the outputs of both directions side by side, forward[0] ... reverse[0] ... */
function termName({ name, next }, k, layer) {
  const below = name === "x" && layer > 0 && data.directions.length === 2 && inputWidth(layer) === 2 * data.outputs;
  if (below) return `${data.directions[Math.floor(k / data.outputs)]}[${k % data.outputs}]`;
  return `${next ? "next." : ""}${name}[${k}]`;
}

/** The largest terms of a dot product by name and all others as one, together so many quanta. */
function largestTerms(node, terms, count, power, layer) {
  const order = terms.map((_, k) => k).filter((k) => terms[k] !== 0);
  order.sort((a, b) => Math.abs(terms[b]) - Math.abs(terms[a]));
  if (!order.length) return "every term is 0";
  const shown = order.length > 4 ? order.slice(0, 3) : order;
  const others = order.slice(shown.length);
  const names = shown.map((k) => termName(node.vector, k, layer));
  const parts = shown.map((k) => terms[k]);
  if (others.length) {
    names.push(`${others.length}\u00a0others`);
    parts.push(others.reduce((sum, k) => sum + terms[k], 0));
  }
  const counts = shareOut(parts, count, power);
  return names.map((name, k) => `${name}\u00a0${write(counts[k], power)}`).join(", ");
}

/** {lines, result, terms, note} of an equation at a cell: lines between formula and result, and its products' terms. */
function worked(equation, cell) {
  const { name, sum } = equation;
  const kept = value(name, cell);
  const only = (lines, note = "") => ({ lines, result: written(kept), terms: [], note });
  if (!cell.ofMap && isSet(name, cell)) return only([], "set, whatever the equation says");
  if (!cell.ofMap && passesNothing(name, cell)) return only([], "nothing passes back through what is set");
  // nothing is read after the last step: the equation does not hold, its value was given
  if (isLast(cell) && uses(sum, (one) => one.next)) return only([], `gradient of the final state ${name[1]}`);

  const isDot = ({ node }) => node.kind === "dot";
  const dots = sum.terms.map((term) => (isDot(term) ? dotTerms(term.node, cell) : null));
  if (sum.terms.some((term, k) => isDot(term) && !dots[k])) return only([]); // the weights were left out
  if (sum.terms.length === 1 && !dots[0]) return only([putIn(sum, cell)]);

  const parts = sum.terms.map(({ sign, node }) => sign * evaluate(node, cell));
  const exact = parts.reduce((total, part) => total + part, 0);
  if (!isFinite(exact)) return only([putIn(sum, cell)]); // nothing adds up
  const power = powerOf(Math.max(...parts.map(Math.abs), Math.abs(exact)));
  // the trace's own number, unless rounding lost it where large terms cancel
  const result = counted(Math.abs(kept - exact) < 10 ** power ? kept : exact, power);
  const counts = shareOut(parts, result, power);
  const evaluated = joined(counts.map((count) => [1, write(count, power)]));
  const simple = sum.terms.every(({ node }) => ["dot", "symbol", "number"].includes(node.kind));
  const lines = [simple ? evaluated : putIn(sum, cell), evaluated, write(result, power)];
  const terms = sum.terms.flatMap(({ sign, node }, k) =>
    dots[k] ? [[formula(node), largestTerms(node, dots[k], sign * counts[k], power, cell.layer)]] : [],
  );
  // without the lines that say what the line before says
  return { lines: lines.slice(0, 2).filter((line, k) => line !== lines[k + 1]), result: lines[2], terms, note: "" };
}

/** What the names stand for that come from elsewhere: from another step, or from the layer below. */
function before(cell) {
  const states = ["h_prev", "c_prev"].filter((name) => name in data.widths);
  const from = isFirst(cell) ? "the initial state, nothing was read before" : `from ${stepName(readBefore(cell).step)}`;
  const whole = data.embedded ? `the embedding of ${stepName(cell.step)}` : "the input";
  const x = cell.layer > 0 ? `what layer ${cell.layer - 1} put out` : whole;
  return [`x: ${x}`, `${states.join(" and ")}: ${from}`];
}

/** The same for the backward pass. */
function after(cell) {
  const above = cell.layer < data.layers - 1 ? `layer ${cell.layer + 1}, which reads h` : "";
  const last = data.of_model ? "the loss, through the model's output" : "the upstream gradient that was given";
  const dy = `dy: from ${above || last}`;
  if (isLast(cell)) return [dy, "no step is read after this one"];
  return [dy, `next: ${stepName(readNext(cell).step)}, read after this one`];
}

const formula = ({ vector, weight: w, transposed }) =>
  `${vector.next ? "next." : ""}${vector.name} @ ${w}${transposed ? ".T" : ""}`;

const LONGEST = 40; // signs of a token or a class name; the whole is in the tooltip
const short = (text) => ([...text].length > LONGEST ? `${[...text].slice(0, LONGEST - 1).join("")}…` : text);

/** A token in parts, every second one what stands for a sign that is not seen; that of emoji's parts joins them. */
function tokenParts(token) {
  const signs = { " ": "␣", "\n": "⏎", "\t": "⇥" };
  const code = (sign) => `U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
  const parts = short(token).split(/([\s\p{Z}]|(?!\u200d)\p{Cf})/u);
  return token ? parts.map((part, k) => (k % 2 ? (signs[part] ?? code(part)) : part)) : ["", "∅"];
}

const visible = (token) => tokenParts(token).join("");
const isNamed = data.tokens.some((token, step) => token !== String(step));
const stepName = (step) => `step ${step}${isNamed ? ` “${visible(data.tokens[step])}”` : ""}`;

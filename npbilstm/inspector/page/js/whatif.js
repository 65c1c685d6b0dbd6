// What if: the controls, and what a changed run looks like beside the run as it was.

const whatIf = { setting: null, numbers: null, scores: null };
const whatIfPart = (id) => document.getElementById(`what-if-${id}`);
const unitInWords = ({ layer, direction, unit }) =>
  [`unit ${unit}`, data.layers > 1 && `layer ${layer}`, `${data.directions[direction]} direction`].filter(Boolean).join(", ");

/** The chosen unit is the one that is set. Beside it stands which matters most for the label at the chosen step. */
function nameWhatIf(cell) {
  whatIfPart("unit").textContent = unitInWords(cell);
  const most = mattersMost(cell);
  say("matters-words", most ? most.words : "");
  document.getElementById("matters").hidden = !most;
  document.getElementById("matters-try").hidden = !most?.matters || Boolean(data.what_if.why_not);
}

const mattersMost = ({ step }) => data.matters[data.by_step ? step : 0];

/** What the sentence says, computed on the page: that unit's h is 0 at all steps. */
function tryMattersMost() {
  const { layer, direction, unit } = mattersMost(view.cell);
  if (layer !== view.cell.layer) setLayer(layer);
  step(() => ofUnit({ direction, unit }));
  whatIfPart("name").value = "h";
  whatIfPart("to").value = "zero";
  whatIfPart("to").dispatchEvent(new Event("change"));
  whatIfPart("from").value = 0;
  whatIfPart("last").value = data.steps - 1;
  computeWhatIf();
}

function buildWhatIf() {
  const { why_not: reason } = data.what_if;
  const form = document.querySelector("#what-if form");
  form.hidden = Boolean(reason);
  whatIfPart("cannot").hidden = !reason;
  const call = ` In Python: trace.intervene("${data.maps[0]}", 0, unit=…, steps=…).`;
  whatIfPart("cannot").textContent = `This page does not compute it: ${reason}.${call}`;
  whatIfPart("shown").hidden = true;
  if (reason) return;
  const gateName = (name) => `${name}: ${data.words[name].split(":")[0]}`;
  whatIfPart("name").append(...data.maps.map((name) => new Option(gateName(name), name)));
  whatIfPart("name").value = "h";
  for (const end of ["from", "last"]) whatIfPart(end).max = data.steps - 1;
  whatIfPart("from").value = 0;
  whatIfPart("last").value = data.steps - 1;
  const showNumber = () => (whatIfPart("numbers").hidden = whatIfPart("to").value !== "number");
  whatIfPart("to").addEventListener("change", showNumber);
  showNumber();
  whatIfPart("go").addEventListener("click", computeWhatIf);
  whatIfPart("undo").addEventListener("click", undoWhatIf);
  document.getElementById("matters-try").addEventListener("click", tryMattersMost);
  whatIfPart("undo").hidden = true;
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") undoWhatIf();
    if (event.key !== "Enter" || event.target.matches("button")) return;
    event.preventDefault();
    computeWhatIf();
  });
}

/** What the fields say; a sentence in place of a setting where they say nothing that can be set. */
function settingOfFields() {
  const { layer, direction, unit } = view.cell;
  const name = whatIfPart("name").value;
  const [first, last] = ["from", "last"].map((end) => whatIfPart(end).valueAsNumber);
  const isStep = (step) => Number.isInteger(step) && isRead(step);
  if (!isStep(first) || !isStep(last) || first > last)
    return `The steps need to be two of 0 to ${data.steps - 1}, the first of them not after the last.`;
  if (unit >= widthOf(name)) return `${name} has ${widthOf(name)} numbers, so unit ${unit} has none of its own.`;
  const kind = whatIfPart("to").value;
  const values = field(name, layer, direction);
  const mean = () => data.tokens.reduce((sum, _, step) => sum + values[step * widthOf(name) + unit], 0) / data.steps;
  const given = { zero: () => 0, mean, number: () => whatIfPart("number").valueAsNumber }[kind]();
  const [to] = values.constructor.of(given); // in the precision of the run
  if (!isFinite(to)) return "What it is set to needs to be a number.";
  return { name, layer, direction, unit, first, last, to };
}

function computeWhatIf() {
  const setting = settingOfFields();
  if (typeof setting === "string") return void whatIfPart("words").replaceChildren(element("p", "", setting));
  const numbers = rerun(setting);
  Object.assign(whatIf, { setting, numbers, scores: scoresOf(numbers) });
  whatIfPart("shown").hidden = whatIfPart("undo").hidden = false;
  drawWhatIf();
}

function undoWhatIf() {
  Object.assign(whatIf, { setting: null, numbers: null, scores: null });
  whatIfPart("shown").hidden = true;
  whatIfPart("words").replaceChildren();
  if (document.activeElement === whatIfPart("undo")) whatIfPart("go").focus();
  whatIfPart("undo").hidden = true;
}

const MOST_CHANGES = 6; // told in words

function drawWhatIf() {
  const { setting, numbers, scores } = whatIf;
  const before = scoresOf(field);
  const [old, now] = [before, scores].map((rows) => rows?.map((row) => data.what_if.classes[likeliestOf(row)]));
  const { first, last } = setting;
  const when = first === last ? `at ${stepName(first)}` : `at steps ${first} to ${last}`;
  const sentences = [`${setting.name} of ${unitInWords(setting)} is ${written(setting.to)} ${when}.`];
  if (!scores) sentences.push(data.of_model ? "What labels follow from it, trace.intervene tells in Python." : "");
  else sentences.push(data.by_step ? changesInWords(old, now) : changeInWords(before[0], scores[0]));
  whatIfPart("words").replaceChildren(...sentences.filter(Boolean).map((words) => element("p", "", words)));
  const strips = whatIfPart("strips");
  strips.closest(".scroller").hidden = !scores || !data.by_step;
  if (scores && data.by_step) {
    strips.style.setProperty("--columns", data.steps);
    strips.style.setProperty("--column", `${columnWidth}px`);
    const row = (names, told) => {
      const tokens = data.tokens.map((token, step) => {
        const part = element("span", `token k${classIndex(names[step]) % 9}`, tokenText(token));
        part.title = `${stepName(step)}, ${names[step]}`;
        part.classList.toggle("changed", told && names[step] !== old[step]);
        return part;
      });
      return element("div", "tokens track", tokens);
    };
    const label = (words) => element("div", "labels quiet", words);
    strips.replaceChildren(label("as it was"), row(old, false), label("changed"), row(now, true));
    strips.ariaHidden = "true"; // the words above say what changes
    bringIntoView(strips.querySelector(".changed"));
  }
  const { layer, direction, unit } = setting;
  const shown = [...new Set([setting.name, ...["c", "h"].filter((name) => data.maps.includes(name))])];
  const curves = shown
    .filter((name) => unit < widthOf(name))
    .map((name) => {
      const of = (run) => data.tokens.map((_, step) => run(name, layer, direction)[step * widthOf(name) + unit]);
      return comparison(name, `of ${unitInWords(setting)}`, of(field), of(numbers), data.directions[direction]);
    });
  if (scores && data.by_step) {
    const share = (rows) => rows.map((row, step) => probabilities(row)[likeliestOf(before[step])]);
    curves.push(comparison("probability", "of the label as it was", share(before), share(scores), "plain"));
  }
  whatIfPart("charts").replaceChildren(...curves);
}

function changesInWords(old, now) {
  const changes = old.flatMap((name, step) => (name === now[step] ? [] : [step]));
  if (!changes.length) return "No label changes.";
  const told = changes.slice(0, MOST_CHANGES).map((step) => `${stepName(step)} ${short(old[step])} → ${short(now[step])}`);
  if (changes.length > told.length) told.push(`${changes.length - told.length} others`);
  return `${changes.length} of ${old.length} labels ${changes.length === 1 ? "changes" : "change"}: ${told.join(", ")}.`;
}

function changeInWords(before, after) {
  const [old, now] = [before, after].map(likeliestOf);
  const names = data.what_if.classes;
  const share = [before, after].map((row) => written(probabilities(row)[old]));
  const first = old === now ? `The label stays ${short(names[old])}` : `The label changes: ${short(names[old])} → ${short(names[now])}`;
  return `${first}; the probability of ${short(names[old])} goes from ${share[0]} to ${share[1]}.`;
}

/** Two curves over the steps, as it was dashed. */
function comparison(title, what, before, after, direction) {
  const [W, H, left, right, top, bottom] = [280, 150, 44, 6, 8, 34];
  const all = [...before, ...after].filter(isFinite);
  let [low, high] = [Math.min(0, ...all), Math.max(0, ...all)];
  if (low === high) high = 1;
  const x = (step) => left + ((step + 0.5) / data.steps) * (W - left - right);
  const y = (v) => top + ((high - v) / (high - low)) * (H - top - bottom);
  const differences = after.map((v, step) => Math.abs(v - before[step]) || 0); // NaN has no size
  const most = differences.indexOf(Math.max(...differences));
  const told = `largest change ${written(after[most] - before[most])} at ${stepName(most)}`;
  const image = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `${title} ${what}: ${told}` });
  for (const v of new Set([low, 0, high])) {
    image.append(svg("line", { class: "grid", x1: left, x2: W - right, y1: y(v), y2: y(v) }));
    image.append(svg("text", { x: left - 6, y: y(v) + 4, "text-anchor": "end" }, String(Number(v.toPrecision(2)))));
  }
  for (const step of ticks(data.steps, 8))
    image.append(svg("text", { x: x(step), y: H - bottom + 14, "text-anchor": "middle" }, String(step)));
  image.append(svg("text", { x: (left + W - right) / 2, y: H - 4, "text-anchor": "middle" }, "step"));
  for (const [values, dashed] of [[after, ""], [before, " dashed"]]) {
    let path = "";
    values.forEach((v, step) => {
      if (!isFinite(v)) return; // a gap
      path += `${isFinite(values[step - 1]) ? "L" : "M"}${x(step).toFixed(1)} ${y(v).toFixed(1)}`;
    });
    if (path) image.append(svg("path", { class: `curve ${direction}${dashed}`, d: `${path}h0` }));
  }
  return element("figure", "", [element("figcaption", "", [element("b", "", title), ` ${what}`]), image, element("p", "told", told)]);
}

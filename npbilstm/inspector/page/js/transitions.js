// What a CRF has learned of neighbours: a table of scores, of the tag in a column right after that of a row.

const pairs = { cells: [], outlined: null };

/** The table; blue below 0 and orange above, the more the larger. */
function buildTransitions() {
  const found = data.transitions;
  document.getElementById("transitions").hidden = !found;
  if (!found) return;
  const isNumber = (score) => typeof score === "number";
  const { largest } = extent(found.map((row) => row.filter(isNumber)));
  const name = (scope, tag) => Object.assign(element("th", "", tokenText(tag)), { scope });
  const cellOf = (score) => {
    const cell = element("td", "", isNumber(score) ? score.toFixed(2) : (score ?? ""));
    const part = isNumber(score) && largest ? (0.6 * Math.abs(score)) / largest : 0;
    cell.style.background = `rgb(${score < 0 ? "47 116 181" : "208 106 28"} / ${part.toFixed(3)})`;
    return cell;
  };
  pairs.cells = found.map((row) => row.map(cellOf));
  const rows = pairs.cells.map((cells, i) => element("tr", "", [name("row", ["start", ...data.tags][i]), ...cells]));
  const head = element("tr", "", [element("td"), ...[...data.tags, "end"].map((tag) => name("col", tag))]);
  document.querySelector("#transitions table").replaceChildren(head, ...rows);
}

/** An outline on the pair of the tag that the model reads at the chosen step and the one before, and its words. */
function markTransitions({ step }) {
  if (!data.transitions) return;
  const row = step ? 1 + data.tags.indexOf(data.predicted[step - 1]) : 0;
  const column = data.tags.indexOf(data.predicted[step]);
  pairs.outlined?.classList.remove("chosen");
  pairs.outlined = pairs.cells[row][column];
  pairs.outlined.classList.add("chosen");
  const before = step ? visible(data.predicted[step - 1]) : "the beginning";
  const score = pairs.outlined.textContent;
  say("transitions-told", `${stepName(step)}: ${visible(data.predicted[step])} right after ${before}, score ${score}`);
}

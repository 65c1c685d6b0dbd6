"""The verdict: every entry of a gradient, and the whole along a random direction, against numerical derivatives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from npbilstm.gradcheck.comparison import BLURRED, Comparison, make_comparison
from npbilstm.gradcheck.complex_step import NotAnalyticError, require_complex_loss
from npbilstm.gradcheck.convergence import order_of, study_line
from npbilstm.gradcheck.entries import compare, rows_of, sentence_on_kinks, sparkline_of
from npbilstm.gradcheck.numerical import METHODS
from npbilstm.gradcheck.options import CheckOptions
from npbilstm.gradcheck.report import GradientReport
from npbilstm.gradcheck.results import Convergence, DirectionRow, NotJudged, ParameterRow
from npbilstm.gradcheck.values import Arrays, Loss, along, value_at_point


def judge(
    loss: Loss,
    point: Arrays,
    judged: Arrays,
    options: CheckOptions,
    notes: Sequence[str] = (),
    findings: Sequence[str] = (),
    single: bool = False,
    left_out: Sequence[NotJudged] = (),
) -> GradientReport:
    """Judge the gradient; see check_gradients.

    notes, findings: sentences on what the caller has seen; a finding is a fault. single: whether the loss is made of
    numbers of single precision. left_out: what the loss does not see.
    """
    at, at_single, changed = value_at_point(loss, point)
    notes = list(notes)
    if changed:
        notes.append(
            f"loss changes {', '.join(changed)} in place. It was given copies, so nothing is spoiled here; where it is "
            "not, every later call starts from other numbers."
        )
    v = random_direction(point, options.seed)
    line = study_line(along(loss, point, v, np.float64), at, single or at_single)

    def outcome(method: str) -> GradientReport:
        comparison = make_comparison(loss, point, judged, v, at, line, METHODS[method], options)
        return report_on(comparison, options, notes, findings, left_out)

    if options.method not in ("auto", "complex"):
        return outcome(options.method)
    try:
        require_complex_loss(loss, point, v, at, line)
        return outcome("complex")
    except NotAnalyticError as reason:
        if options.method == "complex":
            raise ValueError(f'{reason}; mend that, or use method="central"') from reason
        notes.append(
            f"The complex step is impossible here: {reason}. Richardson's extrapolation, central differences of two "
            "steps combined, was used instead."
        )
    return outcome("richardson")


def random_direction(point: Arrays, seed: int) -> Arrays:
    """One random vector through all parameters: of length 1, before large parameters stretch it."""
    rng = np.random.default_rng(seed)
    v = {name: rng.standard_normal(p.shape) for name, p in point.items()}
    norm = np.sqrt(sum((part**2).sum() for part in v.values()))
    return {name: part / (norm or 1.0) * np.maximum(1.0, np.abs(point[name])) for name, part in v.items()}


def report_on(
    comparison: Comparison,
    options: CheckOptions,
    notes: Sequence[str],
    findings: Sequence[str],
    left_out: Sequence[NotJudged],
) -> GradientReport:
    """Compare everything. Raises NotAnalyticError where differences prove the complex step wrong."""
    rng = np.random.default_rng(options.seed)
    compared = {name: compare(comparison, name, options, rng) for name in comparison.judged}
    rows = [row for each in compared.values() for row in rows_of(comparison, each, options)]
    if not comparison.analytic:
        require_short_step(comparison)
        require_resolution(comparison, rows)
    direction = judge_direction(comparison, all(row.ok and row.checked == row.size for row in rows))
    notes = [*notes, *notes_on(comparison, rows, direction)]
    notes += [sentence for each in compared.values() for sentence in sentence_on_kinks(each)]
    return GradientReport(
        rows=rows,
        direction=direction,
        method=comparison.method.title,
        tolerance=comparison.tolerance,
        convergence=convergence_of(comparison, direction),
        sparklines=tuple(sparkline_of(compared[name], axis) for name, axis in (options.time or {}).items()),
        notes=tuple(notes),
        findings=tuple(findings),
        not_judged=(*left_out, *filter(None, map(not_compared, rows))),
    )


def not_compared(row: ParameterRow) -> NotJudged | None:
    """Why nothing is said of a row; None where something is."""
    if row.checked:
        return None
    name = f"{row.name} (block {row.block})" if row.block else row.name
    return NotJudged(name, "none of its entries was compared" if row.size else "it holds no numbers")


def require_short_step(comparison: Comparison) -> None:
    """Raise where the step that was asked for is so long, or so short, that differences are no derivative."""
    truth = comparison.line.study
    error = abs(comparison.directional_derivative - truth.derivative)
    if comparison.step_given and not truth.kink and error - truth.error - comparison.blur > 0.1 * abs(truth.derivative):
        raise ValueError(
            f"step is {comparison.step:g}, at which differences are {error:.1e} away from a derivative of "
            f"{truth.derivative:.1e}; it needs to be {'shorter' if comparison.step > 1e-5 else 'longer'}, or None"
        )


def require_resolution(comparison: Comparison, rows: list[ParameterRow]) -> None:
    """Raise where differences cannot judge a parameter, its gradient being drowned in the loss's round-off.

    A gradient that is itself but round-off of the others counts as 0, which noise does not hide.
    """
    for name, got in comparison.judged.items():
        size = np.abs(got[np.isfinite(got)]).max(initial=0.0)
        expected = [abs(row.expected) for row in rows if row.name == name and row.checked]
        if expected and size > 1e-9 * comparison.largest and comparison.blur > 0.1 * max(size, *expected):
            raise ValueError(
                f"differences cannot judge grads[{name!r}]: round-off in the loss blurs them by {comparison.blur:.0e}, "
                f'and the gradient is about {size:.0e}; use method="complex", a larger step, or a loss without a large '
                "constant (or does the loss jump here: round, argmax, a comparison?)"
            )


def judge_direction(comparison: Comparison, settled: bool) -> DirectionRow:
    """d loss(params + t v) / dt against <grads, v>: by the complex step, or by the study of differences.

    settled: whether all entries were checked and are right. At a kink that decides: where several meet, right
    gradients reach beyond the derivatives from both sides.
    """
    truth = comparison.line.study
    expected = comparison.directional_derivative
    terms = np.concatenate([(comparison.judged[name] * v).ravel() for name, v in comparison.v.items()])
    with np.errstate(invalid="ignore"):
        got = float(terms.sum())
    size = np.sqrt((terms[np.isfinite(terms)] ** 2).sum())
    error = 0.0
    if (
        not comparison.step_given
        and not comparison.analytic
        and not truth.kink
        and truth.error < 0.01 * max(abs(truth.derivative), size)
    ):
        expected, error = truth.derivative, 3 * truth.error
    scale = max(abs(expected), size)
    slack = comparison.tolerance * scale + comparison.blur
    right = abs(got - expected) <= slack + error
    if truth.kink and not right and not comparison.step_given:
        right = settled or truth.kink.admits(got, slack)
        expected = got if settled else truth.kink.nearest(got, slack)
    relative = abs(got - expected) / scale if scale else 0.0
    return DirectionRow(float(expected), got, float(relative), bool(right))


def convergence_of(comparison: Comparison, direction: DirectionRow) -> Convergence:
    """How the differences along the random direction approach what was got."""
    truth, noise = comparison.line.study, comparison.line.noise
    errors = np.abs(truth.differences - direction.got)
    known = errors.size > 0 and bool(np.isfinite(direction.got))
    lowest = int(np.argmin(errors)) if known else 0
    return Convergence(
        steps=tuple(truth.steps.tolist()),
        differences=tuple(truth.differences.tolist()),
        expected=direction.expected,
        got=direction.got,
        order=order_of(truth.steps, errors, noise) if known else None,
        floor=float(errors[lowest]) if known else None,
        floor_step=float(truth.steps[lowest]) if known else None,
        sides=(truth.kink.low, truth.kink.high) if truth.kink else None,
    )


def notes_on(comparison: Comparison, rows: list[ParameterRow], direction: DirectionRow) -> list[str]:
    """Sentences on what says little, misleads, or is common to all rows."""
    notes = []
    if comparison.line.blurred and comparison.tolerance >= BLURRED["tolerance"]:
        notes.append(
            "The loss is blurred as float32 inside the code blurs it: its values are exact to "
            f"{comparison.line.noise:.0e} only. The check cannot see mistakes below {comparison.tolerance:.0e}; run "
            "the code in float64 while you check."
        )
    if comparison.line.study.kink and not any("kink" in row.flags for row in rows):
        notes.append(
            "The loss has a kink at the point along a random direction (a tie in max, sort?), and none along any entry "
            "alone. Each entry was checked by itself; whether they are right together cannot be told at this point."
        )
    if not direction.expected and not any(row.expected for row in rows):
        right = direction.ok and all(row.ok for row in rows)
        notes.append(
            "The loss did not change with any parameter, so a gradient of zeros was all there was to check."
            if right
            else "The loss did not change with any parameter: does it use the dict it is given, or arrays of its own?"
        )
    ratios = {row.flags for row in rows if row.checked and (row.expected or row.got)}
    flag = next(iter(ratios)) if len(ratios) == 1 else ()
    if len(rows) > 1 and flag and flag[0].startswith(("constant ratio", "sign")):
        notes.append(
            f"All of it alike: {flag[0]}. Look at the factor in front of the loss (2, 1/N, 1/T, the sign) before you "
            "look at any equation."
        )
    return notes

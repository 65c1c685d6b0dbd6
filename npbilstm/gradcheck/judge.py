"""The verdict: every entry of a gradient, and the whole along a random direction, against numerical derivatives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from npbilstm.gradcheck.case import BLURRED, Case, make_case
from npbilstm.gradcheck.complex_step import NotAnalyticError, require_complex_loss
from npbilstm.gradcheck.convergence import order_of, study_line
from npbilstm.gradcheck.entries import compare, rows_of, sentence_on_kinks, strip_of
from npbilstm.gradcheck.numerical import METHODS
from npbilstm.gradcheck.report import Convergence, DirectionRow, GradientReport, NotJudged, ParameterRow
from npbilstm.gradcheck.settings import Settings
from npbilstm.gradcheck.values import Arrays, Loss, along, value_at_point


def judge(
    loss: Loss,
    point: Arrays,
    judged: Arrays,
    settings: Settings,
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
    v = random_direction(point, settings.seed)
    line = study_line(along(loss, point, v, np.float64), at, single or at_single)

    def outcome(method: str) -> GradientReport:
        case = make_case(loss, point, judged, v, at, line, METHODS[method], settings)
        return report_on(case, settings, notes, findings, left_out)

    if settings.method not in ("auto", "complex"):
        return outcome(settings.method)
    try:
        require_complex_loss(loss, point, v, at, line)
        return outcome("complex")
    except NotAnalyticError as reason:
        if settings.method == "complex":
            raise ValueError(f'{reason}; mend that, or use method="central"') from reason
        notes.append(f"The complex step is impossible here: {reason}. Richardson's extrapolation was used instead.")
    return outcome("richardson")


def random_direction(point: Arrays, seed: int) -> Arrays:
    """One random vector through all parameters: of length 1, before large parameters stretch it."""
    rng = np.random.default_rng(seed)
    v = {name: rng.standard_normal(p.shape) for name, p in point.items()}
    norm = np.sqrt(sum((part**2).sum() for part in v.values()))
    return {name: part / (norm or 1.0) * np.maximum(1.0, np.abs(point[name])) for name, part in v.items()}


def report_on(
    case: Case, settings: Settings, notes: Sequence[str], findings: Sequence[str], left_out: Sequence[NotJudged]
) -> GradientReport:
    """Compare everything. Raises NotAnalyticError where differences prove the complex step wrong."""
    rng = np.random.default_rng(settings.seed)
    compared = {name: compare(case, name, settings, rng) for name in case.judged}
    rows = [row for each in compared.values() for row in rows_of(case, each, settings)]
    if not case.analytic:
        require_short_step(case)
        require_resolution(case, rows)
    direction = judge_direction(case, all(row.ok and row.checked == row.size for row in rows))
    notes = [*notes, *notes_on(case, rows, direction)]
    notes += [sentence for each in compared.values() for sentence in sentence_on_kinks(each)]
    return GradientReport(
        rows=rows,
        direction=direction,
        method=case.how.title,
        tolerance=case.tolerance,
        convergence=convergence_of(case, direction),
        strips=tuple(strip_of(compared[name], axis) for name, axis in (settings.time or {}).items()),
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


def require_short_step(case: Case) -> None:
    """Raise where the step that was asked for is so long, or so short, that differences are no derivative."""
    truth = case.line.study
    error = abs(case.quick - truth.derivative)
    if case.alone and not truth.kink and error - truth.error - case.blur > 0.1 * abs(truth.derivative):
        raise ValueError(
            f"step is {case.step:g}, at which differences are {error:.1e} away from a derivative of "
            f"{truth.derivative:.1e}; it needs to be {'shorter' if case.step > 1e-5 else 'longer'}, or None"
        )


def require_resolution(case: Case, rows: list[ParameterRow]) -> None:
    """Raise where differences cannot judge a parameter, its gradient being drowned in the loss's round-off.

    A gradient that is itself but round-off of the others counts as 0, which noise does not hide.
    """
    for name, got in case.judged.items():
        size = np.abs(got[np.isfinite(got)]).max(initial=0.0)
        expected = [abs(row.expected) for row in rows if row.name == name and row.checked]
        if expected and size > 1e-9 * case.largest and case.blur > 0.1 * max(size, *expected):
            raise ValueError(
                f"differences cannot judge grads[{name!r}]: round-off in the loss blurs them by {case.blur:.0e}, and "
                f'the gradient is about {size:.0e}; use method="complex", a larger step, or a loss without a large '
                "constant (or does the loss jump here: round, argmax, a comparison?)"
            )


def judge_direction(case: Case, settled: bool) -> DirectionRow:
    """d loss(params + t v) / dt against <grads, v>: by the complex step, or by the study of differences.

    settled: whether all entries were checked and are right. At a kink that decides: where several meet, right
    gradients reach beyond the derivatives from both sides.
    """
    truth = case.line.study
    expected = case.quick
    terms = np.concatenate([(case.judged[name] * v).ravel() for name, v in case.v.items()])
    with np.errstate(invalid="ignore"):
        got = float(terms.sum())
    size = np.sqrt((terms[np.isfinite(terms)] ** 2).sum())
    error = 0.0
    if (
        not case.alone
        and not case.analytic
        and not truth.kink
        and truth.error < 0.01 * max(abs(truth.derivative), size)
    ):
        expected, error = truth.derivative, 3 * truth.error
    scale = max(abs(expected), size)
    slack = case.tolerance * scale + case.blur
    right = abs(got - expected) <= slack + error
    if truth.kink and not right and not case.alone:
        right = settled or truth.kink.admits(got, slack)
        expected = got if settled else truth.kink.nearest(got, slack)
    relative = abs(got - expected) / scale if scale else 0.0
    return DirectionRow(float(expected), got, float(relative), bool(right))


def convergence_of(case: Case, direction: DirectionRow) -> Convergence:
    """How the differences along the random direction approach what was got."""
    truth, noise = case.line.study, case.line.noise
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


def notes_on(case: Case, rows: list[ParameterRow], direction: DirectionRow) -> list[str]:
    """Sentences on what says little, misleads, or is common to all rows."""
    notes = []
    if case.line.blurred and case.tolerance >= BLURRED["tolerance"]:
        notes.append(
            "The loss is blurred as float32 inside the code blurs it: its values are exact to "
            f"{case.line.noise:.0e} only. The check cannot see mistakes below {case.tolerance:.0e}; run the code in "
            "float64 while you check."
        )
    if case.line.study.kink and not any("kink" in row.flags for row in rows):
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

"""One parameter, entry by entry: quickly first, and what fails once more with a row of steps."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from npbilstm.gradcheck.blocks import Blocks, block_index, place_along
from npbilstm.gradcheck.comparison import Comparison
from npbilstm.gradcheck.complex_step import NotAnalyticError
from npbilstm.gradcheck.convergence import Kink
from npbilstm.gradcheck.flags import flags_of
from npbilstm.gradcheck.options import CheckOptions
from npbilstm.gradcheck.results import ParameterRow, Sparkline


class Compared(NamedTuple):
    """Entries of one parameter, counted flat in `chosen`: got against expected, and which of them are right.

    scale: the parameter's own; see ParameterRow. kinks: by position in chosen.
    """

    name: str
    shape: tuple[int, ...]
    chosen: np.ndarray
    got: np.ndarray
    expected: np.ndarray
    right: np.ndarray
    scale: float
    kinks: dict[int, Kink]

    @property
    def difference(self) -> np.ndarray:
        """|got - expected|, infinite where that is no number."""
        with np.errstate(invalid="ignore"):
            difference = np.abs(self.got - self.expected)
        return np.where(np.isnan(difference), np.inf, difference)

    def where(self, k: int) -> tuple[int, ...]:
        """Where in the parameter an entry stands."""
        return tuple(int(i) for i in np.unravel_index(self.chosen[k], self.shape))


def compare(comparison: Comparison, name: str, options: CheckOptions, rng: np.random.Generator) -> Compared:
    """Compare one parameter's entries with their numerical derivatives.

    Those that fail are examined, the worst of each block first, until one is confirmed: the others are as wrong as
    they look. A kink near the point, or a step too long or too short for this parameter, is not a wrong gradient. And
    where the method fails even along the line, all are examined.
    """
    got = comparison.judged[name]
    chosen = np.arange(got.size)
    if options.entries is not None:
        _, parts = blocks_of(name, got.shape, chosen, options)
        chosen = np.sort(np.concatenate([rng.permutation(part)[: options.entries] for part in parts]))
    expected = np.array([comparison.derivative(name, k) for k in chosen.tolist()], dtype=float)
    picked = got.reshape(-1)[chosen]
    compared = Compared(name, got.shape, chosen, picked, expected, np.ones(len(chosen), bool), 0.0, {})
    scale = scale_of(comparison, compared)
    compared = compared._replace(
        scale=scale, right=compared.difference <= comparison.tolerance * scale + comparison.blur
    )
    doubtful = ~compared.right | (not comparison.trusted)
    if comparison.step_given or not doubtful.any():
        return compared
    for members in blocks_of(name, got.shape, chosen, options)[1]:
        candidates = members[doubtful[members]]
        for k in candidates[np.argsort(-compared.difference[candidates], kind="stable")].tolist():
            if not examine(comparison, compared, k):
                break
    return compared._replace(scale=scale_of(comparison, compared))


def scale_of(comparison: Comparison, compared: Compared) -> float:
    """The parameter's largest |expected| or |got|, but at least a millionth of the whole gradient's."""
    got = comparison.judged[compared.name]
    largest = np.abs(got[np.isfinite(got)]).max(initial=0.0)
    return float(max(np.abs(compared.expected).max(initial=0.0), largest, 1e-6 * comparison.largest))


def examine(comparison: Comparison, compared: Compared, k: int) -> bool:
    """Look at an entry with a row of steps, and correct what is known of it. -> whether it is right.

    An entry too small for the row to tell stays as it was judged. Raises NotAnalyticError where the row proves the
    complex step wrong.
    """
    entry = int(compared.chosen[k])
    truth = comparison.study(compared.name, entry)
    got, expected = float(compared.got[k]), float(compared.expected[k])
    size = abs(got) if np.isfinite(got) else 0.0
    slack = comparison.tolerance * max(size, abs(truth.derivative)) + comparison.blur
    if truth.kink:
        compared.kinks[k] = truth.kink
        compared.right[k] = truth.kink.admits(got, slack)
        compared.expected[k] = truth.kink.nearest(got, slack)
    elif comparison.analytic:
        if truth.contradicts(expected):
            place = f"{compared.name}{list(compared.where(k))}"
            raise NotAnalyticError(
                f"at {place} it gives {expected:.6g} where differences give {truth.derivative:.6g}: "
                "in one term of the loss the imaginary part is lost"
            )
    elif truth.error < 0.01 * max(size, abs(truth.derivative)):
        compared.expected[k] = truth.derivative
        compared.right[k] = abs(got - truth.derivative) <= slack + 3 * truth.error
    return bool(compared.right[k])


def blocks_of(
    name: str, shape: tuple[int, ...], chosen: np.ndarray, options: CheckOptions
) -> tuple[tuple[str, ...], list[np.ndarray]]:
    """The names of a parameter's blocks, and which of the chosen entries each holds; one without a name where there are
    none."""
    blocks: Blocks | None = (options.blocks or {}).get(name)  # type: ignore[assignment]
    if blocks is None:
        return ("",), [np.arange(len(chosen))]
    place = block_index(shape, blocks, chosen)
    return tuple(blocks.names), [np.flatnonzero(place == b) for b in range(len(blocks.names))]


def rows_of(comparison: Comparison, compared: Compared, options: CheckOptions) -> list[ParameterRow]:
    """One row per block."""
    names, members = blocks_of(compared.name, compared.shape, compared.chosen, options)
    size = int(np.prod(compared.shape)) // len(names)
    return [parameter_row(comparison, compared, block, size, chosen) for block, chosen in zip(names, members)]


def parameter_row(
    comparison: Comparison, compared: Compared, block: str, size: int, members: np.ndarray
) -> ParameterRow:
    """The row of some entries: the worst that is wrong, or the worst of all."""
    facts: dict[str, Any] = {"name": compared.name, "block": block, "shape": compared.shape, "size": size}
    if not members.size:
        return ParameterRow(**facts, checked=0, absolute=0.0, relative=0.0, index=(), expected=0.0, got=0.0, ok=None)
    wrong = members[~compared.right[members]]
    shown = wrong if wrong.size else members
    worst = int(shown[np.argmax(compared.difference[shown])])
    absolute = float(abs(compared.got[worst] - compared.expected[worst]))
    return ParameterRow(
        **facts,
        checked=len(members),
        absolute=absolute,
        relative=absolute / compared.scale if compared.scale else 0.0,
        index=compared.where(worst),
        expected=float(compared.expected[worst]),
        got=float(compared.got[worst]),
        ok=not wrong.size,
        flags=flags_of(
            compared.got[members],
            compared.expected[members],
            not wrong.size,
            any(int(k) in compared.kinks for k in members),
            max(1e-9, 100 * comparison.tolerance),
        ),
    )


def sparkline_of(compared: Compared, axis: int) -> Sparkline:
    """The largest relative error at each step of time, and which steps are wrong."""
    place = place_along(compared.shape, axis, compared.chosen)
    relative = compared.difference / (compared.scale or 1.0)
    steps = [np.flatnonzero(place == t) for t in range(compared.shape[axis])]
    return Sparkline(
        compared.name,
        tuple(float(relative[step].max()) if step.size else None for step in steps),
        tuple(bool((~compared.right[step]).any()) for step in steps),
    )


def sentence_on_kinks(compared: Compared) -> list[str]:
    """What was found at the kinks."""
    if not compared.kinks:
        return []
    k, kink = min(compared.kinks.items())
    more = f" (and at {len(compared.kinks) - 1} more of its entries)" if len(compared.kinks) > 1 else ""
    wrong = [k for k in compared.kinks if not compared.right[k]]
    if wrong:
        k, kink = wrong[0], compared.kinks[wrong[0]]
        said = f"got {compared.got[k]:.6g} lies outside: wrong whichever side is meant"
    else:
        said = "what was got lies between them, and every such number is a gradient there (Clarke 1983): accepted"
    return [
        f"The loss has a kink (relu, abs, max, clip?) at {compared.name}{list(compared.where(k))}{more}: its "
        f"derivatives from the two sides are {kink.low:.6g} and {kink.high:.6g}; {said}."
    ]

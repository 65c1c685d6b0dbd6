"""check_gradients: is this gradient the derivative of this loss? Works on anybody's functions; knows no model."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any

import numpy as np

from npbilstm.gradcheck.numerical import METHODS, Along, Method, central_difference
from npbilstm.gradcheck.report import DirectionRow, GradientReport, ParameterRow

Params = Mapping[str, np.ndarray]
Loss = Callable[[dict[str, np.ndarray]], Any]


def check_gradients(
    loss: Loss,
    params: Params,
    grads: Params,
    method: str = "complex",
    *,
    entries: int | None = None,
    seed: int = 0,
    step: float | None = None,
    tolerance: float | None = None,
) -> GradientReport:
    """Compare grads with numerical derivatives of loss at params.

    loss(params) -> a scalar, for a dict of arrays like params. It is called with fresh copies each time, so whatever it
        does to them, and whatever happens, params is left as it was. It must use the dict it is given.
    params: name -> float64 array. float32 is refused: its round-off alone looks like a wrong gradient.
    grads: name -> array of the same shape, the gradient to be judged.
    method: "complex" (exact to round-off; loss must work on complex arrays), "central" or "richardson".
    entries: how many entries of each parameter to check, a sample drawn with `seed`; None: all. The whole gradient is
        checked besides along one random direction, drawn with `seed` too; entries=0 does only that.
    step, tolerance: instead of the method's own, see numerical.py. An entry passes where |got - expected| is at most
        the tolerance times its parameter's scale (see ParameterRow), plus what round-off alone can do. So a mistake in
        an entry a millionth as large as its neighbours is seen by the complex step, and not by central differences.

    -> GradientReport: `assert report.ok, report`.

    Raises TypeError or ValueError where the question cannot be answered: a wrong dtype or shape, names that differ, a
    loss that is not a finite scalar, differs between two calls or drops the imaginary part of a parameter, a gradient
    too small for differences of so large a loss.
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; it needs one of {', '.join(map(repr, METHODS))}")
    if entries is not None and (isinstance(entries, bool) or not isinstance(entries, Integral) or entries < 0):
        raise ValueError(f"entries is {entries!r}; it needs a whole number from 0, or None for all")
    for name, number in [("step", step), ("tolerance", tolerance)]:
        if number is not None and not (np.isfinite(number) and number > 0):
            raise ValueError(f"{name} is {number!r}; it needs a positive number")
    point, judged = checked_arrays(params, grads)
    how = METHODS[method]
    step = how.step if step is None else step
    tolerance = how.tolerance if tolerance is None else tolerance
    at_point = value_at_point(loss, point)
    rng = np.random.default_rng(seed)
    if how.dtype is np.complex128:
        require_complex_loss(loss, point, at_point)
    largest = max((np.abs(g[np.isfinite(g)]).max(initial=0.0) for g in judged.values()), default=0.0)
    # what cannot be told from 0: round-off, which differences divide by their step
    eps = np.finfo(float).eps
    noise = 16 * eps * largest if how.dtype is np.complex128 else 8 * eps * abs(at_point) / step

    rows = []
    for name, got in judged.items():
        size = got.size
        chosen = np.arange(size) if entries is None else np.sort(rng.permutation(size)[:entries])
        expected = np.array([entry_derivative(loss, point, name, k, how, step) for k in chosen.tolist()])
        row = parameter_row(name, got, chosen, expected, tolerance, noise, largest)
        if how.dtype is np.float64:
            require_resolution(row, got, noise, largest)
        rows.append(row)
    direction = direction_row(loss, point, judged, how, step, tolerance, noise, rng)
    return GradientReport(rows, direction, how.title, tolerance, note_on(rows, direction))


def checked_arrays(params: Params, grads: Params) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Copies of both as plain float64 arrays, or the error that says why they cannot be compared."""
    for label, arrays in [("params", params), ("grads", grads)]:
        if not isinstance(arrays, Mapping):
            raise TypeError(f"{label} is a {type(arrays).__name__}; it needs a dict of name -> array")
    if not params:
        raise ValueError("params is empty; there is nothing to check")
    if set(params) != set(grads):
        missing, extra = sorted(set(params) - set(grads)), sorted(set(grads) - set(params))
        raise ValueError(f"grads must have the names of params; it lacks {missing} and has {extra} besides")
    for label, arrays in [("params", params), ("grads", grads)]:
        for name, array in arrays.items():
            dtype = np.asarray(array).dtype
            if dtype == np.float64:
                continue
            why = "a gradient check needs float64"
            if dtype in (np.float16, np.float32):
                why += f": in {dtype} round-off alone makes right gradients differ in the fourth digit"
            elif dtype.kind in "iub":
                why += ": a small step added to a whole number is lost"
            raise TypeError(
                f"{label}[{name!r}] has dtype {dtype}; {why}. Convert with .astype(np.float64) and run again"
            )
    point = {name: np.array(array, np.float64, order="C", subok=False) for name, array in params.items()}
    judged = {name: np.array(grads[name], np.float64, order="C", subok=False) for name in params}
    for name in point:
        if judged[name].shape != point[name].shape:
            raise ValueError(
                f"grads[{name!r}] has shape {judged[name].shape}; params[{name!r}] has {point[name].shape}"
            )
    return point, judged


def evaluate(loss: Loss, params: dict[str, np.ndarray]) -> Any:
    """The loss as a scalar, or ValueError."""
    value = np.asarray(loss(params))
    if value.size != 1 or value.dtype.kind not in "fciu":
        raise ValueError(f"loss returned an array of shape {value.shape} and dtype {value.dtype}; it needs one number")
    if not np.isfinite(value).all():
        raise ValueError(f"loss is {value.reshape(())} at the params or a step away; a check needs finite numbers")
    return value.reshape(())[()]


def value_at_point(loss: Loss, point: dict[str, np.ndarray]) -> float:
    """The loss at the point itself, computed twice: a check makes sense only of a function."""
    first, second = (evaluate(loss, {name: p.copy() for name, p in point.items()}) for _ in range(2))
    if first != second:
        raise ValueError(
            f"loss gave {first!r} and then {second!r} for the same params; it needs to be deterministic "
            "(is a dropout mask or a batch drawn anew at every call, or state carried from call to call?)"
        )
    return float(np.real(first))


def require_complex_loss(loss: Loss, point: dict[str, np.ndarray], at_point: float) -> None:
    """Raise unless the loss lets complex numbers through: a dropped imaginary part looks like a zero gradient.

    Each parameter by itself: moved into the complex plane along one random direction the loss must gain an imaginary
    part, unless it does not depend on the parameter at all, as central differences tell.
    """
    advice = '(a np.zeros buffer, abs, norm, maximum, .real, a cast?); mend that, or use method="central"'
    rng = np.random.default_rng(0)
    h = METHODS["central"].step
    for name, p in point.items():
        v = {name: rng.standard_normal(p.shape)}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Casting complex values to real")
            moved = along(loss, point, v, np.complex128)(1e-20j)
        if np.iscomplexobj(moved) and moved.imag != 0:
            continue
        slope = central_difference(along(loss, point, v, np.float64), h)
        if abs(slope) > 100 * np.finfo(float).eps * max(abs(at_point), 1e-300) / h:
            raise ValueError(
                f"loss does not change when {name!r} becomes complex, though it depends on it: "
                f"somewhere the imaginary part is lost {advice}"
            )


def require_resolution(row: ParameterRow, got: np.ndarray, noise: float, largest: float) -> None:
    """Raise where differences cannot judge a parameter, its gradient being drowned in the loss's round-off.

    A gradient that is itself but round-off of the others counts as 0, which noise does not hide.
    """
    size = np.abs(got[np.isfinite(got)]).max(initial=0.0)
    if row.checked and size > 1e-9 * largest and noise > 0.1 * max(size, abs(row.expected)):
        raise ValueError(
            f"differences cannot judge grads[{row.name!r}]: round-off in the loss blurs them by {noise:.0e}, and the "
            f'gradient is about {size:.0e}; use method="complex", a larger step, or a loss without a large constant'
        )


def along(loss: Loss, point: dict[str, np.ndarray], v: dict[str, np.ndarray], dtype: type) -> Along:
    """The loss as a function of t at point + t v; parameters that v lacks stay. All are fresh arrays of this dtype."""

    def at(t: complex) -> Any:
        trial: dict[str, np.ndarray] = {name: p.astype(dtype) for name, p in point.items()}
        for name, direction in v.items():
            trial[name] += t * direction
        return evaluate(loss, trial)

    return at


def entry_derivative(loss: Loss, point: dict[str, np.ndarray], name: str, k: int, how: Method, step: float) -> float:
    """The numerical derivative of the loss with respect to entry k (counted flat) of one parameter."""
    p = point[name]
    unit = np.zeros_like(p)
    unit.reshape(-1)[k] = 1
    return how.derivative(along(loss, point, {name: unit}, how.dtype), step * how.stretch(p.reshape(-1)[k]))


def parameter_row(
    name: str,
    got: np.ndarray,
    chosen: np.ndarray,
    expected: np.ndarray,
    tolerance: float,
    noise: float,
    largest: float,
) -> ParameterRow:
    """Compare one parameter's chosen entries with their numerical derivatives."""
    if not chosen.size:
        return ParameterRow(name, got.shape, 0, got.size, 0.0, 0.0, (), 0.0, 0.0, True)
    picked = got.reshape(-1)[chosen]
    difference = np.abs(picked - expected)
    scale = max(np.abs(expected).max(), np.abs(got[np.isfinite(got)]).max(initial=0.0), 1e-6 * largest)
    worst = int(np.argmax(np.where(np.isnan(difference), np.inf, difference)))
    absolute = float(difference[worst])
    return ParameterRow(
        name=name,
        shape=got.shape,
        checked=len(chosen),
        size=got.size,
        absolute=absolute,
        relative=float(absolute / scale) if scale else 0.0,
        index=tuple(int(k) for k in np.unravel_index(chosen[worst], got.shape)),
        expected=float(expected[worst]),
        got=float(picked[worst]),
        ok=bool(absolute <= tolerance * scale + noise),  # scale and noise are finite: NaN and infinity fail
    )


def direction_row(
    loss: Loss,
    point: dict[str, np.ndarray],
    judged: dict[str, np.ndarray],
    how: Method,
    step: float,
    tolerance: float,
    noise: float,
    rng: np.random.Generator,
) -> DirectionRow:
    """One random vector v through all parameters at once: d loss(params + t v) / dt against <grads, v>.

    v has length 1 before it is stretched, see numerical.py.
    """
    v = {name: rng.standard_normal(p.shape) for name, p in point.items()}
    norm = np.sqrt(sum((part**2).sum() for part in v.values()))
    v = {name: part / norm * how.stretch(point[name]) for name, part in v.items()}
    expected = how.derivative(along(loss, point, v, how.dtype), step)
    terms = np.concatenate([(judged[name] * v[name]).ravel() for name in point])
    with np.errstate(invalid="ignore"):
        got = terms.sum()
    scale = max(abs(expected), np.sqrt((terms[np.isfinite(terms)] ** 2).sum()))
    difference = abs(got - expected)
    return DirectionRow(
        expected=float(expected),
        got=float(got),
        relative=float(difference / scale) if scale else 0.0,
        ok=bool(difference <= tolerance * scale + noise),
    )


def note_on(rows: list[ParameterRow], direction: DirectionRow) -> str:
    """A sentence where the loss did not move at all: then the verdict says little."""
    if direction.expected or any(row.expected for row in rows):
        return ""
    if direction.ok and all(row.ok for row in rows):
        return "The loss did not change with any parameter, so a gradient of zeros was all there was to check."
    return "The loss did not change with any parameter: does it use the dict it is given, or arrays of its own?"

"""check_pair: is this backward the gradient of this forward? For pairs of passes with a cache between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from npbilstm.gradcheck.arrays import checked_arrays, notes_on_memory, overlap, require_float64
from npbilstm.gradcheck.judge import judge
from npbilstm.gradcheck.left_out import left_out, notes_on_left_out
from npbilstm.gradcheck.options import BlocksByName, CheckOptions, Method
from npbilstm.gradcheck.pair_faults import faults_of
from npbilstm.gradcheck.passes import CheckedPair, flat, flat_outs
from npbilstm.gradcheck.report import GradientReport
from npbilstm.gradcheck.tree import flatten, is_number
from npbilstm.gradcheck.values import Arrays, copies, is_single, same


def check_pair(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    inputs: Mapping[str, Any],
    *,
    outputs: Sequence[str] | None = None,
    gradients: Sequence[str] | None = None,
    upstream: Mapping[str, Any] | None = None,
    method: Method = "auto",
    entries: int | None = None,
    seed: int = 0,
    step: float | None = None,
    tolerance: float | None = None,
    blocks: BlocksByName | None = None,
    time: Mapping[str, int] | None = None,
) -> GradientReport:
    """Check a pair of passes, and how they treat what they are given:

        *outs, cache = forward(*inputs.values())
        grads = backward(*upstreams, cache)

    inputs: name -> array of float64, or tuples, lists, dicts, NamedTuples of arrays, params for one, whose arrays are
        then named "params.Wx". What is no array of floating point, lengths or None for two, is passed as it is.
    outputs: the names of the outs; else "out", or "out0", "out1" ... Outs may be nested too.
    gradients: the inputs whose gradients backward gives, in its order; else all that hold floating-point numbers. It
        gives one alone, a tuple, or a dict by name, x or dx; the gradient of a nested input is nested in the same way.
    upstream: name of an out (or of an array in a nested one) -> the gradient that comes from above. For those that are
        not given it is random, drawn with `seed`. The loss is the sum of all outs, each times its upstream gradient.
    The rest as for check_gradients; arrays go by their flat names.

    -> GradientReport, whose findings are faults beside the numbers: two backward calls on one cache that disagree, or
    of which the second stops; inputs or upstream gradients changed in place; a second forward that changes what the
    first cache or output holds; a backward that calls forward again and again, as differences do. What the check does
    not see, an out without numbers say, is named in report.not_judged, and ok is False.

    Raises TypeError or ValueError where forward and backward do not have this form, the message naming what they
    returned, and where check_gradients does.

    >>> def square_forward(x):
    ...     return x * x, x
    >>> def square_backward(dout, x):
    ...     return 2 * x * dout
    >>> nb.check_pair(square_forward, square_backward, {"x": np.array([1.0, 2.0])}).ok
    True
    """
    options = CheckOptions(method, entries, seed, step, tolerance, blocks, time)
    names = wanted(inputs, gradients)
    pair = CheckedPair(forward, backward, dict(inputs), outputs, names)
    for name, array in pair.point.items():
        require_float64(f"inputs[{name!r}]", array)
    outs, cache = pair.run_forward(pair.copied_inputs())
    up = checked_upstream(flat_outs(outs), upstream, seed)
    require_same_outs(flat_outs(outs), flat_outs(pair.run_forward(pair.copied_inputs())[0]))
    grads = pair.run_backward(outs, copies(up), cache)
    point, judged = checked_arrays(pair.point, {name: np.asarray(g, float) for name, g in grads.items()}, "inputs")
    options = options.checked(point)
    single = any(map(is_single, [*flat_outs(outs).values(), *grads.values()]))
    notes = [*notes_on_memory("inputs", pair.point), *notes_on_outs(pair, up), *notes_on_left_out(pair, outs)]

    def loss(params: Arrays) -> Any:
        moved = flat_outs(pair.run_forward(pair.with_arrays(copies(params)))[0])
        return sum((np.asarray(moved[name]) * dout).sum() for name, dout in up.items())

    return judge(loss, point, judged, options, notes, faults_of(pair, up), single, left_out(pair, outs, up))


def wanted(inputs: Mapping[str, Any], gradients: Sequence[str] | None) -> tuple[str, ...]:
    """The inputs whose gradients backward gives, or the error."""
    if not isinstance(inputs, Mapping):
        raise TypeError(f"inputs is a {type(inputs).__name__}; it needs a dict of name -> argument, in forward's order")
    floating = [name for name, value in inputs.items() if flatten(value, name)]
    if isinstance(gradients, str):
        raise TypeError(f"gradients is {gradients!r}; it needs a list of names")
    names = tuple(floating if gradients is None else gradients)
    if not names:
        raise ValueError("inputs holds no array of floating-point numbers; there is nothing to check")
    for name in names:
        if name not in floating:
            why = "that input holds none" if name in inputs else f"there is {', '.join(floating)}"
            raise ValueError(f"gradients names {name!r}, which needs an array of floating-point numbers; {why}")
    return names


def checked_upstream(outs: Mapping[str, Any], upstream: Mapping[str, Any] | None, seed: int) -> Arrays:
    """An upstream gradient for every out: what was given, else random numbers; or the error."""
    if not outs:
        raise ValueError("forward returned no out of floating-point numbers; there is nothing to differentiate")
    if not isinstance(upstream, Mapping | None):
        raise TypeError(f"upstream is a {type(upstream).__name__}; it needs a dict of name of an out -> array")
    given: dict[str, Any] = {}
    for name, value in (upstream or {}).items():
        leaves = flatten(value, name, is_number)
        if not leaves or not set(leaves) <= set(outs):
            raise ValueError(
                f"upstream[{name!r}] needs to be floating-point numbers like an out; the outs are {', '.join(outs)}"
            )
        given.update(leaves)
    rng = np.random.default_rng([seed, 1])
    up = {}
    for name, out in outs.items():
        drawn = rng.standard_normal(np.shape(out))
        up[name] = np.array(given.get(name, drawn), float)
        if up[name].shape != np.shape(out):
            raise ValueError(f"upstream[{name!r}] has shape {up[name].shape}; {name} has {np.shape(out)}")
        if not np.isfinite(up[name]).all():
            raise ValueError(f"upstream[{name!r}] holds numbers that are not finite")
    return up


def require_same_outs(first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
    """Raise ValueError where two forwards of the same inputs differ."""
    for name, out in first.items():
        if name not in second or not np.array_equal(out, second[name], equal_nan=True):
            raise ValueError(
                f"forward gave another {name} for the same inputs at its second call; it needs to be deterministic "
                "(is a dropout mask drawn anew at every call, or state carried from call to call?)"
            )


def notes_on_outs(pair: CheckedPair, up: Arrays) -> list[str]:
    """Sentences on upstream gradients that see little, outs that are views, and outs that depend on nothing."""
    inputs = pair.copied_inputs()
    outs = flat_outs(pair.run_forward(inputs)[0])
    before = copies(outs)
    elsewhere = flat_outs(pair.run_forward(pair.moved_inputs())[0])
    notes = []
    for name, dout in up.items():
        if dout.size > 1 and np.ptp(dout) == 0:
            notes.append(
                f"The upstream gradient of {name} is {dout.flat[0]:g} everywhere, which hides mistakes: swapped "
                "entries, a mean for a sum of them, a wrong order in time look right. Random numbers do not."
            )
        if same(elsewhere[name], before[name]):
            notes.append(f"{name} does not change with any input, so a gradient of zeros is right as far as it goes.")
        for given, array in flat(inputs).items():
            if overlap(np.asarray(outs[name]), array):
                notes.append(
                    f"{name} is a view of {given}: a checker that moves {given} in place moves what it got before "
                    "too, and finds zeros. Here every call has its own copies."
                )
    return notes

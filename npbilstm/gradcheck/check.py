"""check_gradients: is this gradient the derivative of this loss? Works on anybody's functions; knows no model."""

from __future__ import annotations

from collections.abc import Mapping

from npbilstm.gradcheck.arrays import checked_arrays, notes_on_memory
from npbilstm.gradcheck.judge import judge
from npbilstm.gradcheck.options import BlocksByName, CheckOptions, Method
from npbilstm.gradcheck.report import GradientReport
from npbilstm.gradcheck.values import Loss, Params


def check_gradients(
    loss: Loss,
    params: Params,
    grads: Params,
    method: Method = "auto",
    *,
    entries: int | None = None,
    seed: int = 0,
    step: float | None = None,
    tolerance: float | None = None,
    blocks: BlocksByName | None = None,
    time: Mapping[str, int] | None = None,
) -> GradientReport:
    """Compare grads with numerical derivatives of loss at params.

    loss(params) -> a scalar, for a dict of arrays like params. It is called with fresh copies each time, so whatever it
        does to them, and whatever happens, params is left as it was. It must use the dict it is given.
    params: name -> float64 array. float32 is refused: its round-off alone looks like a wrong gradient.
    grads: name -> array of the same shape, the gradient to be judged.
    method: "complex" (exact to round-off; loss must work on complex arrays), "central", "richardson", or "auto": the
        complex step where the loss allows it, else "richardson", and a note that says why.
    entries: how many entries of each parameter to check, or of each of its blocks, a sample drawn with `seed`; None:
        all. The whole gradient is checked besides along one random direction, drawn with `seed` too. entries=0 does
        only that, which is quick: read report.direction.ok; report.ok stays False, since no entry was compared.
    step, tolerance: instead of the method's own, see numerical.py. An entry passes where |got - expected| is at most
        the tolerance times its parameter's scale (see ParameterRow), plus what round-off alone can do. So a mistake in
        an entry a millionth as large as its neighbours is seen by the complex step, and not by central differences. An
        entry that fails is looked at again with a row of steps, see convergence.py, before it is called wrong; not so
        with a `step` of your own, which then decides alone.
    blocks: name -> the names of the equal blocks along its last axis, {"Wx": "ifgo"} for one, or Blocks(names, axis).
        The report then has a row per block.
    time: name -> its time axis; the report then shows where in time the gradient is wrong.

    -> GradientReport: `assert report.ok, report`. ok is True for what was compared and is right; an array without
    numbers is named in report.not_judged, and ok is False.

    Raises TypeError or ValueError where the question cannot be answered: a wrong dtype or shape, names that differ, a
    loss that is not a finite scalar, differs between two calls or drops the imaginary part of a parameter though
    method="complex", a gradient too small for differences of so large a loss.

    >>> def loss(params):
    ...     return (params["w"] ** 3).sum()
    >>> w = np.array([1.0, 2.0])
    >>> report = nb.check_gradients(loss, {"w": w}, {"w": 3 * w**2})
    >>> report.ok
    True
    >>> nb.check_gradients(loss, {"w": w}, {"w": -3 * w**2}).rows[0].flags
    ('sign flipped',)
    """
    options = CheckOptions(method, entries, seed, step, tolerance, blocks, time)
    point, judged = checked_arrays(params, grads)
    notes = [*notes_on_memory("params", params), *notes_on_memory("grads", grads)]
    return judge(loss, point, judged, options.checked(point), notes)

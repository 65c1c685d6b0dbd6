"""Consistency: whether a pair's gradients are the derivatives of the pair's own outputs, whatever these are."""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm.diagnosis.cases import Case
from npbilstm.diagnosis.comparison import SAME
from npbilstm.gradcheck.numerical import METHODS
from npbilstm.submission.errors import FINAL
from npbilstm.submission.function_spec import Arrays


def inconsistent_gradients(pair: Any, case: Case, gradients: Arrays) -> dict[str, float]:
    """The gradients that are not derivatives of the pair's own outputs, with their errors: along a random direction of
    each input by Richardson's extrapolation, for which the code need not take complex numbers."""
    method = METHODS["richardson"]
    rng = np.random.default_rng(0)
    wrong = {}
    for name, grad in gradients.items():
        v = rng.standard_normal(np.shape(grad))

        def loss(t: Any, name: str = name, v: np.ndarray = v) -> Any:
            moved = {**case.inputs, name: case.inputs[name] + t * v}
            outputs = pair.forward({name: np.array(value) for name, value in moved.items()})[0]
            return sum((outputs[out] * d).sum() for out, d in case.upstream.items())

        try:
            expected = method.derivative(loss, method.step)
        except FINAL:
            raise
        except Exception:  # it ran once before: what stops at another call has no derivative
            expected = np.nan
        error = abs((grad * v).sum() - expected) / max(abs(expected), np.sqrt(((grad * v) ** 2).sum()), 1e-12)
        if not error <= SAME:
            wrong[name] = float(error)
    return wrong

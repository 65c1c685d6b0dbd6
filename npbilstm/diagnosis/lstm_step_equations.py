"""Which equation of an LSTM's step is wrong, told from one row at one step and from no catalogue.

Each equation of `lstm_step_backward` is judged given what the submitted code gave for the others. One row's db is
its da; dWx and dWh are outer products with the same da; so three gradients say what da is, and one that disagrees with
the others is wrong by itself. In the same way da_i, da_f, da_g and dc_prev each say what dc is: each is dc times a
number that the forward pass left. What most of them agree on is taken for what the code has; an equation that does not
hold with that is wrong.

The equations themselves are the textbook's: its step is linear in dh and dc, so that what it gives for a dc of 1 are
those numbers, and what it gives for a dh of 1 are those of dh.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from npbilstm import textbook
from npbilstm.diagnosis.comparison import SAME
from npbilstm.submission.function_spec import Arrays


def wrong_equations(inputs: Arrays, dh: np.ndarray, dc: np.ndarray, grads: Arrays) -> list[str]:
    """The equations, by the names of `lstm_step_backward`'s docstring, that do not hold.

    inputs: x (1, D), h_prev and c_prev (1, H), Wx, Wh, b. dh, dc (1, H): the upstream gradients. grads: what the code
    gave for all of the inputs.

    "dh" says that do and dc hold with another dh than that.
    """
    params = textbook.LSTMParams(inputs["Wx"], inputs["Wh"], inputs["b"])
    _, _, cache = textbook.lstm_step_forward(inputs["x"], inputs["h_prev"], inputs["c_prev"], params)
    x, h_prev = inputs["x"][0], inputs["h_prev"][0]
    dx, dh_prev, dc_prev, true = textbook.lstm_step_backward(dh, dc, cache)
    true_da = true.b  # of one row
    weights = {"dWx": true.Wx, "dWh": true.Wh, "db": true.b}
    back = {"x": dx[0], "h_prev": dh_prev[0], "c_prev": dc_prev[0]}
    if all(near(grads[name][0], back[name]) for name in back if name in grads):  # then da is right
        return [name for name, right in weights.items() if name[1:] in grads and not near(grads[name[1:]], right)]

    outer = {"dWx": (grads["Wx"], x), "dWh": (grads["Wh"], h_prev)}
    estimates = [
        *([grads["b"]] if "b" in grads else []),
        *(grad[0] / factor[0] for grad, factor in outer.values() if factor.any()),
    ]
    da = np.concatenate([majority(blocks) for blocks in zip(*(np.split(estimate, 4) for estimate in estimates))])
    of_da = [
        *(name for name, (grad, factor) in outer.items() if not near(grad, np.outer(factor, da))),
        *(["db"] if "b" in grads and not near(grads["b"], da) else []),
        *(
            f"d{name}"
            for name, W in [("x", params.Wx), ("h_prev", params.Wh)]
            if name in grads and not near(grads[name][0], da @ W.T)
        ),
    ]
    parts, true_parts = np.split(da, 4), np.split(true_da, 4)
    moved = [k for k in range(4) if not near(parts[k], true_parts[k])]
    exchanged = len(moved) > 1 and all(any(near(parts[k], true_parts[other]) for other in moved) for k in moved)
    scaled = near(da * true_da[0], true_da * da[0]) and near(grads.get("c_prev", np.zeros(())), dc_prev[0])
    if exchanged or (scaled and moved):
        return ["da", *of_da]

    zero, one = np.zeros_like(cache.f), np.ones_like(cache.f)
    _, _, dc_prev_by_dc, by_dc = textbook.lstm_step_backward(zero, one, cache)
    # where f is 1, dc_prev is dc itself
    _, _, dc_by_dh, by_dh = textbook.lstm_step_backward(one, zero, cache._replace(f=one))
    true_dc = dc[0] + dh[0] * dc_by_dh[0]
    slopes = dict(zip(["di", "df", "dg", "dc_prev"], [*np.split(by_dc.b, 4)[:3], dc_prev_by_dc[0]]))
    values = dict(zip(slopes, [*parts[:3], *grads.get("c_prev", ())]))
    slopes = {name: slopes[name] for name in values if slopes[name].any()}
    total = majority([values[name] / slopes[name] for name in slopes])
    apart = [name for name in slopes if not near(values[name], total * slopes[name])]
    if len(apart) >= len(slopes) - 1:  # no two agree on a dc
        total = true_dc
        apart = [name for name in slopes if not near(values[name], total * slopes[name])]
    own_dh = parts[3] / np.split(by_dh.b, 4)[3]
    if not near(own_dh, dh[0]) and near(total, dc[0] + own_dh * dc_by_dh[0]):
        return ["dh", *apart, *of_da]  # do and dc are right for another dh than was given
    return [
        *(["do"] if not near(parts[3], true_parts[3]) else []),
        *(["dc"] if not near(total, true_dc) else []),
        *apart,
        *of_da,
    ]


def near(got: np.ndarray, expected: np.ndarray) -> bool:
    """Whether two arrays are the same but for round-off."""
    scale = max(np.abs(expected).max(initial=0.0), np.finfo(float).tiny)
    return bool(np.abs(got - expected).max(initial=0.0) <= SAME * scale)


def majority(estimates: Sequence[np.ndarray]) -> np.ndarray:
    """The estimate that most of the others agree with; the first, where none do."""
    votes = [sum(near(one, other) for other in estimates) for one in estimates]
    return estimates[int(np.argmax(votes))]

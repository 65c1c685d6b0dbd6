"""Which equation of an LSTM's step is wrong, told from one row at one step and from no catalogue.

Each equation of `lstm_step_backward` is judged given what the submitted code gave for the others. One row's db is
its da; dWx and dWh are outer products with the same da; so three gradients say what da is, and one that disagrees with
the others is wrong by itself. In the same way di, df, dg and dc_prev are each the same dc times what is known:

    da  from db, from dWx = x^T da, from dWh = h_prev^T da          dx = da Wx^T      dh_prev = da Wh^T
    dc  from da_i = dc g i(1-i), da_f = dc c_prev f(1-f), da_g = dc i (1-g^2), dc_prev = dc f

What most of them agree on is taken for what the code has; an equation that does not hold with that is wrong.
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
    i, f, g, o, tanh_c = (part[0] for part in cache[3:8])
    x, h_prev, c_prev = (inputs[name][0] for name in ("x", "h_prev", "c_prev"))
    true_da = textbook.lstm_step_backward(dh, dc, cache)[3].b
    true_dc = (dc + dh * o * (1 - tanh_c**2))[0]
    weights = {"dWx": np.outer(x, true_da), "dWh": np.outer(h_prev, true_da), "db": true_da}
    back = {"x": true_da @ params.Wx.T, "h_prev": true_da @ params.Wh.T, "c_prev": true_dc * f}
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
    scaled = near(da * true_da[0], true_da * da[0]) and near(grads.get("c_prev", np.zeros(())), true_dc * f)
    if exchanged or (scaled and moved):
        return ["da", *of_da]

    slopes = {"di": g * i * (1 - i), "df": c_prev * f * (1 - f), "dg": i * (1 - g**2), "dc_prev": f}
    values = dict(zip(slopes, [*parts[:3], *grads.get("c_prev", ())]))
    slopes = {name: slopes[name] for name in values if slopes[name].any()}
    total = majority([values[name] / slopes[name] for name in slopes])
    apart = [name for name in slopes if not near(values[name], total * slopes[name])]
    if len(apart) >= len(slopes) - 1:  # no two agree on a dc
        total = true_dc
        apart = [name for name in slopes if not near(values[name], total * slopes[name])]
    own_dh = parts[3] / (tanh_c * o * (1 - o))
    if not near(own_dh, dh[0]) and near(total, dc[0] + own_dh * o * (1 - tanh_c**2)):
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

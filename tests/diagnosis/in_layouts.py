"""Right functions in any layout: the textbook's, given the textbook's arrays again and giving back their own."""

import numpy as np

from npbilstm import textbook
from npbilstm.submission.layouts import to_reference, to_submitted
from npbilstm.submission.specs import SPECS

D, H = 2, 4
CELLS = {"lstm": textbook.LSTMParams, "gru": textbook.GRUResetBeforeParams, "rnn": textbook.RNNParams}
STEPS = {"lstm": "lstm_step", "gru": "gru_reset_before_step", "rnn": "rnn_step"}


def functions_in(layout, cell, forward=None, **changed):
    """The step and the sequence of a cell, as people write them in a layout, by name. forward: the layout of the
    forward passes, where it is another. changed: textbook functions that take another's place."""
    spec = SPECS[STEPS[cell]]
    functions = {name: changed.get(name, getattr(textbook, name)) for name in (spec.forward, spec.backward)}
    states = list(spec.outputs)
    weights = {name: axes for name, axes in spec.inputs.items() if name in ("Wx", "Wh", "b")}
    forward = forward or layout

    def shape(axes, N, T):
        sizes = {"N": N, "T": T, "D": D, "H": H}
        return tuple(sizes[axis[-1]] * int(axis[:-1] or 1) for axis in axes.split())

    def back(name, array, axes, N=1, T=1, layout=forward):
        return to_reference(name, np.asarray(array), axes, layout, shape(axes, N, T))

    def params_of(arrays):
        if not forward.joined:
            return CELLS[cell](*(back(name, a, axes) for (name, axes), a in zip(weights.items(), arrays)))
        W, b = arrays
        rows = to_reference("W", W, f"K {weights['Wx'].split()[1]}", forward, (D + H, *back_shape("Wx")[1:]))
        Wh, Wx = (rows[:H], rows[H:]) if forward.joined == "H+D" else (rows[D:], rows[:D])
        return CELLS[cell](Wx, Wh, back("b", b, weights["b"]))

    def back_shape(name):
        return shape(weights[name], 1, 1)

    def grads_of(grads):
        if not layout.joined:
            return [to_submitted(name, g, axes, layout) for (name, axes), g in zip(weights.items(), grads)]
        parts = [grads.Wh, grads.Wx] if layout.joined == "H+D" else [grads.Wx, grads.Wh]
        W = to_submitted("W", np.concatenate(parts), f"K {weights['Wx'].split()[1]}", layout)
        return [W, to_submitted("b", grads.b, weights["b"], layout)]

    def size_of(x, axis, letters):
        return np.shape(x)[letters.index(axis)] if axis in letters else 1

    def step_forward(x, states_prev, arrays):
        N = size_of(x, "N", layout.x.replace("T", ""))
        params = params_of(arrays)
        states_in = [back("h", s, "N H", N) for s in states_prev]
        *new, cache = functions[spec.forward](back("x", x, "N D", N), *states_in, params)
        return (*(to_submitted("h", s, "N H", layout) for s in new), (cache, N))

    def step_backward(*given):
        *upstream, (cache, N) = given
        dx, *dstates, grads = functions[spec.backward](*(back("h", d, "N H", N) for d in upstream), cache)
        return (
            to_submitted("x", dx, "N D", layout),
            *(to_submitted("h", d, "N H", layout) for d in dstates),
            *grads_of(grads),
        )

    def forward_pass(x, h0, *arrays):
        N, T = size_of(x, "N", layout.x), size_of(x, "T", layout.x)
        state = tuple([back("h", h0, "N H", N), np.zeros((N, H))][: len(states)])
        params = params_of(arrays)
        h, _, cache = textbook.recurrent_forward(functions[spec.forward], back("x", x, "N T D", N, T), state, params)
        return to_submitted("h", h, "N T H", layout), (cache, N, T)

    def backward_pass(dh, held):
        cache, N, T = held
        zero = tuple(np.zeros((N, H)) for _ in states)
        dh = back("h", dh, "N T H", N, T)
        dx, dstate, grads = textbook.recurrent_backward(functions[spec.backward], dh, zero, cache)
        return (
            to_submitted("x", dx, "N T D", layout),
            to_submitted("h", dstate[0], "N H", layout),
            *grads_of(grads),
        )

    names = "W, b" if layout.joined else "Wx, Wh, b"
    before = ", ".join(f"{s}_prev" for s in states)
    source = f"""
def {cell}_step_forward(x, {before}, {names}): return step_forward(x, [{before}], [{names}])
def {cell}_step_backward({", ".join("d" + s for s in states)}, cache):
    return step_backward({", ".join("d" + s for s in states)}, cache)
def {cell}_forward(x, h0, {names}): return forward_pass(x, h0, {names})
def {cell}_backward(dh, cache): return backward_pass(dh, cache)
"""
    made = {
        "step_forward": step_forward,
        "step_backward": step_backward,
        "forward_pass": forward_pass,
        "backward_pass": backward_pass,
    }
    exec(source, made)
    return {
        f"{cell}_{name}": made[f"{cell}_{name}"] for name in ("step_forward", "step_backward", "forward", "backward")
    }

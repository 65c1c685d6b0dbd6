"""Every mistake planted in the other cells, in recurrence, losses and poolings is rejected by a gradient check.

What a gradient check cannot see, a forward pass and a backward pass that are wrong together, is in test_misreadings.py.
"""

from functools import partial

import pytest

from npbilstm.commands.checks import textbook_cells as checks
from npbilstm.textbook import activations, gru, losses, lstm_variants, pooling, recurrence, rnn
from tests.textbook.plants import planted_in, textbook_with

GRU, BEFORE = "gru_step_backward", "gru_reset_before_step_backward"
VARIANT, BPTT, BOTH = "lstm_variant_step_backward", "recurrent_backward", "bidirectional_recurrent_backward"
BINARY, SQUARED = "binary_cross_entropy_backward", "mean_squared_error_backward"
MEAN, MAX = "mean_over_steps_backward", "max_over_steps_backward"

BUGS = {
    rnn: {
        "the activation's derivative missing": ("step_backward", "da = dh * derivative(h)", "da = dh"),
        "the derivative of the derivative's input": ("step_backward", "derivative(h)", "derivative(tanh(h))"),
        "Wh not transposed": ("step_backward", "da @ params.Wh.T", "da @ params.Wh"),
        "dWh uses the new h": ("step_backward", "h_in.T @ da", "h.T @ da"),
        "dWx is a mean over the batch": ("step_backward", "dWx = x.T @ da", "dWx = x.T @ da / len(x)"),
        "db from the first row only": ("step_backward", "da.sum(axis=0)", "da[0]"),
        "the mask missing in dh_prev": ("step_backward", "mask * (da", "(da"),
        "the mask missing in dWh": ("step_forward", "(x, h_in, m,", "(x, h_prev, m,"),
        "tanh' where relu' belongs": ("rnn_relu_step_backward", "relu_derivative, dh", "tanh_derivative, dh"),
        "relu' where tanh' belongs": ("rnn_step_backward", "tanh_derivative, dh", "relu_derivative, dh"),
    },
    gru: {
        "after: z's gradient has the wrong sign": (GRU, "dh * (h_prev - n)", "dh * (n - h_prev)"),
        "after: z's gradient forgets n": (GRU, "dh * (h_prev - n)", "dh * h_prev"),
        "after: z where 1 - z belongs": (GRU, "dn = dh * (1 - z)", "dn = dh * z"),
        "after: tanh' missing": (GRU, "dn * tanh_derivative(n)", "dn"),
        "after: r's gradient uses h_prev": (GRU, "dr = da_n * q", "dr = da_n * h_prev"),
        "after: r's gradient lacks b_hn": (GRU, "dr = da_n * q", "dr = da_n * (q - params.b_hn)"),
        "after: r missing on the product": (GRU, "dq = da_n * r\n", "dq = da_n\n"),
        "after: sigmoid' missing on r": (GRU, "dr * sigmoid_derivative(r)", "dr"),
        "after: sigmoid' missing on z": (GRU, "dz * sigmoid_derivative(z)", "dz"),
        "after: r and z swapped": (GRU, "[da_r, da_z, da_n]", "[da_z, da_r, da_n]"),
        "after: the product gets x's gradient": (GRU, "[da_r, da_z, dq]", "[da_r, da_z, da_n]"),
        "after: x gets the product's gradient": (GRU, "[da_r, da_z, da_n]", "[da_r, da_z, dq]"),
        "after: the way back by z is missing": (GRU, "dh * z + mask * (du", "mask * (du"),
        "after: 1 - z on the way back": (GRU, "dh * z + mask", "dh * (1 - z) + mask"),
        "after: the mask on the way by z too": (GRU, "dh * z + mask * (", "mask * (dh * z + "),
        "after: the mask missing in dh_prev": (GRU, "mask * (du", "(du"),
        "after: the mask missing in dWh": (GRU, "(mask * h_prev).T", "h_prev.T"),
        "after: b_hn's gradient not reset": (GRU, "dq.sum(axis=0)", "da_n.sum(axis=0)"),
        "before: z's gradient has the wrong sign": (BEFORE, "dh * (h_prev - n)", "dh * (n - h_prev)"),
        "before: z where 1 - z belongs": (BEFORE, "dn = dh * (1 - z)", "dn = dh * z"),
        "before: Wh_n not transposed": (BEFORE, "da_n @ Wh_n.T", "da_n @ Wh_n"),
        "before: r's gradient uses the candidate": (BEFORE, "dr = ds * h_in", "dr = ds * n"),
        "before: r's gradient as in reset after": (BEFORE, "dr = ds * h_in", "dr = da_n * (h_in @ Wh_n)"),
        "before: dWh as in reset after": (BEFORE, "s.T @ da_n", "h_in.T @ (r * da_n)"),
        "before: dWh not reset": (BEFORE, "s.T @ da_n", "h_in.T @ da_n"),
        "before: r missing in dh_in": (BEFORE, "+ ds * r\n", "+ ds\n"),
        "before: the way by r missing in dh_in": (BEFORE, "da_r @ Wh_r.T + ", ""),
        "before: the way by n missing in dh_in": (BEFORE, " + ds * r\n", "\n"),
        "before: the way back by z is missing": (BEFORE, "dh * z + mask * dh_in", "mask * dh_in"),
        "before: the mask missing in dh_prev": (BEFORE, "mask * dh_in", "dh_in"),
        "before: the mask twice in dh_prev": (BEFORE, "mask * dh_in", "mask * mask * dh_in"),
    },
    lstm_variants: {
        "o's peephole missing in dc": (VARIANT, " + da_o * p_o", ""),
        "o's peephole gets do, before sigmoid'": (VARIANT, "da_o * p_o", "do * p_o"),
        "o's peephole leads to c_prev": (VARIANT, "+ da_f * p_f ", "+ da_f * p_f + da_o * p_o "),
        "i's peephole missing in dc_prev": (VARIANT, " + da_i * p_i", ""),
        "f's peephole missing in dc_prev": (VARIANT, " + da_f * p_f ", " "),
        "i's and f's peepholes swapped": (VARIANT, "da_i * p_i + da_f * p_f", "da_i * p_f + da_f * p_i"),
        "o's peephole weight sees the old c": (VARIANT, "da_f * c_prev, da_o * c]", "da_f * c_prev, da_o * c_prev]"),
        "coupled: o's peephole weight sees the old c": (VARIANT, "c_prev, da_o * c] if", "c_prev, da_o * c_prev] if"),
        "dp is a mean over the batch": (VARIANT, "(seen, axis=1).sum(", "(seen, axis=1).mean("),
        "dp's blocks in another order": (VARIANT, "[da_i * c_prev, da_f * c_prev,", "[da_f * c_prev, da_i * c_prev,"),
        "coupled: what f forgets is not i's doing": (VARIANT, "di = di - df", "di = di + 0"),
        "coupled: the wrong sign": (VARIANT, "di = di - df", "di = di + df"),
        "coupled: the candidate forgotten": (VARIANT, "di = di - df", "di = -df"),
        "coupled: f's sigmoid' for i": (VARIANT, "di = di - df", "di = di - df * f"),
        "coupled: g and o swapped": (VARIANT, "[da_i, da_g, da_o]", "[da_i, da_o, da_g]"),
        "dWp sees tanh c without o": (VARIANT, "s.T @ dh", "tanh_c.T @ dh"),
        "dWp is a mean over the batch": (VARIANT, "s.T @ dh", "s.T @ dh / len(s)"),
        "the projection's gradient scaled by o twice": (VARIANT, "dh @ params.Wp.T", "o * (dh @ params.Wp.T)"),
        "the carry of c lost": (VARIANT, "dc = dc + ds * o *", "dc = ds * o *"),
        "o's gradient uses c, not tanh c": (VARIANT, "do = ds * tanh_c", "do = ds * c"),
        "the mask missing in dh_prev": (VARIANT, "mask * (da", "(da"),
        "the mask missing in dWh": ("lstm_variant_step_forward", "(x, h_in, m,", "(x, h_prev, m,"),
    },
    recurrence: {
        "the carry of h is missing": (BPTT, "dy[:, t] + dh_next", "dy[:, t]"),
        "the carry of the other parts is missing": (BPTT, "*dothers, steps", "*(0 * d for d in dothers), steps"),
        "the gradient of the final state ignored": (BPTT, "= tuple(dstate_T)", "= tuple(0 * d for d in dstate_T)"),
        "weight gradients overwritten over time": (BPTT, "else total + here", "else here"),
        "the backward loop runs forward": (BPTT, "reversed(range(T))", "range(T)"),
        "truncated after two steps": (BPTT, "reversed(range(T))", "reversed(range(T - 2, T))"),
        "the state's gradient not masked": (BPTT, "(np.where(v, dpart, 0) for", "(dpart for"),
        "the outputs' gradient not masked": (BPTT, "np.where(valid[:, :, None], dy, 0)", "dy"),
        "the carry dropped over padding": (BPTT, "np.where(v, prev, held)", "np.where(v, prev, 0)"),
        "the carry not held over padding": (BPTT, "np.where(v, prev, held)", "prev"),
        "the initial state's gradient not returned": (BPTT, "return dx, dstate_next", "return dx, dstate_T"),
        "the reverse upstream not flipped": (BOTH, "flip(dy_rev, lengths), drev", "dy_rev, drev"),
        "the reverse dx not flipped back": (BOTH, "dx_fwd + flip(dx_rev, lengths)", "dx_fwd + dx_rev"),
        "a flip that ignores lengths": (BOTH, "dx_fwd + flip(dx_rev, lengths)", "dx_fwd + flip(dx_rev)"),
        "dx from one direction only": (BOTH, "dx_fwd + flip(dx_rev, lengths)", "dx_fwd"),
        "the halves of dy swapped": (BOTH, "dy_fwd, dy_rev = np.split", "dy_rev, dy_fwd = np.split"),
        "the final state's directions swapped": (BOTH, "dfwd_T, drev_T = zip", "drev_T, dfwd_T = zip"),
        "the initial state's directions swapped": (BOTH, "zip(dfwd_0, drev_0)", "zip(drev_0, dfwd_0)"),
        "the directions' grads swapped": (BOTH, "(grads_fwd, grads_rev)", "(grads_rev, grads_fwd)"),
    },
    losses: {
        "binary: 1/M missing": (BINARY, "(dloss / M)", "dloss"),
        "binary: the sign": (BINARY, "(p - targets)", "(targets - p)"),
        "binary: sigmoid' as if after a squared error": (BINARY, "(p - targets)", "(p - targets) * p * (1 - p)"),
        "binary: padding counted in the mean": (BINARY, "(dloss / M)", "(dloss / targets.size)"),
        "binary: the mean over steps, not numbers": (BINARY, "(dloss / M)", "(dloss / (M / p.shape[-1]))"),
        "binary: the mask missing": (BINARY, "np.where(valid, (p", "np.where(valid | True, (p"),
        "binary: dloss ignored": (BINARY, "(dloss / M)", "(1 / M)"),
        "squared: 1/M missing": (SQUARED, "(dloss / M)", "dloss"),
        "squared: the 2 missing": (SQUARED, "2 * error", "error"),
        "squared: the sign": (SQUARED, "2 * error", "-2 * error"),
        "squared: padding counted in the mean": (SQUARED, "(dloss / M)", "(dloss / error.size)"),
        "squared: dloss ignored": (SQUARED, "(dloss / M)", "(1 / M)"),
        "squared: the absolute error's gradient": (SQUARED, "2 * error", "np.sign(error)"),
    },
    pooling: {
        "mean: 1/M missing": (MEAN, "dpooled / M", "dpooled"),
        "mean: padding counted": (MEAN, "dpooled / M", "dpooled / valid.shape[1]"),
        "mean: padding gets a share": (MEAN, "np.where(valid, share[:, None], 0)", "share[:, None] + 0 * valid"),
        "max: every step gets the gradient": (MAX, "cache.chosen, dpooled", "cache.chosen | True, dpooled"),
        "max: the last step gets it": (MAX, "np.where(cache.chosen,", "np.where(cache.chosen[:, ::-1],"),
        "max: the features' choices mixed up": (MAX, "np.where(cache.chosen,", "np.where(cache.chosen[:, :, ::-1],"),
        "max: each chosen step shared out": (MAX, "dpooled[:, None]", "dpooled[:, None] / cache.chosen.shape[1]"),
    },
}  # fmt: skip

CASES = [(module, bug) for module, bugs in BUGS.items() for bug in bugs]


def checks_of(module, function):
    """The gradient checks that look at this function, those of the cells with the most options first. Other activations
    come last: a bug may leave no tanh in a step for them to stand for, and then they refuse it."""
    if module is losses:
        return [checks.check_binary_cross_entropy if function == BINARY else checks.check_mean_squared_error]
    if module is pooling:
        return [partial(checks.check_pooling, function.removesuffix("_backward"))]
    prefix = {rnn: "rnn", gru: "gru", lstm_variants: "lstm_variant", recurrence: ("rnn_step", "lstm_variant")}[module]
    cells = [cell for cell in checks.CELLS.values() if cell.step.startswith(prefix)]
    check = checks.check_cell if module is recurrence else checks.check_cell_step
    cells.reverse()
    cells.sort(key=lambda cell: cell.activations != ("tanh", "sigmoid"))
    return [partial(check, cell) for cell in cells]


every_bug = pytest.mark.parametrize(
    ("module", "bug"), CASES, ids=[f"{module.__name__[18:]}: {bug}" for module, bug in CASES]
)


def plant(monkeypatch, module, bug):
    """Let the checks run on the textbook with this bug -> those that look at its function."""
    function, old, new = BUGS[module][bug]
    monkeypatch.setattr(checks, "textbook", textbook_with(planted_in(module, function, old, new)))
    return checks_of(module, function)


@pytest.mark.few(6)
@every_bug
def test_a_planted_bug_is_rejected(module, bug, monkeypatch):
    assert not all(run(entries=3).ok for run in plant(monkeypatch, module, bug))


@pytest.mark.slow
@every_bug
def test_a_planted_bug_is_rejected_by_central_differences_and_along_one_direction_too(module, bug, monkeypatch):
    check = next(run for run in plant(monkeypatch, module, bug) if not run(entries=3).ok)
    assert not check(method="central", entries=3).ok
    assert not check(entries=0).direction.ok


def test_a_rectifier_that_is_open_at_0_is_rejected(monkeypatch):
    """relu' from the output must be 0 where the output is 0: that is where the input was negative."""
    assert checks.check_cell(checks.CELLS["RNN, relu"]).ok
    changed = planted_in(activations, "relu_derivative", "y.real > 0", "y.real >= 0")
    monkeypatch.setattr(rnn, "relu_derivative", changed.relu_derivative)
    assert not checks.check_cell(checks.CELLS["RNN, relu"]).ok

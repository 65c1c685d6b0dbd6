"""Mistakes in the backward passes that the catalogue has not: a line of the textbook changed, and what it spoils."""

from npbilstm.mistakes import Bug

STEP, LOOP, BOTH = "lstm_step_backward", "lstm_backward", "bilstm_backward"
CALL = "dx[:, t], dh_prev, dc_prev, grads_t = lstm_step_backward(dh_t, dc_t, steps[t])"
GRADS = "grads = LSTMParams(*(total + here for total, here in zip(grads, grads_t)))"

LINES = [
    (STEP, "do", "do = dh * tanh_c", "do = dh * tanh_c * o"),
    (STEP, "do", "do = dh * tanh_c", "do = dh * tanh(tanh_c)"),
    (STEP, "do", "do = dh * tanh_c", "do = dh * tanh_c + 0.5 * dc"),
    (STEP, "dc", "dc = dc + dh * o * tanh_derivative(tanh_c)", "dc = dc + dh * o * tanh_derivative(tanh_c) * f"),
    (STEP, "dc", "dc = dc + dh * o * tanh_derivative(tanh_c)", "dc = dc + dh * i * tanh_derivative(tanh_c)"),
    (STEP, "dc", "dc = dc + dh * o * tanh_derivative(tanh_c)", "dc = 0.9 * dc + dh * o * tanh_derivative(tanh_c)"),
    (STEP, "dc", "dc = dc + dh * o * tanh_derivative(tanh_c)", "dc = dc + dh * tanh_derivative(tanh_c * o)"),
    (STEP, "di", "di = dc * g", "di = dc * g * i"),
    (STEP, "di", "di = dc * g", "di = dc * tanh(g)"),
    (STEP, "df", "df = dc * c_prev", "df = dc * tanh(c_prev)"),
    (STEP, "df", "df = dc * c_prev", "df = dc * c_prev * f"),
    (STEP, "df", "df = dc * c_prev", "df = dh * c_prev"),
    (STEP, "dg", "dg = dc * i", "dg = dc * o"),
    (STEP, "dg", "dg = dc * i", "dg = dh * i"),
    (STEP, "da_g", "da_g = dg * tanh_derivative(g)", "da_g = dg * (1 - g**3)"),
    (STEP, "da_i", "da_i = di * sigmoid_derivative(i)", "da_i = di * i * (1 + i)"),
    (STEP, "da_f", "da_f = df * sigmoid_derivative(f)", "da_f = df * f * (1 - o)"),
    (STEP, "da_o", "da_o = do * sigmoid_derivative(o)", "da_o = do * (o - o**3)"),
    (STEP, "dc_prev", "dc_prev = dc * f", "dc_prev = dc * o"),
    (STEP, "dc_prev", "dc_prev = dc * f", "dc_prev = dc * f**2"),
    (STEP, "dh_prev", "dh_prev = da @ params.Wh.T", "dh_prev = 1.1 * da @ params.Wh.T"),
    (STEP, "dh_prev", "dh_prev = da @ params.Wh.T", "dh_prev = (da @ params.Wh.T) * o"),
    (STEP, "dx", "dx = da @ params.Wx.T", "dx = 2 * da @ params.Wx.T"),
    (STEP, "dWx", "dWx = x.T @ da", "dWx = 1.5 * x.T @ da"),
    (STEP, "dWh", "dWh = h_prev.T @ da", "dWh = tanh(h_prev).T @ da"),
    (STEP, "db", "db = da.sum(axis=0)", "db = da.max(axis=0)"),
    (STEP, "da", "[da_i, da_f, da_g, da_o], axis=1", "[da_f, da_g, da_o, da_i], axis=1"),
    (LOOP, "dh_t", "dh_t = np.where(v, dh[:, t] + dh_next, 0)", "dh_t = np.where(v, 0.5 * dh[:, t] + dh_next, 0)"),
    (LOOP, "dh_next", "dh_next = np.where(v, dh_prev, dh_next)", "dh_next = np.where(v, 0.7 * dh_prev, dh_next)"),
    (LOOP, "dc_next", "dc_next = np.where(v, dc_prev, dc_next)", "dc_next = np.where(v, dc_prev / 2, dc_next)"),
    (LOOP, "dc_next", "dc_next = np.where(v, dc_prev, dc_next)", "dc_next = np.where(v, dh_prev, dc_next)"),
    (LOOP, "grads", GRADS, GRADS.replace("total + here", "0.9 * total + here")),
    (LOOP, "dx", CALL, CALL.replace("dx[:, t]", "dx[:, t - 1]")),
    (BOTH, "dx", "dx = dx_fwd + flip(dx_rev, lengths)", "dx = dx_fwd - flip(dx_rev, lengths)"),
    (BOTH, "grads", "BiLSTMParams(grads_fwd, grads_rev)", "BiLSTMParams(grads_fwd, grads_fwd)"),
    (BOTH, "dh0", "dh0 = np.stack([dh0_fwd, dh0_rev])", "dh0 = np.stack([dh0_fwd + dh0_rev, dh0_rev])"),
    (BOTH, "dh_fwd, dh_rev", "lstm_backward(dh_fwd, dh_T[0]", "lstm_backward(0.5 * dh_fwd, dh_T[0]"),
]
UNKNOWN = [
    Bug(f"unknown-{k}", function, old, new, equation, "", ("", "", ""))
    for k, (function, equation, old, new) in enumerate(LINES)
]

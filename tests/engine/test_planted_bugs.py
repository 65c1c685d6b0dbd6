"""Every mistake planted in the engine is seen by its comparison with the textbook."""

from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from npbilstm.engine import (
    activations,
    cell,
    gru,
    lstm,
    passes,
    recurrence,
    rnn,
    tiles,
    time_order,
    workspace,
)
from npbilstm.layers import coupled, lstm_variants
from tests.cases import assert_all_close
from tests.engine.activation_bugs import ACTIVATION_BUGS
from tests.engine.cells import by_engine, by_textbook, make_case
from tests.engine.plans import PLANS
from tests.planting import planted_below

USERS = [tiles, activations, workspace, cell, recurrence, passes, lstm, lstm_variants, gru, rnn, coupled]
"""Those above `time_order`, each after what it uses."""

VARIANT = "LSTM, coupled, peepholes, projection"

NO_FINAL_GRADIENT = ("zip(upstream.dstate, upstream.d_T)", "zip(upstream.dstate[1:], upstream.d_T[1:])")
NO_FINAL_C = ("zip(final, (h[t], now[-1]))", "zip(final, (h[t],))")
NO_MASK_FORWARD = ("multiply(h[t], mask, work.Z_h[t + 1])", "work.Z_h[t + 1] = h[t]")
NO_MASK_BACK = ("                multiply(from_product, mask, from_product)", "                pass")
NO_MASK_IN_DWH = ("        work.mask(h_prev)\n", "")

BUGS = [
    ("LSTM", time_order, "x_t is not reversed", "if direction == 0:", "if True:"),
    (
        "LSTM",
        time_order,
        "a reverse pass that ignores lengths",
        "    if lengths is None:\n        end",
        "    if True:\n        end",
    ),
    ("LSTM", time_order, "rows end at T", "setdefault(length - 1, [])", "setdefault(max(lengths) - 1, [])"),
    ("LSTM", passes, "padding is read in training", "            x[padded] = 0", "            pass"),
    (
        "LSTM",
        workspace,
        "the padding's output is not zeroed",
        "y[start : start + block.length][block.padded] = 0",
        "pass",
    ),
    ("LSTM", workspace, "padding's upstream gradient is let in", "dy.swapaxes(1, 2)[block.padded] = 0", "pass"),
    ("LSTM", recurrence, "the final h is not picked up", "zip(final, (h[t], now[-1]))", "zip(final[1:], now[-1:])"),
    ("LSTM", recurrence, "the final h is that before the step", "(h[t], now[-1])", "(work.states[t], now[-1])"),
    ("reverse LSTM", passes, "the first direction is always the forward one", "directions[:S]", "range(S)"),
    (
        "LSTM",
        time_order,
        "all rows end at T",
        "    if lengths is None:\n        return {T",
        "    if True:\n        return {T",
    ),
    (
        "LSTM",
        workspace,
        "the state is not carried into the next block",
        "            self.begin_with(self.states[block.length])\n",
        "",
    ),
    (
        "LSTM",
        passes,
        "the state is not carried into the next interval",
        "now = forward_steps(",
        "_ = forward_steps(",
    ),
    (
        "LSTM",
        workspace,
        "only the last block's dW",
        "add(dW, dW_block[:, :depth], dW)",
        "dW[...] = dW_block[:, :depth]",
    ),
    ("LSTM", workspace, "the bias has no gradient", "self.Z[..., used:] = 1, 0", "self.Z[..., used:] = 0, 0"),
    (
        "LSTM",
        workspace,
        "dx of one direction only",
        "dx[index] += dx_block[p]",
        "dx[index] = dx_block[p]",
    ),
    ("LSTM", passes, "rows of length 0 lose their gradient", "if -1 in ends:", "if False:"),
    (
        "LSTM",
        passes,
        "the final state's gradient enters twice",
        "np.zeros(d.shape, dtype) for d",
        "d.astype(dtype) for d",
    ),
    (
        "masked GRU",
        workspace,
        "the mask of the first step is left out",
        "            multiply(h, self.group.mask, self.Z_h[0])",
        "            self.Z_h[0] = h",
    ),
    (
        "LSTM",
        tiles,
        "the sigmoids' weights are not halved",
        "    W *= np.asarray(scales, W.dtype)",
        "    W *= np.ones_like(scales)",
    ),
    (
        "LSTM",
        tiles,
        "the gates are not put in order",
        "= in_gates[:later]",
        "= in_gates[shift:]",
    ),
    ("LSTM", tiles, "the halving is not undone", "WT /= np.asarray", "WT /= 1 + 0 * np.asarray"),
    (
        "LSTM",
        cell,
        "Wx and Wh change places",
        "slice(0, R)), transposed_tiles(gates, scales, slice(R + 1, None))",
        "slice(R + 1, None)), transposed_tiles(gates, scales, slice(0, R))",
    ),
    ("LSTM", lstm, "an affine step left out", "            multiply(oif, half, oif)\n", ""),
    ("LSTM", recurrence, "the final cell state is not picked up", *NO_FINAL_C),
    (
        "LSTM",
        lstm,
        "the c that is kept is that after the step",
        "            if kept:\n                kept[t][...] = now  # o, i, f, g, c_{t-1}\n            add(ig, fc, c)",
        "            add(ig, fc, c)\n            if kept:\n                kept[t][...] = now",
    ),
    ("LSTM", recurrence, "the last c is not kept", "A[len(steps), -1] = after[-1]", "A[len(steps), -1] = 0"),
    ("LSTM", lstm, "dc lacks what comes from h", "            add(dc, dh, dc)", "            pass"),
    ("LSTM", lstm, "dc is not carried on", "            multiply(f[t], dc, dc)  # the dc of step t - 1\n", ""),
    (
        "LSTM",
        lstm,
        "o's gradient uses the wrong dh",
        "multiply(F_o[t], dh, da_o[t])\n            multiply(F_c[t], dh, dh)",
        "multiply(F_c[t], dh, dh)\n            multiply(F_o[t], dh, da_o[t])",
    ),
    ("LSTM", lstm, "o's factor lacks tanh(c)", "    multiply(F_o, tanh_c, F_o)\n", ""),
    (
        "LSTM",
        lstm,
        "f's factor uses the new c",
        "multiply(F_if, g_c, F_if)",
        "multiply(F_if[:, :1], g_c[:, :1], F_if[:, :1])",
    ),
    ("LSTM", lstm, "g's factor lacks i", "    multiply(F_g, i, F_g)\n", ""),
    ("LSTM", lstm, "c's factor lacks o", "    multiply(F_c, o, F_c)\n", ""),
    (
        "LSTM",
        lstm,
        "h before a block is that after its first step",
        "block.A_before[0] * tanh_c[0]",
        "A[0, 0] * tanh_c[1]",
    ),
    ("LSTM", lstm, "the initial state has no part in dWh", "work.state[0] if block", "0 if block"),
    (
        "LSTM",
        lstm,
        "dWh pairs the gradient with the new h",
        "multiply(A[:-2, 0], tanh_c[1:-1], h_prev[1:])",
        "multiply(A[1:-1, 0], tanh_c[2:], h_prev[1:])",
    ),
    (
        "LSTM",
        lstm,
        "gradients come back in the engine's order",
        'work.da_gates[:, 3]), work.views("da_ifg", work.da_gates[:, :3])',
        'work.da_gates[:, 0]), work.views("da_ifg", work.da_gates[:, 1:])',
    ),
    (
        "LSTM",
        cell,
        "the transposed weights stand in the engine's order",
        "(W[0][:, k:], W[0][:, :k]), (*self.scales[k:], *self.scales[:k])",
        "W[:1], self.scales",
    ),
    (
        "LSTM",
        recurrence,
        "the gradient of the final state enters at T",
        "if t in ends:\n                for d,",
        "if block.start + t == 5 and t in ends:\n                for d,",
    ),
    ("masked LSTM", recurrence, "the mask is left out of a step", *NO_MASK_FORWARD),
    ("masked LSTM", lstm, "the mask is left out of dWh", *NO_MASK_IN_DWH),
    ("masked LSTM", recurrence, "the mask is left out of dh", *NO_MASK_BACK),
    (VARIANT, coupled, "f is i, not 1 - i", "[i, -i, *rest]", "[i, i, *rest]"),
    (VARIANT, coupled, "f's share of i's gradient is lost", "[di - df, *rest]", "[di, *rest]"),
    (
        VARIANT,
        lstm_variants,
        "the peepholes change places",
        'np.roll(own["p"].reshape(3, H), 1, axis=0)',
        'own["p"].reshape(3, H)',
    ),
    (
        VARIANT,
        lstm_variants,
        "the peepholes' gradients change places",
        "dp.ravel()",
        "np.roll(dp, 1, axis=0).ravel()",
    ),
    (VARIANT, lstm_variants, "o sees the old c", "multiply(p_o, c, peeped)", "multiply(p_o, c_prev, peeped)"),
    (
        VARIANT,
        lstm_variants,
        "o's peephole sends nothing back to c",
        "multiply(p[:, 0], da_o[t], peeped)",
        "multiply(0, da_o[t], peeped)",
    ),
    (
        VARIANT,
        lstm_variants,
        "f's peephole sends nothing back to c",
        "((p[:, 1], da_i[t]), (p[:, 2], da_f[t]))",
        "((p[:, 1], da_i[t]),)",
    ),
    (
        VARIANT,
        lstm_variants,
        "p_o's gradient uses the old c",
        "(da[:, 3] * A[1:, 4])",
        "(da[:, 3] * A[:-1, 4])",
    ),
    (
        VARIANT,
        lstm_variants,
        "p_i's gradient uses the new c",
        "(da[:, :2] * A[:-1, 4:])",
        "(da[:, :2] * A[1:, 4:])",
    ),
    (VARIANT, lstm_variants, "Wp's gradient uses the m before", "*A.shape[2:])[1 : n + 1]", "*A.shape[2:])[:n]"),
    (VARIANT, lstm_variants, "Wp's gradient of the last block only", "dWp[0] += ", "dWp[0][...] = "),
    (
        VARIANT,
        lstm_variants,
        "h before a block is not projected",
        "m[:-1] @ Wp[0] if Wp else m[:-1]",
        "m[:-1, ..., : h_prev.shape[-1]]",
    ),
    (
        VARIANT,
        lstm_variants,
        "the c that is kept is that after the step",
        "kept[t][:4], kept[t][4] = now[:4], c_prev",
        "kept[t][...] = now",
    ),
    (VARIANT, recurrence, "the final state's gradient is not let in", *NO_FINAL_GRADIENT),
    (VARIANT, recurrence, "the final cell state is not picked up", *NO_FINAL_C),
    (f"masked {VARIANT}", lstm_variants, "the mask is left out of dWh", *NO_MASK_IN_DWH),
    (f"masked {VARIANT}", recurrence, "the mask is left out of dh", *NO_MASK_BACK),
    ("GRU", gru, "b_hn is left out", 'b[2 * H :], Wx[:, 2 * H :] = p["b_hn"], 0', "b[2 * H :], Wx[:, 2 * H :] = 0, 0"),
    ("GRU", gru, "x reaches q", 'b[2 * H :], Wx[:, 2 * H :] = p["b_hn"], 0', 'b[2 * H :] = p["b_hn"]'),
    (
        "GRU",
        gru,
        "the reset gate resets nothing",
        "multiply(r, q, n)",
        "n[...] = q",
    ),
    (
        "GRU",
        gru,
        "z keeps the candidate",
        "multiply(z, keeping, keeping)\n",
        "multiply(1 - z, keeping, keeping)\n",
    ),
    (
        "GRU",
        gru,
        "what z keeps is not carried back",
        "multiply(z[t], dh, dh)\n",
        "multiply(0, dh, dh)\n",
    ),
    ("GRU", gru, "n's factor lacks 1 - n^2", "self.activation.derivative(n, F_n)\n", "F_n[...] = 1\n"),
    ("GRU", gru, "z's factor has its sign turned", "subtract(h_prev, n, F_q)", "subtract(n, h_prev, F_q)"),
    ("GRU", gru, "q's factor lacks r", "multiply(F_n, r, F_q)", "F_q[...] = F_n"),
    ("GRU", gru, "r's factor lacks q", "            multiply(F_r, q, F_r)\n", ""),
    ("GRU", recurrence, "x gets q's gradient", "cell.of_x, WxT", "slice(0, 3), WxT"),
    ("GRU", gru, "Wx gets q's gradient", "row=H, column=H", "row=H"),
    ("GRU", gru, "Wh's gradient in the engine's order", "np.roll(dWh[:-1], -H, axis=1)", "dWh[:-1]"),
    ("GRU", recurrence, "the final state's gradient is not let in", *NO_FINAL_GRADIENT),
    (
        "GRU",
        recurrence,
        "the kept state is that after the step",
        "block.A[:-1, -1] = work.states[: block.length]",
        "block.A[:-1, -1] = work.states[1 : block.length + 1]",
    ),
    ("masked GRU", recurrence, "the mask is left out of a step", *NO_MASK_FORWARD),
    ("masked GRU", recurrence, "the mask is left out of dh", *NO_MASK_BACK),
    ("masked GRU", gru, "the mask is left out of dWh", "        work.mask(h_in)\n", ""),
    ("masked GRU", gru, "what z keeps is masked", '("h_prev", work.states)', '("h_prev", work.Z_h)'),
    (
        "GRU, reset before",
        gru,
        "r h is h",
        "multiply(r, h_in[t], s)",
        "s[...] = h_in[t]",
    ),
    ("GRU, reset before", gru, "r's factor lacks h", "            multiply(F_r, h_in, F_r)\n", "            pass\n"),
    ("GRU, reset before", gru, "r h sends nothing back to h", "            add(dh, ds, dh)\n", ""),
    ("GRU, reset before", gru, "r is missing on the way back to h", "            multiply(r[t], ds, ds)\n", ""),
    (
        "GRU, reset before",
        gru,
        "Wh_n's gradient uses h",
        "A[:-1, 0].swapaxes(0, 1)",
        "A[:-1, 4].swapaxes(0, 1)",
    ),
    ("masked GRU, reset before", gru, "r h is not masked", '("h_in", work.Z_h)', '("h_in", work.states)'),
    (
        "masked GRU, reset before",
        gru,
        "r h is not masked back",
        "multiply(ds, mask, ds)",
        "pass",
    ),
    ("RNN", activations, "tanh' is 1 - h", "    multiply(y, y, out)\n", "    out[...] = y\n"),
    (
        "RNN",
        rnn,
        "the derivative of the state before",
        "activation.derivative(block.A[1:, 0], F_block)",
        "activation.derivative(block.A[:-1, 0], F_block)",
    ),
    ("RNN", recurrence, "the final state's gradient is not let in", *NO_FINAL_GRADIENT),
    ("masked RNN", recurrence, "the mask is left out of dh", *NO_MASK_BACK),
    ("masked RNN", rnn, "the mask is left out of dWh", "        work.mask(work.h_in[:n])\n", ""),
    *ACTIVATION_BUGS,
]


def engine_with(module: ModuleType, old: str, new: str) -> SimpleNamespace:
    """What ENGINE has, from copies of its modules with one change in one of them and in all that use it."""
    copies = planted_below(USERS, module, old, new)
    names = {name: value for copy in copies for name, value in vars(copy).items()}
    borders_within = {attribute: value for (_, attribute), value in PLANS["blocks of two steps"].items()}
    vars(copies[USERS.index(workspace)]).update(borders_within)
    return SimpleNamespace(**names)


def the_case(name):
    masked, ways = name.startswith("masked "), (1,) if name.startswith("reverse ") else (0, 1)
    name = name.removeprefix("masked ").removeprefix("reverse ")
    case = make_case(name, N=6, T=6, H=4, directions=ways, lengths=[6, 3, 0, 5, 6, 2], masked=masked)
    case.x[1, 3:], case.dy[1, 3:] = np.nan, np.nan
    return case


@pytest.mark.few(6)
@pytest.mark.parametrize("name", sorted({name for name, *_ in BUGS}))
def test_copies_of_the_engine_with_nothing_planted_equal_the_textbook(name):
    unchanged = engine_with(time_order, "direction == 0", "direction == 0")
    assert_all_close(by_engine(the_case(name), unchanged, store_every=4), by_textbook(the_case(name)))


@pytest.mark.few(15)
@pytest.mark.parametrize("bug", BUGS, ids=[f"{name}: {what}" for name, _, what, *_ in BUGS])
def test_a_bug_planted_in_the_engine_is_seen(bug):
    name, module, _, old, new = bug
    changed = engine_with(module, old, new)
    expected = by_textbook(the_case(name))
    with np.errstate(all="ignore"):
        try:
            got = by_engine(the_case(name), changed, store_every=4)
        except (IndexError, ValueError):
            return  # seen
    with pytest.raises(AssertionError):
        assert_all_close(got, expected)

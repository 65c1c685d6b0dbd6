"""Every mistake planted in the engine is seen by its comparison with the textbook."""

from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from npbilstm.engine import activations, blocks, gru, lstm, lstm_variants, order, recurrence, rnn, tiles
from tests.cases import assert_all_close
from tests.engine.activation_bugs import ACTIVATION_BUGS
from tests.engine.cells import by_engine, by_textbook, make_case
from tests.engine.plans import PLANS
from tests.planting import planted_below

USERS = [tiles, activations, blocks, recurrence, lstm, lstm_variants, gru, rnn]
"""Those above `order`, each after what it uses."""

VARIANT = "LSTM, coupled, peepholes, projection"

BUGS = [
    ("LSTM", order, "x_t is not reversed", "if direction == 0:", "if True:"),
    (
        "LSTM",
        order,
        "a reverse pass that ignores lengths",
        "    if lengths is None:\n        end",
        "    if True:\n        end",
    ),
    ("LSTM", order, "rows end at T", "setdefault(length - 1, [])", "setdefault(max(lengths) - 1, [])"),
    ("LSTM", recurrence, "padding is read in training", "            x[padded] = 0", "            pass"),
    (
        "LSTM",
        blocks,
        "the padding's output is not zeroed",
        "y[block.start : block.start + block.n][block.padded] = 0",
        "pass",
    ),
    ("LSTM", blocks, "padding's upstream gradient is let in", "dy.swapaxes(1, 2)[block.padded] = 0", "pass"),
    (
        "LSTM",
        recurrence,
        "the reverse final state is y's last",
        "0 * rows if direction else lengths[rows] - 1",
        "lengths[rows] - 1",
    ),
    ("reverse LSTM", recurrence, "the first direction is always the forward one", "directions[:S]", "range(S)"),
    (
        "LSTM",
        recurrence,
        "the final state is the last step's",
        "        if lengths is None:\n            for place",
        "        if True:\n            for place",
    ),
    (
        "LSTM",
        blocks,
        "the state is not carried into the next block",
        "            self.begin_with(self.h[block.n])\n",
        "",
    ),
    (
        "LSTM",
        recurrence,
        "the state is not carried into the next interval",
        "now = cell.forward_steps(",
        "_ = cell.forward_steps(",
    ),
    (
        "LSTM",
        blocks,
        "only the last block's dW",
        "add(dW, self.dW[:, : self.depth], dW)",
        "dW[...] = self.dW[:, : self.depth]",
    ),
    ("LSTM", blocks, "only the last block's db", "add(db, da.reshape", "np.add(0, da.reshape"),
    (
        "LSTM",
        blocks,
        "dx of one direction only",
        "dx.swapaxes(0, 1)[at] += dx_block[p]",
        "dx.swapaxes(0, 1)[at] = dx_block[p]",
    ),
    ("LSTM", recurrence, "rows of length 0 lose their gradient", "if -1 in ends:", "if False:"),
    (
        "LSTM",
        recurrence,
        "the final state's gradient enters twice",
        "d.astype(dtype) if lengths is None else np.zeros(d.shape, dtype)",
        "d.astype(dtype)",
    ),
    (
        "masked GRU",
        blocks,
        "the mask of the first step is left out",
        "            multiply(h, self.scan.mask, self.Z_h[0])",
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
        "place[...] = in_gates[gate]",
        "place[...] = in_gates[(gate + 1) % len(gates)]",
    ),
    ("LSTM", tiles, "the halving is not undone", "unscaled = 1 / np.asarray", "unscaled = 1 + 0 * np.asarray"),
    (
        "LSTM",
        lstm,
        "Wx and Wh change places",
        "in_tiles(WT[..., :H]), in_tiles(WT[..., H + 1 :])",
        "in_tiles(WT[..., H + 1 :]), in_tiles(WT[..., :H])",
    ),
    ("LSTM", lstm, "an affine step left out", "            multiply(oif, half, oif)\n", ""),
    (
        "LSTM",
        lstm,
        "the final cell state is not picked up",
        "                c_T[:, ends[t]] = c[:, ends[t]]",
        "                pass",
    ),
    ("LSTM", lstm, "dc lacks what comes from h", "            add(dc, dh, dc)", "            pass"),
    ("LSTM", lstm, "dc is not carried on", "            multiply(f, dc, dc)\n", ""),
    (
        "LSTM",
        lstm,
        "o's gradient uses the wrong dh",
        "multiply(F_o, dh, da_o)\n            multiply(F_c_t, dh, dh)",
        "multiply(F_c_t, dh, dh)\n            multiply(F_o, dh, da_o)",
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
    ("LSTM", lstm, "c's factor lacks o", "return multiply(F_c, o, F_c)", "return F_c"),
    (
        "LSTM",
        lstm,
        "h before a block is that after its first step",
        "A[k - 1, 0] * tanh_c[0] if k",
        "A[k, 0] * tanh_c[1] if k",
    ),
    ("LSTM", lstm, "the initial state has no part in dWh", "tanh_c[0] if k else h", "tanh_c[0] if k else 0"),
    (
        "LSTM",
        lstm,
        "dWh pairs the gradient with the new h",
        "multiply(now[:-1, 0], tanh_c[1:-1], h_before[1:])",
        "multiply(now[1:, 0], tanh_c[2:], h_before[1:])",
    ),
    (
        "LSTM",
        lstm,
        "gradients come back in the engine's order",
        "dW[:, H:], dW[:, :H]",
        "dW[:, : 3 * H], dW[:, 3 * H :]",
    ),
    (
        "LSTM",
        lstm,
        "the gradient of the final state enters at T",
        "if t in ends:\n                dh",
        "if t == len(scan.x) - 1 and t in ends:\n                dh",
    ),
    (
        "masked LSTM",
        lstm,
        "the mask is left out of a step",
        "                multiply(h, mask, masked)",
        "                masked[...] = h",
    ),
    (
        "masked LSTM",
        lstm,
        "the mask is left out of dWh",
        "            multiply(h_before, mask, h_before)",
        "            pass",
    ),
    (
        "masked LSTM",
        lstm,
        "the mask is left out of dh",
        "                multiply(dh, mask, dh)",
        "                pass",
    ),
    (VARIANT, lstm_variants, "f is i, not 1 - i", "-part[..., :H], part[..., H:]]", "part[..., :H], part[..., H:]]"),
    (
        VARIANT,
        lstm_variants,
        "f's share of i's gradient is lost",
        "part[..., :H] - part[..., H : 2 * H]",
        "part[..., :H]",
    ),
    (
        VARIANT,
        lstm_variants,
        "the peepholes change places",
        'np.roll(own["p"].reshape(3, H), 1, axis=0)',
        'own["p"].reshape(3, H)',
    ),
    (VARIANT, lstm_variants, "the peepholes' gradients change places", "np.roll(dp, -1, axis=0).ravel()", "dp.ravel()"),
    (VARIANT, lstm_variants, "o sees the old c", "multiply(p_o, c, peeped)", "multiply(p_o, c_prev, peeped)"),
    (
        VARIANT,
        lstm_variants,
        "o's peephole sends nothing back to c",
        "multiply(p[:, 0], da[0], peeped)",
        "multiply(0, da[0], peeped)",
    ),
    (VARIANT, lstm_variants, "f's peephole sends nothing back to c", "for gate in (1, 2):", "for gate in (1,):"),
    (
        VARIANT,
        lstm_variants,
        "p_o's gradient uses the old c",
        "(da_gates[:, 0] * A[k + 1 : k + n + 1, 4])",
        "(da_gates[:, 0] * now[:, 4])",
    ),
    (
        VARIANT,
        lstm_variants,
        "p_i's gradient uses the new c",
        "(da_gates[:, 1:3] * now[:, 4:])",
        "(da_gates[:, 1:3] * A[k + 1 : k + n + 1, 4:])",
    ),
    (VARIANT, lstm_variants, "Wp's gradient uses the m before", "(m[1:].swapaxes(2, 3)", "(m[:-1].swapaxes(2, 3)"),
    (VARIANT, lstm_variants, "Wp's gradient of the last block only", "dWp[0] += ", "dWp[0][...] = "),
    (
        VARIANT,
        lstm_variants,
        "h before a block is not projected",
        "m[:-1] @ Wp[0] if Wp else m[:-1]",
        "m[:-1, ..., :R]",
    ),
    (
        VARIANT,
        lstm_variants,
        "the final state's gradient is not let in",
        "                dh_t[:, ends[t]] += dh_T[:, ends[t]]\n",
        "",
    ),
    (
        VARIANT,
        lstm_variants,
        "the final cell state is not picked up",
        "                c_T[:, ends[t]] = c[:, ends[t]]",
        "                pass",
    ),
    (
        f"masked {VARIANT}",
        lstm_variants,
        "the mask is left out of dWh",
        "            multiply(h_before, mask, h_before)",
        "            pass",
    ),
    (
        f"masked {VARIANT}",
        lstm_variants,
        "the mask is left out of dh",
        "                multiply(dh, mask, dh)",
        "                pass",
    ),
    ("GRU", gru, "b_hn is left out", 'b[:H], Wx[:, :H] = p["b_hn"], 0', "b[:H], Wx[:, :H] = 0, 0"),
    ("GRU", gru, "x reaches n_h", 'b[:H], Wx[:, :H] = p["b_hn"], 0', 'b[:H] = p["b_hn"]'),
    (
        "GRU",
        gru,
        "the reset gate resets nothing",
        "                multiply(r, n_h, n)",
        "                n[...] = n_h",
    ),
    (
        "GRU",
        gru,
        "z keeps the candidate",
        "            multiply(z, kept_of_h, kept_of_h)\n",
        "            multiply(1 - z, kept_of_h, kept_of_h)\n",
    ),
    (
        "GRU",
        gru,
        "what z keeps is not carried back",
        "            multiply(z, dh, dh)\n",
        "            multiply(0, dh, dh)\n",
    ),
    ("GRU", gru, "n's factor lacks 1 - n^2", "    subtract(1, F_n, F_n)\n", "    F_n[...] = 1\n"),
    ("GRU", gru, "z's factor has its sign turned", "subtract(h_prev, n, F_nh)", "subtract(n, h_prev, F_nh)"),
    ("GRU", gru, "n_h's factor lacks r", "multiply(F_n, r, F_nh)", "F_nh[...] = F_n"),
    ("GRU", gru, "r's factor lacks n_h", "        multiply(F_r, n_h, F_r)\n", ""),
    (
        "GRU",
        gru,
        "x gets n_h's gradient",
        "slice(H, 4 * H), slice(3 * H, 4 * H)",
        "slice(0, 3 * H), slice(3 * H, 4 * H)",
    ),
    ("GRU", gru, "Wh's gradient in the engine's order", "np.roll(dWh[:-1], -H, axis=1)", "dWh[:-1]"),
    (
        "GRU",
        gru,
        "the final state's gradient is not let in",
        "                dh[:, ends[t]] += dh_T[:, ends[t]]\n",
        "                pass\n",
    ),
    (
        "GRU",
        gru,
        "the kept state is that after the step",
        "A[k + 1 : k + count + 1, 4] = room.h[1 : count + 1]",
        "A[k : k + count, 4] = room.h[1 : count + 1]",
    ),
    (
        "masked GRU",
        gru,
        "the mask is left out of a step",
        "                multiply(h, mask, masked)",
        "                masked[...] = h",
    ),
    (
        "masked GRU",
        gru,
        "the mask is left out of dh",
        "                multiply(through, mask, through)",
        "                pass",
    ),
    (
        "masked GRU",
        gru,
        "the mask is left out of dWh",
        "multiply(now[:, 4], mask, h_before)",
        "h_before[...] = now[:, 4]",
    ),
    ("masked GRU", gru, "what z keeps is masked", "            room.h,\n", "            room.Z_h,\n"),
    (
        "GRU, reset before",
        gru,
        "r h is h",
        "                multiply(r, masked_prev, n_h)",
        "                n_h[...] = masked_prev",
    ),
    ("GRU, reset before", gru, "r's factor lacks h", "        multiply(F_r, h_before, F_r)\n", ""),
    ("GRU, reset before", gru, "r h sends nothing back to h", "                add(through, drh, through)\n", ""),
    ("GRU, reset before", gru, "r is missing on the way back to h", "                multiply(r, drh, drh)\n", ""),
    (
        "GRU, reset before",
        gru,
        "Wh_n's gradient uses h",
        "of_rh.Z[:, :count] = now[:, 0].swapaxes(0, 1)",
        "of_rh.Z[:, :count] = now[:, 4].swapaxes(0, 1)",
    ),
    (
        "masked GRU, reset before",
        gru,
        "r h is not masked",
        "nowhere if after else room.Z_h",
        "nowhere if after else room.h",
    ),
    ("RNN", activations, "tanh' is 1 - h", "    multiply(y, y, out)\n", "    out[...] = y\n"),
    (
        "RNN",
        rnn,
        "the derivative of the state before",
        "activation.derivative(A[k + 1 : k + n + 1, 0], F)",
        "activation.derivative(A[k : k + n, 0], F)",
    ),
    (
        "RNN",
        rnn,
        "the final state's gradient is not let in",
        "                dh[:, ends[t]] += dh_T[:, ends[t]]\n",
        "                pass\n",
    ),
    (
        "masked RNN",
        rnn,
        "the mask is left out of dh",
        "                multiply(dh, mask, dh)",
        "                pass",
    ),
    (
        "masked RNN",
        rnn,
        "the mask is left out of dWh",
        "            multiply(h_before, mask, h_before)",
        "            pass",
    ),
    *ACTIVATION_BUGS,
]


def engine_with(module: ModuleType, old: str, new: str) -> SimpleNamespace:
    """The engine's public names, from copies of its modules with one change in one of them and in all that use it."""
    copies = planted_below(USERS, module, old, new)
    names = {name: value for copy in copies for name, value in vars(copy).items()}
    borders_within = {attribute: value for (_, attribute), value in PLANS["blocks of two steps"].items()}
    vars(copies[USERS.index(blocks)]).update(borders_within)
    return SimpleNamespace(**names)


def the_case(name):
    masked, ways = name.startswith("masked "), (1,) if name.startswith("reverse ") else (0, 1)
    name = name.removeprefix("masked ").removeprefix("reverse ")
    case = make_case(name, N=6, T=6, H=4, directions=ways, lengths=[6, 3, 0, 5, 6, 2], masked=masked)
    case.x[1, 3:], case.dy[1, 3:] = np.nan, np.nan
    return case


@pytest.mark.parametrize("name", sorted({name for name, *_ in BUGS}))
def test_copies_of_the_engine_with_nothing_planted_equal_the_textbook(name):
    unchanged = engine_with(order, "direction == 0", "direction == 0")
    assert_all_close(by_engine(the_case(name), unchanged, store_every=4), by_textbook(the_case(name)))


@pytest.mark.few(30)
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

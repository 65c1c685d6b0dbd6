"""Mistakes between directions, layers and steps that the catalogue has not: halves, signs, exchanges, sums."""

from npbilstm.mistakes import Bug
from tests.diagnosis.unknown_bugs import BOTH, GRADS, LOOP

LAYERS, GRU = "stacked_lstm_backward", "recurrent_backward"
SPLIT = "dh_fwd, dh_rev = np.split(dy, 2, axis=2)"
FORWARD, REVERSE = "lstm_backward(dh_fwd, dh_T[0]", "lstm_backward(flip(dh_rev, lengths), dh_T[1]"
GIVEN = "dh_fwd, dh_rev"
DX, PAIR = "dx = dx_fwd + flip(dx_rev, lengths)", "BiLSTMParams(grads_fwd, grads_rev)"
DH_T = "dh_t = np.where(v, dh[:, t] + dh_next, 0)"
DC_T, DC_NEXT = "dc_t = np.where(v, dc_next, 0)", "dc_next = np.where(v, dc_prev, dc_next)"
DH_NEXT = "dh_next = np.where(v, dh_prev, dh_next)"

LINES = [
    (BOTH, GIVEN, FORWARD, FORWARD.replace("dh_fwd", "0.5 * dh_fwd")),
    (BOTH, GIVEN, FORWARD, FORWARD.replace("dh_fwd", "-dh_fwd")),
    (BOTH, GIVEN, FORWARD, FORWARD.replace("dh_fwd", "dh_fwd + dh_rev")),
    (BOTH, GIVEN, FORWARD, FORWARD.replace("dh_fwd", "2 * dh_fwd - dh_rev")),
    (BOTH, GIVEN, REVERSE, REVERSE.replace("flip(dh_rev, lengths)", "0.5 * flip(dh_rev, lengths)")),
    (BOTH, GIVEN, REVERSE, REVERSE.replace("flip(dh_rev, lengths)", "3 * flip(dh_rev, lengths)")),
    (BOTH, GIVEN, SPLIT, "dh_fwd = dh_rev = 0.5 * (dy[:, :, :H] + dy[:, :, H:])"),
    (BOTH, GIVEN, SPLIT, "dh_fwd, dh_rev = dy[:, :, :H], -dy[:, :, H:]"),
    (BOTH, "dx", DX, "dx = 0.5 * dx_fwd + flip(dx_rev, lengths)"),
    (BOTH, "dx", DX, "dx = 2 * flip(dx_rev, lengths) - dx_fwd"),
    (BOTH, "grads", PAIR, PAIR.replace("grads_rev", "LSTMParams(*(0.5 * g for g in grads_rev))")),
    (BOTH, "grads", PAIR, PAIR.replace("grads_rev", "LSTMParams(*(g - k for g, k in zip(grads_rev, grads_fwd)))")),
    (BOTH, "grads", PAIR, PAIR.replace("grads_fwd", "LSTMParams(*(-g for g in grads_fwd))")),
    (LOOP, "dh_t", DH_T, DH_T.replace("dh[:, t] + dh_next", "0.5 * (dh[:, t] + dh_next)")),
    (LOOP, "dh_t", DH_T, DH_T.replace("+ dh_next", "- dh_next")),
    (LOOP, "dh_t", DH_T, DH_T.replace("+ dh_next", "+ (0.5 if t else 1) * dh_next")),
    (LOOP, "dh_t", DH_T, DH_T.replace("dh[:, t]", "dh[:, T - 1 - t]")),
    (LOOP, "dc_t", DC_T, DC_T.replace("dc_next", "0.5 * dc_next")),
    (LOOP, "dc_next", DC_NEXT, DC_NEXT.replace("v, dc_prev", "v, -dc_prev")),
    (LOOP, "dh_next", DH_NEXT, DH_NEXT.replace("v, dh_prev", "v, 0.5 * (dh_prev + dh_next)")),
    (LOOP, "dh_next", DH_NEXT, DH_NEXT.replace("v, dh_prev", "v, dh_prev + 0.5 * dc_prev")),
    (LOOP, "grads", GRADS, GRADS.replace("total + here", "total + (here if t else 0.5 * here)")),
    (LAYERS, "dh", "lstm_backward(dh, dh_T", "lstm_backward(dh if layer else 0.5 * dh, dh_T"),
    (LAYERS, "dh", "lstm_backward(dh, dh_T", "lstm_backward(-dh if layer else dh, dh_T"),
    (LAYERS, "grads", "grads.insert(0, here)", "grads.insert(0, LSTMParams(*((1 - 0.5 * layer) * g for g in here)))"),
    (LAYERS, "dx", "return dh, dh0", "return 2 * dh, dh0"),
    (GRU, "dh_t", "step_backward(dy[:, t] + dh_next", "step_backward(0.5 * dy[:, t] + dh_next"),
    (GRU, "dh_t", "step_backward(dy[:, t] + dh_next", "step_backward(dy[:, t] - dh_next"),
    (GRU, "dh_next", "np.where(v, prev, held)", "np.where(v, 0.5 * prev, held)"),
    (GRU, "grads", "total + here", "total + 0.5 * here"),
]
SHARES = [
    Bug(f"unknown-share-{k}", function, old, new, equation, "", ("", "", ""))
    for k, (function, equation, old, new) in enumerate(LINES)
]
FORMS_OF = {
    BOTH: ("both directions", "both directions, no step", "both directions, nothing else"),
    LOOP: ("no c0, no final state", "none of these", "both directions, nothing else", "two layers, nothing else"),
    LAYERS: ("two layers", "two layers, nothing else"),
    GRU: ("a GRU, no step",),
}
"""Whose mistakes are planted in which forms."""

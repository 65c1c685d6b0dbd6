"""One cell for two directions.

A reader found that both directions were given one cell: half as many weights as a bidirectional layer has.
"""

import numpy as np

from npbilstm.textbook import flip, lstm_forward

SOURCE = "fordDeepDSP/deepSpeech #20"


def bilstm_forward(x, h0, c0, params, lengths=None):
    h_fwd, h_T_fwd, c_T_fwd, _ = lstm_forward(x, h0[0], c0[0], params.forward, lengths)
    h_rev, h_T_rev, c_T_rev, _ = lstm_forward(flip(x, lengths), h0[1], c0[1], params.forward, lengths)
    y = np.concatenate([h_fwd, flip(h_rev, lengths)], axis=2)
    h_T = np.stack([h_T_fwd, h_T_rev])
    return y, h_T, np.stack([c_T_fwd, c_T_rev])


MENDED = {"c0[1], params.forward": "c0[1], params.reverse"}
NAMED = "reverse-uses-forward-weights"

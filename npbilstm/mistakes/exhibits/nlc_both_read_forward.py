"""Both read forward.

When the code moved to another function, the reversal stayed behind: two directions that read the same way.
"""

import numpy as np

from npbilstm.textbook import flip, lstm_forward

SOURCE = "stanfordmlgroup/nlc #8"


def bilstm_forward(x, h0, c0, params, lengths=None):
    h_fwd, h_T_fwd, c_T_fwd, _ = lstm_forward(x, h0[0], c0[0], params.forward, lengths)
    h_rev, h_T_rev, c_T_rev, _ = lstm_forward(x, h0[1], c0[1], params.reverse, lengths)
    y = np.concatenate([h_fwd, flip(h_rev, lengths)], axis=2)
    h_T = np.stack([h_T_fwd, h_T_rev])
    return y, h_T, np.stack([c_T_fwd, c_T_rev])


MENDED = {"lstm_forward(x, h0[1]": "lstm_forward(flip(x, lengths), h0[1]"}
NAMED = "reverse-input-not-flipped"

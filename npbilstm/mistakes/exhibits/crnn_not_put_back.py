"""Not put back in order.

`go_backwards=True` reverses the input and leaves the output in the order in which it was made. Joined with the
forward half, each position had what one direction knew of it and what the other knew of another.
"""

import numpy as np

from npbilstm.textbook import flip, lstm_forward

SOURCE = "sbillburg/CRNN-with-STN #12, keras-team/keras #1431"


def bilstm_forward(x, h0, c0, params, lengths=None):
    h_fwd, h_T_fwd, c_T_fwd, _ = lstm_forward(x, h0[0], c0[0], params.forward, lengths)
    h_rev, h_T_rev, c_T_rev, _ = lstm_forward(flip(x, lengths), h0[1], c0[1], params.reverse, lengths)
    y = np.concatenate([h_fwd, h_rev], axis=2)
    h_T = np.stack([h_T_fwd, h_T_rev])
    return y, h_T, np.stack([c_T_fwd, c_T_rev])


MENDED = {"[h_fwd, h_rev]": "[h_fwd, flip(h_rev, lengths)]"}
NAMED = "reverse-output-not-flipped"

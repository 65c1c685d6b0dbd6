"""Half of the gradient.

Both directions were walked back, and one of them was added up. "totalGradient += backwardGradient" is the whole of
the line that was missing. "Nice catch!"
"""

import numpy as np

from npbilstm.textbook import BiLSTMParams, LSTMParams, flip, lstm_backward

SOURCE = "mlpack/mlpack #1742"


def bilstm_backward(dy, dh_T, dc_T, cache):
    dh_fwd, dh_rev = np.split(dy, 2, axis=2)
    dx_fwd, dh0_fwd, dc0_fwd, grads_fwd = lstm_backward(dh_fwd, dh_T[0], dc_T[0], cache.forward)
    dx_rev, dh0_rev, dc0_rev, grads_rev = lstm_backward(flip(dh_rev, cache.lengths), dh_T[1], dc_T[1], cache.reverse)
    dx = dx_fwd + flip(dx_rev, cache.lengths)
    total = LSTMParams(*(np.zeros_like(weight) for weight in grads_rev))
    return dx, np.stack([dh0_fwd, dh0_rev]), np.stack([dc0_fwd, dc0_rev]), BiLSTMParams(grads_fwd, total)


MENDED = {"(np.zeros_like(weight) for weight in grads_rev)": "(np.zeros_like(each) + each for each in grads_rev)"}
NAMED = "reverse-grads-dropped"

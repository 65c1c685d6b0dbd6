"""The final cell is an output, too.

A layer gave back all hidden states, the last of them, and the last cell. What came back to the last cell was not
looked at. A test found it in which the loss was made of it: multiply it by 0, and the check passes.
"""

import numpy as np

from npbilstm.textbook import LSTMParams, lstm_step_backward

SOURCE = "deeplearning4j/deeplearning4j #8838"


def lstm_backward(dh, dh_T, dc_T, cache):
    valid, dx, grads = cache.valid[:, :, None], [], [0, 0, 0]
    dh_next, dc_next = dh_T, np.zeros_like(dc_T)
    for t in reversed(range(len(cache.steps))):
        v = valid[:, t]
        dh_t, dc_t = np.where(v, dh[:, t] + dh_next, 0), np.where(v, dc_next, 0)
        dxt, dh_prev, dc_prev, here = lstm_step_backward(dh_t, dc_t, cache.steps[t])
        dh_next, dc_next = np.where(v, dh_prev, dh_next), np.where(v, dc_prev, dc_next)
        dx.insert(0, dxt)
        grads = [total + each for total, each in zip(grads, here)]
    return np.stack(dx, axis=1), dh_next, dc_next, LSTMParams(*grads)


MENDED = {"np.zeros_like(dc_T)": "dc_T"}
NAMED = "dc-final-ignored"

"""A reset gate that resets nothing.

The gate was computed, and the candidate was made of the state as it is. The gate's weights had no gradient at all,
which nobody looks at.
"""

import numpy as np

from npbilstm.textbook import sigmoid

SOURCE = "zhiyongc/GRU-D #2"


def gru_reset_before_step_forward(x, h_prev, Wx, Wh, b):
    Wh_r, Wh_z, Wh_n = np.split(Wh, 3, axis=1)
    a_r, a_z, a_n = np.split(x @ Wx + b, 3, axis=1)
    r, z = sigmoid(a_r + h_prev @ Wh_r), sigmoid(a_z + h_prev @ Wh_z)
    n = np.tanh(a_n + h_prev @ Wh_n)
    return (1 - z) * n + z * h_prev


MENDED = {"n = np.tanh(a_n + h_prev @ Wh_n)": "n = np.tanh(a_n + (r * h_prev) @ Wh_n)"}
NAMED = "gru-before-candidate-not-reset"

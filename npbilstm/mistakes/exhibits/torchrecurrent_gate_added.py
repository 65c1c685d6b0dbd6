"""A gate that is added.

A plus for a times: the input gate was added to the candidate, where it should scale it. No shape and no range tells.
"""

import numpy as np

from npbilstm.textbook import sigmoid

SOURCE = "MartinuzziFrancesco/torchrecurrent #22"


def lstm_step_forward(x, h_prev, c_prev, Wx, Wh, b):
    a = x @ Wx + h_prev @ Wh + b
    a_i, a_f, a_g, a_o = np.split(a, 4, axis=1)
    i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    c = f * c_prev + i + g
    h = o * np.tanh(c)
    return h, c


MENDED = {
    "c = f * c_prev + i + g": "c = f * c_prev + i * g",
}
NAMED = "cell-adds-gate-to-candidate"

"""The bias added twice.

Once where the input is multiplied for all steps at once, and once more in the step. The weights learn half of it, so
the model trains as well as before; only whoever carries weights over is in for it.
"""

import numpy as np

from npbilstm.textbook import sigmoid

SOURCE = "lisa-lab/DeepLearningTutorials #81"


def lstm_step_forward(x, h_prev, c_prev, Wx, Wh, b):
    a = (x @ Wx + b) + (h_prev @ Wh + b)
    a_i, a_f, a_g, a_o = np.split(a, 4, axis=1)
    i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    c = f * c_prev + i * g
    h = o * np.tanh(c)
    return h, c


MENDED = {
    "a = (x @ Wx + b) + (h_prev @ Wh + b)": "a = x @ Wx + h_prev @ Wh + b",
}
NAMED = "bias-added-twice"

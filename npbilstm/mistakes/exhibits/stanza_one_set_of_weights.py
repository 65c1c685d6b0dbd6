"""One set of weights for all gates.

Four lines that differ in nothing but what they are called: each gate took the input gate's weights, and the other
three sets would never have learned. By luck the class was used nowhere.
"""

import numpy as np

from npbilstm.textbook import sigmoid

SOURCE = "stanfordnlp/stanza #88"


def lstm_step_forward(x, h_prev, c_prev, Wx, Wh, b):
    a = x @ Wx + h_prev @ Wh + b
    a_i = a_f = a_g = a_o = np.split(a, 4, axis=1)[0]
    i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    c = f * c_prev + i * g
    h = o * np.tanh(c)
    return h, c


MENDED = {
    "a_i = a_f = a_g = a_o = np.split(a, 4, axis=1)[0]": "a_i, a_f, a_g, a_o = np.split(a, 4, axis=1)",
}
NAMED = "one-block-for-all-gates"

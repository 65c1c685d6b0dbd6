"""The cell shown as it is.

h = o * c, without the tanh between them. Reported again and again, for the text that it follows allows it, most of
what learners read does not, and weights of the one are wrong in the other.
"""

import numpy as np

from npbilstm.textbook import sigmoid

SOURCE = "nicodjimenez/lstm #47"


def lstm_step_forward(x, h_prev, c_prev, Wx, Wh, b):
    a = x @ Wx + h_prev @ Wh + b
    a_i, a_f, a_g, a_o = np.split(a, 4, axis=1)
    i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    c = f * c_prev + i * g
    h = o * c
    return h, c


MENDED = {
    "h = o * c": "h = o * np.tanh(c)",
}
NAMED = "output-without-tanh"

"""The gates in another order.

Weights in the order of the file they came in, read in another: a program that tells who speaks when took the gates of
ONNX, i, o, f, c, for i, f, g, o. All shapes fit. On recordings with several speakers it fell apart.
"""

import numpy as np

from npbilstm.textbook import sigmoid

SOURCE = "CrispStrobe/CrispASR #106"


def lstm_step_forward(x, h_prev, c_prev, Wx, Wh, b):
    a = x @ Wx + h_prev @ Wh + b
    a_i, a_o, a_f, a_g = np.split(a, 4, axis=1)
    i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    c = f * c_prev + i * g
    h = o * np.tanh(c)
    return h, c


MENDED = {
    "a_i, a_o, a_f, a_g = np.split(a, 4, axis=1)": "a_i, a_f, a_g, a_o = np.split(a, 4, axis=1)",
}
NAMED = "gate-order-iofg"
SETTINGS = {"gates": "ifgo"}  # the order that is asked for: in another this would be right

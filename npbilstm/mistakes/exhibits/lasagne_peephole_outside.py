"""A gate above 1.

The peephole's part was added to the output gate when it had been squashed. "Even with sigmoid activation I would
sometimes get 1 < output or output < 0."
"""

import numpy as np

from npbilstm.textbook import sigmoid

SOURCE = "Lasagne/Lasagne #448"


def lstm_variant_step_forward(x, h_prev, c_prev, Wx, Wh, b, p, Wp, mask):
    p_i, p_f, p_o = np.split(p, 3)
    a_i, a_f, a_g, a_o = np.split(x @ Wx + (mask * h_prev) @ Wh + b, 4, axis=1)
    i, f, g = sigmoid(a_i + p_i * c_prev), sigmoid(a_f + p_f * c_prev), np.tanh(a_g)
    c = f * c_prev + i * g
    o = sigmoid(a_o) + p_o * c
    return (o * np.tanh(c)) @ Wp, c


MENDED = {"o = sigmoid(a_o) + p_o * c": "o = sigmoid(a_o + p_o * c)"}
NAMED = "variant-output-peephole-after-sigmoid"

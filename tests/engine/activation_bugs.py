"""Mistakes to plant in the activations and where the cells use them, for test_planted_bugs.py."""

from npbilstm.engine import activations, gru, lstm
from npbilstm.layers import lstm_variants

HARD = "LSTM, coupled, peepholes, hard_sigmoid"
ANY_GRU = "GRU, relu, hard_sigmoid_sixth"

ACTIVATION_BUGS = [
    (
        "RNN, relu",
        activations,
        "relu' is 1",
        'greater(y.real, ZERO, out, casting="unsafe")\n\n\ndef hard_sigmoid(',
        'greater(y.real, -ONE, out, casting="unsafe")\n\n\ndef hard_sigmoid(',
    ),
    ("RNN, relu", activations, "relu lets all through", "maximum(a, ZERO, out=out)", "add(a, ZERO, out)"),
    (
        "RNN, sigmoid",
        activations,
        "sigmoid is of a, not of a/2",
        "    multiply(a, HALF, out)\n    sigmoid",
        "    multiply(a, ONE, out)\n    sigmoid",
    ),
    ("RNN, sigmoid", activations, "sigmoid' is y", "    multiply(out, y, out)\n", "    out[...] = y\n"),
    (HARD, activations, "the hard sigmoid is not cut off above", "        minimum(out, ONE, out=out)\n", ""),
    (HARD, activations, "nor below", "        maximum(out, ZERO, out=out)\n", ""),
    (HARD, activations, "its slope goes on above", "        multiply(out, less(y.real, ONE), out)\n", ""),
    (HARD, activations, "its slope is 1", "        multiply(out, slope, out)\n", ""),
    (HARD, activations, "the other hard sigmoid", 'sigmoid": hard_sigmoid(1 / 5)', 'sigmoid": hard_sigmoid(1 / 6)'),
    ("LSTM, relu", lstm_variants, "the cell's function is tanh", "show(c, m)", "np.tanh(c, m)"),
    ("LSTM, relu", lstm_variants, "the candidate's function is tanh", "squash(g, g)", "np.tanh(g, g)"),
    ("LSTM, relu", lstm, "c's factor lacks o", "    multiply(F_c, o, F_c)\n", ""),
    ("LSTM, relu", lstm, "g's factor lacks i", "    multiply(F_g, i, F_g)\n", ""),
    ("LSTM, relu", lstm, "o's factor lacks the cell", "    multiply(F_o, tanh_c, F_o)\n", ""),
    (
        "LSTM, relu",
        lstm_variants,
        "the sigmoids' scale for all",
        "(*[self.gate.scale] * 3, self.activation.scale)",
        "(self.gate.scale,) * 4",
    ),
    (ANY_GRU, gru, "any: n's factor lacks 1 - z", "        multiply(F_n, F_q, F_n)  # (1 - z)(1 - n^2)\n", ""),
    (ANY_GRU, gru, "any: z's factor lacks h - n", "        multiply(F_z, F_q, F_z)  # (h_{t-1} - n) z (1 - z)\n", ""),
    (ANY_GRU, gru, "any: r's factor lacks q", "            multiply(F_r, q, F_r)\n", ""),
    (ANY_GRU, gru, "any: q's factor lacks r", "multiply(F_n, r, F_q)", "F_q[...] = F_n"),
    (ANY_GRU, gru, "the candidate is squashed by tanh", "squash(n, n)", "np.tanh(n, n)"),
    (
        "GRU, reset before, sigmoid, hard_sigmoid",
        gru,
        "any: r's factor lacks h",
        "            multiply(F_r, h_in, F_r)\n",
        "            pass\n",
    ),
]

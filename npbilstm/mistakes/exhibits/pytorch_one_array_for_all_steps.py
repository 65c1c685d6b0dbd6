"""One array for all steps.

The loop that a manual shows for its recurrent layer wrote each new state into one array and appended that array to
the outputs. All of them were the last. It was reported again and again, for this and for other lines.
"""

import numpy as np

SOURCE = "pytorch/pytorch #142303, #153620"


def rnn_forward(x, h0, Wx, Wh, b):
    h, outputs = h0.copy(), []
    for t in range(x.shape[1]):
        h[:] = np.tanh(x[:, t] @ Wx + h @ Wh + b)
        outputs.append(h)
    return np.stack(outputs, axis=1)


MENDED = {"outputs.append(h)": "outputs.append(h.copy())"}
NAMED = "recurrent-output-overwritten-at-every-step"

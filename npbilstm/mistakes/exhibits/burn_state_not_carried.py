"""Every step from the beginning.

The loop over time computed all steps from the state that it was given: step t saw nothing of step t - 1. Sequences of
one step were right, and the tests had one step.
"""

import numpy as np

from npbilstm.textbook import GRUParams, gru_step_forward

SOURCE = "tracel-ai/burn #2701"


def gru_forward(x, h0, Wx, Wh, b, b_hn):
    h, hs = h0, []
    for t in range(x.shape[1]):
        h, _ = gru_step_forward(x[:, t], h0, GRUParams(Wx, Wh, b, b_hn))
        hs.append(h)
    return np.stack(hs, axis=1)


MENDED = {"gru_step_forward(x[:, t], h0, ": "gru_step_forward(x[:, t], h, "}
NAMED = "recurrent-state-not-carried"

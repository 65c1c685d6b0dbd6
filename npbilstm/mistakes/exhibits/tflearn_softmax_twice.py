"""Two softmaxes.

The model ended in a softmax, and the loss took another of what came out. It learns, slowly: the second is given
numbers between 0 and 1, and can never be sure.
"""

import numpy as np

SOURCE = "tflearn/tflearn #562, jaehong31/CGES #1"


def softmax_cross_entropy_forward(logits, targets, lengths):
    valid = np.arange(targets.shape[1]) < lengths[:, None]
    z = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=2, keepdims=True))
    losses = -np.take_along_axis(log_p, targets[:, :, None], axis=2)[:, :, 0]
    return (losses * valid).sum() / max(valid.sum(), 1)


MENDED = {"z = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)": "z = logits"}
NAMED = "cross-entropy-softmax-taken-twice"

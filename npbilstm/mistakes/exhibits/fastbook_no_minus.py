"""Small where it is wrong.

A book shows how a loss picks the probability of the right class, and forgot the minus before it: the better the
model, the larger the number.
"""

import numpy as np

SOURCE = "fastai/fastbook #478"


def softmax_cross_entropy_forward(logits, targets, lengths):
    valid = np.arange(targets.shape[1]) < lengths[:, None]
    z = logits
    log_p = z - np.log(np.exp(z).sum(axis=2, keepdims=True))
    losses = np.take_along_axis(log_p, targets[:, :, None], axis=2)[:, :, 0]
    return (losses * valid).sum() / max(valid.sum(), 1)


MENDED = {"losses = np.take": "losses = -np.take"}
NAMED = "cross-entropy-loss-sign"

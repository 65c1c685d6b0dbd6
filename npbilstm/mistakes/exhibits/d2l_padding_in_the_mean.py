"""A mean over padding.

The losses of padded steps were multiplied by 0, and then the mean over all steps was taken: short rows count for
less, and the more the batch is padded, the smaller the loss.
"""

import numpy as np

SOURCE = "d2l-ai/d2l-en #2076, dmlc/gluon-nlp #238"


def softmax_cross_entropy_forward(logits, targets, lengths):
    valid = np.arange(targets.shape[1]) < lengths[:, None]
    z = logits
    log_p = z - np.log(np.exp(z).sum(axis=2, keepdims=True))
    losses = -np.take_along_axis(log_p, targets[:, :, None], axis=2)[:, :, 0]
    return (losses * valid).mean(axis=1).mean()


MENDED = {"(losses * valid).mean(axis=1).mean()": "(losses * valid).sum() / max(valid.sum(), 1)"}
NAMED = "cross-entropy-mean-counts-padding"

"""Added to itself.

`dc += dc`: the gradient of the output's bias was 0 when it began, and so it stayed, for every step of every training
that anybody ran with it.
"""

import numpy as np

SOURCE = "javaidnabi31/RNN-from-scratch #2"


def affine_forward(x, W, b):
    return x @ W + b, (x, W)


def affine_backward(dy, cache):
    x, W = cache
    dW, db = np.zeros_like(W), np.zeros(W.shape[1])
    for t in range(x.shape[1]):
        dW += x[:, t].T @ dy[:, t]
        db += db
    return dy @ W.T, dW, db


MENDED = {"db += db": "db += dy[:, t].sum(axis=0)"}
NAMED = "affine-db-added-to-itself"

"""Two places, one symbol.

`dW[ids] += dx` reads the rows, adds, and writes them back: of two places with one symbol the last one written stays.
The authors of a library that computes gradients fell for it, and so did PyTorch and MXNet.
"""

import numpy as np

SOURCE = "HIPS/autograd #39, pytorch/pytorch #1528, apache/mxnet #9172"


def embedding_forward(ids, W):
    return W[ids], (ids, W)


def embedding_backward(dx, cache):
    ids, W = cache
    dW = np.zeros_like(W)
    dW[ids] += dx
    return dW


MENDED = {"dW[ids] += dx": "np.add.at(dW, ids, dx)"}
NAMED = "embedding-repeats-lost"

"""A base class, a Dense, an Embedding and the loss, each its own way; gradients beside the weights."""

import numpy as np
from abc import ABC, abstractmethod


class Layer(ABC):
    trainable = True

    @abstractmethod
    def forward(self, inputs): ...

    @abstractmethod
    def backward(self, dvalues): ...


class Dense(Layer):
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out) / np.sqrt(n_in)
        self.b = np.zeros(n_out)

    def forward(self, inputs):
        self.x = inputs
        return inputs @ self.W + self.b

    def backward(self, dvalues):
        self.grad_W = self.x.T @ dvalues
        self.grad_b = dvalues.sum(axis=0)
        return dvalues @ self.W.T


class Embedding(Layer):
    def __init__(self, vocab, dim):
        self.weights = np.random.randn(vocab, dim)

    def forward(self, inputs):
        self.ids = inputs
        return self.weights[inputs]

    def backward(self, dvalues):
        self.dweights = np.zeros_like(self.weights)
        np.add.at(self.dweights, self.ids, dvalues)


class SoftmaxCrossEntropyLoss:
    def forward(self, inputs, targets):
        shifted = inputs - inputs.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.output = np.exp(log_p)
        return -np.mean(log_p[np.arange(len(targets)), targets])

    def backward(self, dvalues, targets):
        d = dvalues.copy()
        d[np.arange(len(targets)), targets] -= 1
        return d / len(targets)

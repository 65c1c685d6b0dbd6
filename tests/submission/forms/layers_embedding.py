import numpy as np


class Embedding:
    def __init__(self, vocab_size, embedding_dim):
        self.weights = np.random.randn(vocab_size, embedding_dim)

    def forward(self, inputs):
        self.inputs = inputs
        return self.weights[inputs]

    def backward(self, dvalues):
        self.dweights = np.zeros_like(self.weights)
        for place in np.ndindex(*self.inputs.shape):
            self.dweights[self.inputs[place]] += dvalues[place]

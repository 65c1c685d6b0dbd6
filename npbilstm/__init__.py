"""npbilstm: bidirectional LSTMs in plain NumPy, to read, run, check and learn from.

    import npbilstm as nb

    layer = nb.BiLSTM(input_size=3, hidden_size=4)
    y, (h_n, c_n), cache = layer.forward(x, lengths, training=True)
    dx, grads, (dh_0, dc_0) = layer.backward(dy, cache)
    nb.check_gradients(loss, params, grads)

textbook/   the mathematics, one equation a line: start reading here
engine/     the same, fast
layers/     parameters and an engine: LSTM, BiLSTM, Linear, Embedding, Dropout, and models made of them
gradcheck/  is this gradient right?
training/   optimisers, the loop, checkpoints
datasets/   Python source code and tagged text
"""

from npbilstm import datasets, engine, gradcheck, layers, textbook, training
from npbilstm.datasets import TaggedData, Vocabulary, python_source, tagged_text
from npbilstm.gradcheck import GradientReport, check_gradients
from npbilstm.layers import LSTM, BiLSTM, Dropout, Embedding, Linear, SequenceClassifier, SequenceTagger
from npbilstm.textbook import flip, softmax_cross_entropy_backward, softmax_cross_entropy_forward
from npbilstm.training import (
    SGD,
    Adam,
    Settings,
    Trainer,
    clip_by_global_norm,
    load_model,
    load_trainer,
    pad,
    save_checkpoint,
    save_model,
)

__version__ = "0.1.0"

__all__ = [
    "LSTM",
    "SGD",
    "Adam",
    "BiLSTM",
    "Dropout",
    "Embedding",
    "GradientReport",
    "Linear",
    "SequenceClassifier",
    "SequenceTagger",
    "Settings",
    "TaggedData",
    "Trainer",
    "Vocabulary",
    "check_gradients",
    "clip_by_global_norm",
    "datasets",
    "engine",
    "flip",
    "gradcheck",
    "layers",
    "load_model",
    "load_trainer",
    "pad",
    "python_source",
    "save_checkpoint",
    "save_model",
    "softmax_cross_entropy_backward",
    "softmax_cross_entropy_forward",
    "tagged_text",
    "textbook",
    "training",
]

"""Layers: parameters and an engine; and models made of them."""

from npbilstm.layers.dropout import Dropout
from npbilstm.layers.embedding import Embedding
from npbilstm.layers.gru import GRU
from npbilstm.layers.layer import Layer
from npbilstm.layers.linear import Linear
from npbilstm.layers.lstm import LSTM, BiLSTM
from npbilstm.layers.models import SequenceClassifier, SequenceTagger
from npbilstm.layers.options import Activation, CellName, Direction, Init, Merge, Pooling
from npbilstm.layers.recurrent import Recurrent
from npbilstm.layers.rnn import RNN

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "BiLSTM",
    "CellName",
    "Direction",
    "Dropout",
    "Embedding",
    "Init",
    "Layer",
    "Linear",
    "Merge",
    "Pooling",
    "Recurrent",
    "SequenceClassifier",
    "SequenceTagger",
]

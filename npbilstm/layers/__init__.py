"""Layers: parameters and an engine."""

from npbilstm.layers.dropout import Dropout
from npbilstm.layers.embedding import Embedding
from npbilstm.layers.gru import GRU
from npbilstm.layers.layer import Layer
from npbilstm.layers.linear import Linear
from npbilstm.layers.lstm import LSTM, BiLSTM
from npbilstm.layers.options import Activation, CellName, Direction, Init, Merge
from npbilstm.layers.recurrent import Recurrent
from npbilstm.layers.rnn import RNN
from npbilstm.layers.row_gradient import RowGradient

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
    "Recurrent",
    "RowGradient",
]

"""Layers: parameters and an engine; and models made of them."""

from npbilstm.layers.dropout import Dropout
from npbilstm.layers.embedding import Embedding
from npbilstm.layers.layer import Layer
from npbilstm.layers.linear import Linear
from npbilstm.layers.lstm import LSTM, BiLSTM
from npbilstm.layers.models import SequenceClassifier, SequenceTagger

__all__ = ["LSTM", "BiLSTM", "Dropout", "Embedding", "Layer", "Linear", "SequenceClassifier", "SequenceTagger"]

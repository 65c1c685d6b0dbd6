"""The textbook's mathematics, made fast: what the layers run on. Not checked for bad input here; the layers do that."""

from npbilstm.engine.lstm import LSTMCache, lstm_backward, lstm_forward
from npbilstm.engine.tiles import Weights

__all__ = ["LSTMCache", "Weights", "lstm_backward", "lstm_forward"]

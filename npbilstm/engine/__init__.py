"""The textbook's mathematics, made fast: what the layers run on. Not checked for bad input here; the layers do that."""

from npbilstm.engine.activations import ACTIVATIONS
from npbilstm.engine.gru import gru_cell
from npbilstm.engine.lstm import LSTM
from npbilstm.engine.lstm_variants import lstm_cell
from npbilstm.engine.passes import RecurrentCache, recurrent_backward, recurrent_forward
from npbilstm.engine.recurrence import Cell, Weights
from npbilstm.engine.rnn import rnn_cell
from npbilstm.engine.steps import backward_steps_of, forward_steps_of

__all__ = [
    "ACTIVATIONS",
    "LSTM",
    "Cell",
    "RecurrentCache",
    "Weights",
    "backward_steps_of",
    "forward_steps_of",
    "gru_cell",
    "lstm_cell",
    "recurrent_backward",
    "recurrent_forward",
    "rnn_cell",
]

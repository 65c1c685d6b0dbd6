"""The textbook's mathematics, made fast: what the layers run on. Not checked for bad input here; the layers do that."""

from npbilstm.engine.gru import GRU, GRU_RESET_BEFORE
from npbilstm.engine.lstm import LSTM
from npbilstm.engine.lstm_variants import lstm_cell
from npbilstm.engine.recurrence import Cell, RecurrentCache, Weights, recurrent_backward, recurrent_forward
from npbilstm.engine.rnn import RELU_RNN, TANH_RNN
from npbilstm.engine.steps import backward_steps_of, forward_steps_of

__all__ = [
    "GRU",
    "GRU_RESET_BEFORE",
    "LSTM",
    "RELU_RNN",
    "TANH_RNN",
    "Cell",
    "RecurrentCache",
    "Weights",
    "backward_steps_of",
    "forward_steps_of",
    "lstm_cell",
    "recurrent_backward",
    "recurrent_forward",
]

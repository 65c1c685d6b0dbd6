"""The recurrent layers by the names of their cells."""

from npbilstm.layers.gru import GRU
from npbilstm.layers.lstm import LSTM
from npbilstm.layers.recurrent import Recurrent
from npbilstm.layers.rnn import RNN

CELLS: dict[str, type[Recurrent]] = {"lstm": LSTM, "gru": GRU, "rnn": RNN}
"""Those that a model may have."""

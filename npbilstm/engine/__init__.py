"""The textbook's mathematics, made fast: what the layers run on. Not checked for bad input here; the layers do that.

Every cell and activation is the same function as its textbook twin of the same name; tests hold the two equal. To read
in this order, tutorials/guides/engine.md beside it:

recurrence.py      notation, layout, and the one loop over time: begin here
lstm.py            an LSTM's equations in it; cell.py says what any cell must supply
workspace.py       the memory that a block of steps works in, the sums of dW and dx; group.py: what a pass is given
time_order.py      how a reverse direction goes, where rows end
passes.py          a layer's two passes: directions together or apart, states stored at intervals
schedule.py        which way is fast for which shape; helper.py is the second thread
tiles.py           weights as BLAS likes them; buffers.py lends memory again
rnn.py, gru.py, activations.py   the other cells; what layers/lstm_variants.py adds is written upon these
"""

from npbilstm.engine.activations import ACTIVATIONS as ACTIVATIONS
from npbilstm.engine.cell import Cell as Cell
from npbilstm.engine.cell import Weights as Weights
from npbilstm.engine.gru import gru_cell as gru_cell
from npbilstm.engine.lstm import lstm_cell as lstm_cell
from npbilstm.engine.passes import RecurrentCache as RecurrentCache
from npbilstm.engine.passes import recurrent_backward as recurrent_backward
from npbilstm.engine.passes import recurrent_forward as recurrent_forward
from npbilstm.engine.rnn import rnn_cell as rnn_cell

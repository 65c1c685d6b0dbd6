"""The mathematics, one concept a file, one equation a line. Read in this order:

activations, one_sequence (the loop as papers print it), lstm (the batch), sequences (lengths, padding, the flip),
bidirectional, losses.

All of it is pure functions with explicit caches:

    out, cache = thing_forward(inputs..., params)
    d_inputs, grads = thing_backward(d_out, cache)
"""

from npbilstm.textbook.activations import sigmoid, sigmoid_derivative, tanh, tanh_derivative
from npbilstm.textbook.bidirectional import BiLSTMCache, BiLSTMParams, bilstm_backward, bilstm_forward
from npbilstm.textbook.losses import (
    CrossEntropyCache,
    softmax_cross_entropy_backward,
    softmax_cross_entropy_forward,
)
from npbilstm.textbook.lstm import (
    LSTMCache,
    LSTMParams,
    LSTMStepCache,
    lstm_backward,
    lstm_forward,
    lstm_step_backward,
    lstm_step_forward,
)
from npbilstm.textbook.one_sequence import (
    GateParams,
    fuse,
    sequence_bilstm_backward,
    sequence_bilstm_forward,
    sequence_lstm_backward,
    sequence_lstm_forward,
)
from npbilstm.textbook.sequences import check_lengths, flip, valid_steps

__all__ = [
    "BiLSTMCache",
    "BiLSTMParams",
    "CrossEntropyCache",
    "GateParams",
    "LSTMCache",
    "LSTMParams",
    "LSTMStepCache",
    "bilstm_backward",
    "bilstm_forward",
    "check_lengths",
    "flip",
    "fuse",
    "lstm_backward",
    "lstm_forward",
    "lstm_step_backward",
    "lstm_step_forward",
    "sequence_bilstm_backward",
    "sequence_bilstm_forward",
    "sequence_lstm_backward",
    "sequence_lstm_forward",
    "sigmoid",
    "sigmoid_derivative",
    "softmax_cross_entropy_backward",
    "softmax_cross_entropy_forward",
    "tanh",
    "tanh_derivative",
    "valid_steps",
]

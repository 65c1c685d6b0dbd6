"""The catalogue: mistakes that people make in recurrent networks' passes, and in what stands around them.

Each file has those of one concept of the textbook, in the order of its equations.
"""

from __future__ import annotations

from npbilstm.mistakes.catalogue import (
    activations,
    affine,
    bidirectional,
    clipping,
    constant_clips,
    cross_entropy,
    dropout,
    embedding,
    gradient_check,
    gru_cell,
    gru_reset_before,
    gru_step,
    gru_step_weights,
    in_place,
    losses_of_numbers,
    lstm_bptt,
    lstm_cell,
    lstm_sequence,
    lstm_step,
    lstm_step_weights,
    pooling,
    recurrence,
    recurrence_over_time,
    rnn,
    scale_and_sign,
    sequences,
    stacked,
    truncated,
    variants,
    wrapped_index,
)
from npbilstm.mistakes.planting import Bug

FILES = (
    activations,
    lstm_cell,
    lstm_step,
    lstm_step_weights,
    lstm_sequence,
    lstm_bptt,
    wrapped_index,
    scale_and_sign,
    constant_clips,
    sequences,
    bidirectional,
    in_place,
    embedding,
    affine,
    cross_entropy,
    losses_of_numbers,
    pooling,
    rnn,
    gru_cell,
    gru_step,
    gru_step_weights,
    gru_reset_before,
    variants,
    dropout,
    recurrence,
    recurrence_over_time,
    truncated,
    stacked,
    clipping,
    gradient_check,
)

BUGS: dict[str, Bug] = {bug.id: bug for file in FILES for bug in file.BUGS}

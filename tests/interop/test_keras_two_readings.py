"""Lists of arrays that are two things at once: neither is read before somebody says which."""

import numpy as np
import pytest

from npbilstm.interop import from_keras

D, H = 3, 4


def drawn(*shapes):
    return [np.random.default_rng(0).standard_normal(shape) for shape in shapes]


SIMPLE = drawn((H, H), (H, H), (H,))
OBLONG = drawn((D, H), (H, H), (H,))
SQUARE = drawn((H, 4 * H), (H, 4 * H), (4 * H,))


@pytest.mark.parametrize(
    ("weights", "options", "sentence"),
    [
        (4 * SIMPLE, {}, "4 stacked SimpleRNN layers, and as well those of an LSTM of Keras 1, .* 'rnn' or 'lstm'"),
        (3 * SIMPLE, {}, "3 stacked SimpleRNN layers, and as well those of a GRU of Keras 1, .* 'rnn' or 'gru'"),
        (12 * SIMPLE, {}, "an LSTM or a GRU of Keras 1, .* 'rnn' or 'lstm' or 'gru'"),
        ([*drawn((9, H)), *4 * SIMPLE, *drawn((H, 2), (2,))], {"model": "tagger"}, "cell needs to be given"),
        (4 * SIMPLE, {"cell": "rnn"}, "4 stacked layers of one direction, and as well those of 2 of two directions"),
        (4 * SQUARE, {}, "bidirectional needs to be given, True or False, and with True merge"),
        (4 * SQUARE, {"bidirectional": True}, 'merge is needed, "sum", "mul" or "ave"'),
        (
            8 * drawn((D, H), (H, H), (H,)),
            {"cell": "lstm"},
            "24 arrays, as Keras 1 has them: .* Join each kind of each layer and direction",
        ),
    ],
)
def test_arrays_of_which_two_readings_fit_are_not_read_as_either(weights, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        from_keras(weights, **options)


def test_what_is_asked_for_decides_between_two_readings():
    assert from_keras(4 * SIMPLE, "rnn", bidirectional=False).num_layers == 4
    assert from_keras(4 * SQUARE, bidirectional=False).num_layers == 4
    both = from_keras(4 * SQUARE, merge="sum", bidirectional=True)
    assert (both.num_layers, both.merge) == (2, "sum")
    assert from_keras(5 * SIMPLE).num_layers == 5

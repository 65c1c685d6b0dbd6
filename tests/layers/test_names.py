"""The names of parameters: what bias=False leaves out, and one flat dict of several layers' and back."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.layers.layer import join, part_of
from tests.layers.recurrent_cases import KINDS

BIASES = {"LSTM": {"b"}, "GRU": {"b", "b_hn"}, "GRU reset before": {"b"}, "RNN tanh": {"b"}, "RNN relu": {"b"}}


@pytest.mark.parametrize("kind", KINDS)
def test_without_bias_there_are_no_biases_and_all_else_is_there(kind):
    make, own = KINDS[kind]
    with_bias, without = (set(make(3, 4, 2, bidirectional=True, bias=bias, **own).params) for bias in (True, False))
    left_out = {f"{k}.{way}.{name}" for k in (0, 1) for way in ("forward", "reverse") for name in BIASES[kind]}
    assert with_bias - without == left_out
    assert without < with_bias


def test_joined_names_come_apart_again_also_where_one_begins_like_another():
    parts = {"lstm": {"b": np.zeros(1), "0.b": np.zeros(2)}, "lstm2": {"b": np.zeros(3)}, "l": {"stm.b": np.zeros(4)}}
    joined = join(parts)
    assert list(joined) == ["lstm.b", "lstm.0.b", "lstm2.b", "l.stm.b"]
    for part, params in parts.items():
        assert part_of(joined, part) == params


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (nb.Linear, ("input_size", "output_size")),
        (nb.Embedding, ("num_embeddings", "embedding_size")),
        (nb.LSTM, ("input_size", "hidden_size", "num_layers")),
    ],
)
def test_a_size_that_makes_no_layer_is_named(make, names):
    for k, name in enumerate(names):
        sizes = [3] * len(names)
        sizes[k] = 0
        with pytest.raises(ValueError, match=f"^{name} is 0; it needs to be at least 1$"):
            make(*sizes)
        sizes[k] = 1.0
        with pytest.raises(TypeError, match=f"^{name} is 1.0; it needs a whole number$"):
            make(*sizes)


@pytest.mark.parametrize("p", [-0.5, 1, 1.5, float("nan"), True, "half", None])
def test_a_probability_that_is_none_is_named(p):
    for name, make in [
        ("p", nb.Dropout),
        ("dropout", lambda p: nb.LSTM(3, 4, dropout=p)),
        ("input_dropout", lambda p: nb.RNN(3, 4, input_dropout=p)),
        ("recurrent_dropout", lambda p: nb.GRU(3, 4, recurrent_dropout=p)),
    ]:
        with pytest.raises(
            ValueError, match=f"^{name} is {p!r}; it needs a number from 0 up to, but not including, 1$"
        ):
            make(p)

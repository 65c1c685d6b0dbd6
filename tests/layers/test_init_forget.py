"""How an LSTM's forget gates begin."""

import numpy as np
import pytest

import npbilstm as nb


def biases(**options):
    layer = nb.LSTM(2, 4, num_layers=2, bidirectional=True, rng=0, **options)
    return [b.reshape(-1, 4) for name, b in layer.params.items() if name.endswith(".b")]


@pytest.mark.parametrize("init", ["orthogonal", "torch"])
def test_a_number_is_the_forget_gates_bias_in_every_layer_and_direction(init):
    for b, plain in zip(biases(init=init, init_forget=5), biases(init=init)):
        assert (b[1] == 5).all()
        np.testing.assert_array_equal(b[[0, 2, 3]], plain[[0, 2, 3]])


def test_where_gates_are_coupled_the_input_gate_begins_shut_instead():
    for i, g, o in biases(coupled=True, init_forget=5):
        assert (i == -5).all()
        assert not g.any()
        assert not o.any()


def test_chrono_spreads_the_spans_from_two_steps_to_t_max():
    layers = [nb.LSTM(1, 20, init_forget="chrono", T_max=50, rng=seed) for seed in range(50)]
    b = np.concatenate([layer.params["0.forward.b"].reshape(4, 20) for layer in layers], axis=1)
    spans = 1 + np.exp(b[1])
    assert 2 <= spans.min() < 2.1
    assert 49 < spans.max() <= 50
    assert spans.mean() == pytest.approx(26, abs=1)
    np.testing.assert_array_equal(b[0], -b[1])
    assert not b[2:].any()


def test_chrono_draws_anew_for_each_direction_and_the_same_for_a_seed():
    first, again = biases(init_forget="chrono", T_max=50), biases(init_forget="chrono", T_max=50)
    np.testing.assert_array_equal(first, again)
    assert len({b[1].tobytes() for b in first}) == 4


def test_without_biases_there_is_nothing_to_set():
    assert not biases(bias=False, init_forget=5)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"init_forget": "open"}, "init_forget is 'open'; it needs a number"),
        ({"init_forget": True}, "init_forget is True; it needs a number"),
        ({"init_forget": np.inf}, "init_forget is inf; it needs to be finite"),
        ({"init_forget": -1e39}, "init_forget is -1e[+]39; it needs to be finite, in float32 too"),
        ({"init_forget": "chrono"}, "T_max is None; "),
        ({"T_max": 9}, "init_forget is None and T_max is 9; "),
        ({"init_forget": "chrono", "T_max": 2}, "T_max is 2; it needs to be at least 3"),
        ({"init_forget": "chrono", "T_max": 2.5}, "T_max is 2.5"),
    ],
    ids=str,
)
def test_what_is_no_bias_is_said(options, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        nb.LSTM(2, 3, **options)

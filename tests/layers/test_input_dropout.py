"""Dropout of what a layer reads: one mask for each row and layer of the stack, for all steps and both directions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.inspector.recording import layer_without_dropout
from npbilstm.interop.description import describe, read_description
from tests.cases import assert_all_close
from tests.layers.recurrent_cases import D, N, by_textbook, layers, make_inputs, make_layer, run


def masks_of(layer, inputs, seed):
    """The masks (N, D_k) that a pass with this seed draws, of each layer of the stack."""
    _, _, cache = layer.forward(*inputs[:3], training=True, rng=seed)
    return [stack_layer.scaled_mask[:, 0] for stack_layer in cache.stack]


@given(layers(), st.integers(0, 99))
def test_it_is_the_textbooks_dropout_over_time_with_one_mask_a_row_and_layer(layer, seed):
    layer.input_dropout = 0.4
    inputs = make_inputs(layer)
    masks = masks_of(layer, inputs, seed)
    sizes = [layer.input_size, *map(layer.features, range(layer.num_layers - 1))]
    assert [mask.shape for mask in masks] == [(N, size) for size in sizes]
    assert all(set(np.unique(mask)) <= {0, 1 / 0.6} for mask in masks)
    assert_all_close(run(layer, inputs, rng=seed), by_textbook(layer, inputs, input_masks=masks))


def test_it_goes_with_dropout_between_layers_and_of_h():
    layer = make_layer(2, kind="GRU", bidirectional=True, dropout=0.5, input_dropout=0.5, recurrent_dropout=0.5)
    _, _, cache = layer.forward(*make_inputs(layer, (5, 5, 5))[:3], training=True, rng=0)
    below, above = cache.stack
    assert below.scaled_mask.shape == (3, 1, D)
    assert above.scaled_mask.shape == (3, 5, layer.features(0))
    assert set(np.unique(above.scaled_mask)) == {0, 4}  # kept by both, 2 times 2
    whole = (above.scaled_mask == 0).all(axis=1)  # (N, features), by the mask that is one for all steps
    assert 0.2 < whole.mean() < 0.8
    assert all(stack_layer.engine.layer.mask is not None for stack_layer in cache.stack)


def test_it_keeps_the_mean_and_draws_every_mask_anew():
    layer = nb.RNN(50, 50, 2, input_dropout=0.25, rng=0)
    caches = [layer.forward(np.ones((50, 2, 50), np.float32), training=True)[2] for _ in range(2)]
    masks = np.stack([stack_layer.scaled_mask[:, 0] for cache in caches for stack_layer in cache.stack])
    assert set(np.unique(masks)) == {0, np.float32(1 / 0.75)}
    assert abs(masks.mean() - 1) < 0.02
    assert len({mask.tobytes() for mask in masks}) == 4


@pytest.mark.parametrize("options", [{}, {"dropout": 0.3, "recurrent_dropout": 0.3}])
def test_off_or_out_of_training_it_changes_no_bit_and_draws_no_number(options):
    plain, layer = (make_layer(2, bidirectional=True, input_dropout=p, **options) for p in (0.0, 0.5))
    inputs = make_inputs(layer)
    assert_all_close(layer.forward(*inputs[:3])[:2], plain.forward(*inputs[:3])[:2], 0)
    layer.input_dropout = 0
    one, other = np.random.default_rng(7), np.random.default_rng(7)
    assert_all_close(run(layer, inputs, rng=one), run(plain, inputs, rng=other), 0)
    assert one.bit_generator.state == other.bit_generator.state
    assert (one.random() == np.random.default_rng(7).random()) == (not options)


def test_what_stands_in_the_padding_does_not_matter_and_its_gradient_is_0():
    layer = make_layer(2, kind="LSTM", bidirectional=True, input_dropout=0.5)
    x, lengths, *others = make_inputs(layer)
    padded = np.where(np.arange(x.shape[1])[:, None] < lengths[:, None, None], x, np.nan)
    expected = run(layer, (x, lengths, *others), rng=3)
    assert_all_close(run(layer, (padded, lengths, *others), rng=3), expected, 0)
    dx = expected[1][0]
    assert all(not dx[n, length:].any() for n, length in enumerate(lengths))


def test_a_file_says_it_and_a_trace_leaves_it_out():
    layer = nb.LSTM(3, 4, input_dropout=0.25, rng=0)
    assert repr(layer) == "LSTM(3, 4, 1, input_dropout=0.25)"
    assert read_description(describe(layer)).options["input_dropout"] == 0.25
    assert layer_without_dropout(layer).input_dropout == 0

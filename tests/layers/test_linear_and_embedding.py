"""Linear and Embedding: their gradients' dtype, and ids at the ends of the table."""

import numpy as np
import pytest

import npbilstm as nb


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("upstream", [np.float32, np.float64])
def test_gradients_have_the_dtype_of_the_params_whatever_comes_from_above(dtype, upstream):
    linear, embedding = nb.Linear(3, 2, dtype=dtype, rng=0), nb.Embedding(4, 2, dtype=dtype, rng=0)
    dy = np.ones((5, 2), upstream)
    dx, of_linear = linear.backward(dy, linear.forward(np.ones((5, 3), np.float32))[1])
    _, of_embedding = embedding.backward(dy, embedding.forward(np.zeros(5, int))[1])
    assert {g.dtype for g in [dx, *of_linear.values(), *of_embedding.values()]} == {np.dtype(dtype)}


@pytest.mark.parametrize("layer", [nb.Linear(3, 2, rng=0), nb.Embedding(3, 2, rng=0)])
def test_gradients_that_are_no_floats_or_of_another_shape_are_named(layer):
    x = np.ones((5, 3), np.float32) if isinstance(layer, nb.Linear) else np.zeros(5, int)
    _, cache = layer.forward(x)
    with pytest.raises(TypeError, match="dy has dtype int64; it needs floating numbers"):
        layer.backward(np.ones((5, 2), np.int64), cache)
    with pytest.raises(ValueError, match=r"dy has shape \(1, 2\); it needs \(5, 2\)"):
        layer.backward(np.ones((1, 2), np.float32), cache)


def test_a_number_without_axes_has_no_features():
    with pytest.raises(ValueError, match="x has no features at its last axis; this layer was made with input_size=3"):
        nb.Linear(3, 2, rng=0).forward(np.float32(1))


@pytest.mark.parametrize("ids", [[0, 6], [[6], [0]]])
def test_ids_at_both_ends_of_the_table_are_looked_up(ids):
    layer = nb.Embedding(7, 2, rng=0)
    assert np.array_equal(layer.forward(np.array(ids))[0], layer.params["W"][np.array(ids)])


@pytest.mark.parametrize(("ids", "outside"), [([0, -1], -1), ([7, 0], 7), ([3, -2, 9], -2)])
def test_ids_beyond_the_table_are_named(ids, outside):
    with pytest.raises(ValueError, match=f"ids holds {outside}; this layer has rows 0 to 6"):
        nb.Embedding(7, 2, rng=0).forward(np.array(ids))


def test_ids_changed_after_the_forward_pass_do_not_mix_in():
    layer, ids = nb.Embedding(4, 2, rng=0), np.array([1, 3])
    _, cache = layer.forward(ids)
    ids[:] = 0
    assert layer.backward(np.ones((2, 2), np.float32), cache)[1]["W"].any(axis=1).tolist() == [False, True, False, True]

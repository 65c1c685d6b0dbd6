"""Symbols in, scores out: the embedding is a product with one-hot vectors, the affine map the same at every step."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.textbook import affine, affine_backward, affine_forward, embedding, embedding_backward, embedding_forward
from tests.cases import assert_close
from tests.textbook.plants import planted_in

N, T, D, V = 3, 4, 2, 5
IDS = np.array([[0, 3, 3, 1], [4, 3, 0, 0], [2, 2, 2, 2]])  # within a row and from row to row symbols are there again


def drawn(*shape):
    return np.random.default_rng(7).standard_normal(shape)


def assert_a_product_with_one_hot_vectors(book):
    W, dx = drawn(V, D), drawn(N, T, D)
    onehot = (IDS[..., None] == np.arange(V)).astype(float)  # (N, T, V)
    x, cache = book.embedding_forward(IDS, W)
    assert_close(x, onehot @ W)
    assert_close(book.embedding_backward(dx, cache), np.einsum("ntv,ntd->vd", onehot, dx))


def test_looking_up_is_a_product_with_one_hot_vectors():
    assert_a_product_with_one_hot_vectors(embedding)


@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        ("embedding_forward", "x = W[ids]", "x = W[ids - 1]"),
        ("embedding_backward", "np.add.at(dW, ids, dx)", "dW[ids] += dx"),
        ("embedding_backward", "np.add.at(dW, ids, dx)", "for n in range(len(ids)): dW[ids[n]] += dx[n]"),
    ],
)
def test_an_embedding_that_is_wrong_is_seen(function, old, new):
    with pytest.raises(AssertionError):
        assert_a_product_with_one_hot_vectors(planted_in(embedding, function, old, new))


@pytest.mark.parametrize(
    ("ids", "error", "sentence"),
    [
        (np.array([[0.0]]), TypeError, "ids has dtype float64; it needs integers, each the number of a symbol"),
        (np.array([[0, -1]]), ValueError, "ids holds -1; W has 5 symbols, 0 to 4"),
        (np.array([[5]]), ValueError, "ids holds 5; W has 5 symbols, 0 to 4"),
    ],
)
def test_ids_that_are_none_get_a_sentence(ids, error, sentence):
    with pytest.raises(error, match=sentence):
        embedding_forward(ids, drawn(V, D))


def assert_each_step_by_itself(book):
    x, W, b, dscores = drawn(N, T, D), drawn(D, V), drawn(V), drawn(N, T, V)
    scores, cache = book.affine_forward(x, W, b)
    dx, dW, db = book.affine_backward(dscores, cache)
    steps = [(n, t) for n in range(N) for t in range(T)]
    for place in steps:
        assert_close(scores[place], x[place] @ W + b)
        assert_close(dx[place], W @ dscores[place])
    assert_close(dW, sum(np.outer(x[place], dscores[place]) for place in steps))
    assert_close(db, sum(dscores[place] for place in steps))


def test_every_step_is_mapped_by_itself_and_all_add_to_the_weights():
    assert_each_step_by_itself(affine)


@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        ("affine_forward", "x @ W + b", "x @ W"),
        ("affine_backward", "dscores.reshape(-1, V).sum(axis=0)", "dscores.reshape(-1, V).mean(axis=0)"),
        ("affine_backward", "x.reshape(-1, D).T @ dscores.reshape(-1, V)", "x[:, -1].T @ dscores[:, -1]"),
    ],
)
def test_an_affine_map_that_is_wrong_is_seen(function, old, new):
    with pytest.raises(AssertionError):
        assert_each_step_by_itself(planted_in(affine, function, old, new))


def test_the_layers_are_the_same():
    table, linear = nb.Embedding(V, D, dtype=np.float64, rng=0), nb.Linear(D, V, dtype=np.float64, rng=1)
    x, cache = embedding_forward(IDS, table.params["W"])
    y, of_layer = table.forward(IDS)
    assert_close(x, y)
    assert_close(embedding_backward(drawn(N, T, D), cache), table.backward(drawn(N, T, D), of_layer)[1]["W"])
    scores, cache = affine_forward(x, linear.params["W"], linear.params["b"])
    y, of_layer = linear.forward(x)
    assert_close(scores, y)
    dx, dW, db = affine_backward(drawn(N, T, V), cache)
    d_input, grads = linear.backward(drawn(N, T, V), of_layer)
    for one, other in [(dx, d_input), (dW, grads["W"]), (db, grads["b"])]:
        assert_close(one, other)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: affine_forward(drawn(N, T, D), drawn(V, D), drawn(V)), r"W has shape \(5, 2\); it needs \(2, 2\)"),
        (lambda: affine_forward(drawn(N, T, D), drawn(D, V), drawn(D)), r"b has shape \(2,\); it needs \(5,\)"),
        (
            lambda: affine_backward(drawn(N, V), affine_forward(drawn(N, T, D), drawn(D, V), drawn(V))[1]),
            r"dscores has shape \(3, 5\); it needs \(3, 4, 5\)",
        ),
        (
            lambda: embedding_backward(drawn(N, D), embedding_forward(IDS, drawn(V, D))[1]),
            r"dx has shape \(3, 2\); it needs \(3, 4, 2\)",
        ),
    ],
)
def test_shapes_that_do_not_fit_get_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npbilstm.textbook import (
    counted_steps,
    softmax_cross_entropy_backward,
    softmax_cross_entropy_forward,
    weighted_cross_entropy_backward,
    weighted_cross_entropy_forward,
)
from tests.cases import assert_close


@st.composite
def weighted_cases(draw):
    N, T, V = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    logits, targets = 3 * rng.standard_normal((N, T, V)), rng.integers(0, V, (N, T))
    return logits, targets, rng.uniform(0.1, 4, V), rng.random((N, T)) < draw(st.sampled_from([0, 0.5, 1]))


@given(weighted_cases())
def test_the_loss_is_the_weighted_mean_over_the_steps_that_count(case):
    logits, targets, weights, mask = case
    total = norm = 0.0
    for n, t in np.argwhere(mask):
        row, v = logits[n, t], targets[n, t]
        total += weights[v] * -np.log(np.exp(row[v]) / np.exp(row).sum())
        norm += weights[v]
    assert_close(weighted_cross_entropy_forward(*case)[0], total / norm if norm else 0.0)


@given(weighted_cases())
def test_what_stands_where_a_step_does_not_count_never_matters(case):
    logits, targets, weights, mask = case
    loss, cache = weighted_cross_entropy_forward(*case)
    dlogits = weighted_cross_entropy_backward(1.0, cache)
    junk, wild = np.where(mask[..., None], logits, np.nan), np.where(mask, targets, -100)
    again, cache = weighted_cross_entropy_forward(junk, wild, weights, mask)
    assert again == loss
    assert np.array_equal(weighted_cross_entropy_backward(1.0, cache), dlogits)
    assert not dlogits[~mask].any()


@given(weighted_cases(), st.data())
def test_with_equal_weights_and_padding_alone_it_is_the_plain_loss(case, data):
    logits, targets, _, mask = case
    lengths = np.array(data.draw(st.lists(st.integers(0, mask.shape[1]), min_size=len(mask), max_size=len(mask))))
    mask = counted_steps(targets, lengths)
    loss, cache = softmax_cross_entropy_forward(logits, targets, lengths)
    same, weighted = weighted_cross_entropy_forward(logits, targets, None, mask)
    assert_close(same, loss)
    assert_close(weighted_cross_entropy_backward(1.0, weighted), softmax_cross_entropy_backward(1.0, cache))


def test_a_step_counts_where_length_mask_and_target_say_so():
    targets, mask = np.array([[1, -1, 2, 0], [0, 1, 2, 3]]), np.array([[True, True, False, True]] * 2)
    assert counted_steps(targets, np.array([3, 4]), mask, -1).tolist() == [[True, False, False, False], [*mask[1]]]
    assert counted_steps(targets).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_the_dtype_of_the_logits_is_kept(dtype):
    loss, cache = weighted_cross_entropy_forward(np.zeros((2, 3), dtype), np.array([0, 1]), np.ones(3))
    assert loss.dtype == dtype
    assert weighted_cross_entropy_backward(np.float64(1), cache).dtype == dtype
    assert weighted_cross_entropy_forward(np.zeros((2, 3), dtype), np.array([0, 1]), np.zeros(3))[0] == 0


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"targets": np.array([[0.0, 1]])}, TypeError, "targets has dtype float64; it needs integers"),
        ({"targets": np.array([[0, 3]])}, ValueError, "targets holds 3 at a step that counts; logits has 3 classes"),
        ({"targets": np.array([0, 1])}, ValueError, r"targets has shape \(2,\); it needs \(1, 2\)"),
        ({"class_weights": np.ones(2)}, ValueError, r"class_weights has shape \(2,\); it needs \(3,\)"),
        ({"class_weights": np.array([1, -1, 2.0])}, ValueError, "class_weights holds -1.0; it needs finite numbers"),
        ({"class_weights": np.array([1, np.nan, 2])}, ValueError, "class_weights holds nan; it needs finite numbers"),
        ({"class_weights": np.array(["a"] * 3)}, TypeError, "class_weights has dtype <U1; it needs floating"),
        ({"mask": np.array([[1, 0]])}, TypeError, "mask has dtype int64; it needs bools, True where a step counts"),
        ({"mask": np.array([True, False])}, ValueError, r"mask has shape \(2,\); it needs \(1, 2\)"),
    ],
)
def test_wrong_arguments_are_named(changed, error, said):
    given = {"logits": np.zeros((1, 2, 3)), "targets": np.array([[0, 1]]), **changed}
    with pytest.raises(error, match=said):
        weighted_cross_entropy_forward(**given)

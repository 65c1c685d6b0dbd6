import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npbilstm.textbook import softmax_cross_entropy_backward, softmax_cross_entropy_forward
from tests.cases import assert_close


@st.composite
def loss_cases(draw):
    N, T, V = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 5))
    lengths = draw(st.none() | st.lists(st.integers(0, T), min_size=N, max_size=N))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    logits, targets = 3 * rng.standard_normal((N, T, V)), rng.integers(0, V, (N, T))
    return logits, targets, None if lengths is None else np.array(lengths)


@given(loss_cases())
def test_the_loss_is_the_mean_over_valid_steps_of_minus_log_p(case):
    logits, targets, lengths = case
    N, T, _ = logits.shape
    terms = [
        -np.log(np.exp(logits[n, t, targets[n, t]]) / np.exp(logits[n, t]).sum())
        for n in range(N)
        for t in range(T if lengths is None else lengths[n])
    ]
    loss, _ = softmax_cross_entropy_forward(logits, targets, lengths)
    assert_close(loss, np.mean(terms) if terms else 0.0)


@given(loss_cases())
def test_padding_content_never_matters(case):
    logits, targets, lengths = case
    lengths = np.zeros(len(logits), int) if lengths is None else lengths
    loss, cache = softmax_cross_entropy_forward(logits, targets, lengths)
    dlogits = softmax_cross_entropy_backward(1.0, cache)
    padding = np.arange(logits.shape[1]) >= lengths[:, None]
    junk, wild = logits.copy(), targets.copy()
    junk[padding], wild[padding] = np.nan, -1
    again, cache = softmax_cross_entropy_forward(junk, wild, lengths)
    assert again == loss
    assert np.array_equal(softmax_cross_entropy_backward(1.0, cache), dlogits)
    assert not dlogits[padding].any()


@given(loss_cases())
def test_the_gradient_sums_to_zero_over_the_classes(case):
    _, cache = softmax_cross_entropy_forward(*case)
    assert_close(softmax_cross_entropy_backward(2.5, cache).sum(axis=-1), np.zeros(case[1].shape))


def test_huge_logits_do_not_overflow():
    with np.errstate(over="raise", invalid="raise"):
        loss, cache = softmax_cross_entropy_forward(np.array([[1e4, -1e4]]), np.array([1]))
    assert loss == 2e4
    assert_close(softmax_cross_entropy_backward(1.0, cache), [[1.0, -1.0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_the_dtype_of_the_logits_is_kept(dtype):
    loss, cache = softmax_cross_entropy_forward(np.zeros((2, 3), dtype), np.array([0, 1]))
    assert loss.dtype == dtype
    assert softmax_cross_entropy_backward(np.float64(1), cache).dtype == dtype


def test_lengths_without_steps_are_named():
    with pytest.raises(ValueError, match=r"lengths goes with logits \(N, T, V\); logits has shape \(2, 3\)"):
        softmax_cross_entropy_forward(np.zeros((2, 3)), np.array([0, 1]), np.array([1, 1]))


def test_one_label_a_sequence_is_the_same_loss():
    logits, targets = np.random.default_rng(0).standard_normal((4, 3)), np.array([0, 2, 1, 1])
    loss, _ = softmax_cross_entropy_forward(logits, targets)
    same, _ = softmax_cross_entropy_forward(logits[:, None], targets[:, None])
    assert loss == same


@pytest.mark.parametrize(
    ("targets", "lengths", "error", "sentence"),
    [
        ([[0, 3]], None, ValueError, "targets holds 3 at a valid step; logits has 3 classes, 0 to 2"),
        ([[0, -1]], None, ValueError, "targets holds -1"),
        ([[0.0, 1.0]], None, TypeError, "targets has dtype float64; it needs integers"),
        ([0, 1], None, ValueError, r"targets has shape \(2,\); it needs \(1, 2\)"),
        ([[0, 1]], [3], ValueError, r"lengths\[0\] is 3"),
    ],
)
def test_wrong_targets_are_named(targets, lengths, error, sentence):
    with pytest.raises(error, match=sentence):
        softmax_cross_entropy_forward(np.zeros((1, 2, 3)), np.array(targets), lengths and np.array(lengths))

import re

import numpy as np
import pytest
from hypothesis import given, settings

from npbilstm.textbook import ctc, ctc_backward, ctc_forward
from npbilstm.textbook.ctc import ctc_gamma, ctc_log_alpha, ctc_log_beta
from npbilstm.textbook.log_space import log_sum_exp
from tests.cases import assert_close
from tests.ctc_cases import ctc_cases, make_ctc_case, with_junk_in_padding
from tests.textbook.alignments import loss_and_gradient, read
from tests.textbook.plants import planted_in


def test_runs_are_merged_before_blanks_are_dropped():
    assert read([1, 1, 0, 2, 2, 0, 2]) == (1, 2, 2)
    assert read([1, 0, 0, 1]) == (1, 1)
    assert read([1, 1, 1, 1]) == (1,)


def require_sum_over_alignments(module, case):
    loss, cache = module.ctc_forward(*case)
    expected, dlogits = loss_and_gradient(*case)
    assert_close(loss, expected, 1e-10)
    assert_close(module.ctc_backward(1.0, cache), dlogits, 1e-10)


@settings(max_examples=10)
@given(ctc_cases(most_steps=4))
def test_loss_and_gradient_are_those_of_all_alignments_added_up(case):
    require_sum_over_alignments(ctc, case)


@pytest.mark.slow
@settings(max_examples=300)
@given(ctc_cases(most_steps=6))
def test_so_are_those_of_longer_rows(case):
    require_sum_over_alignments(ctc, case)


@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        ("ctc_log_alpha", "skip = extended[2:] != extended[:-2]", "skip = extended[2:] != 0"),
        ("ctc_log_beta", "log_y[t + 1, extended]", "log_y[t, extended]"),
        ("ctc_backward", "share[:, k] += gamma[:, s]", "share[:, k] = gamma[:, s]"),
        ("ctc_forward", "log_alpha[-1, -2:]", "log_alpha[-1, -1:]"),
    ],
)
def test_a_sum_that_lacks_alignments_or_has_too_many_is_seen(function, old, new):
    case = (
        make_ctc_case(2, T=4)[0],
        np.array([[1, 1, 3], [2, 3, 2], [3, 0, 0]]),
        np.array([4, 4, 2]),
        np.array([3, 3, 1]),
    )
    with pytest.raises(AssertionError):
        require_sum_over_alignments(planted_in(ctc, function, old, new), case)


@given(ctc_cases())
def test_padding_content_never_matters_and_gets_no_gradient(case):
    loss, cache = ctc_forward(*case)
    dlogits = ctc_backward(1.0, cache)
    again, cache = ctc_forward(*with_junk_in_padding(case))
    assert again == loss
    assert np.array_equal(ctc_backward(1.0, cache), dlogits)
    assert not dlogits[np.arange(dlogits.shape[1]) >= case[2][:, None]].any()


@given(ctc_cases())
def test_the_gradient_sums_to_zero_over_the_classes(case):
    assert_close(ctc_backward(2.5, ctc_forward(*case)[1]).sum(axis=2), np.zeros(case[0].shape[:2]))


def test_every_step_is_at_some_place_and_alpha_meets_beta_at_each():
    log_y, labels = np.log(np.random.default_rng(0).dirichlet(np.ones(4), 7)), np.array([2, 2, 1])
    both = log_sum_exp(ctc_log_alpha(log_y, labels) + ctc_log_beta(log_y, labels), axis=1)
    assert_close(both, np.full(7, both[0]))
    assert_close(ctc_gamma(log_y, labels, both[0]).sum(axis=1), np.ones(7))


def test_a_thousand_steps_do_not_underflow():
    """A product of their probabilities is far below the smallest float64."""
    logits, labels = np.zeros((1, 1000, 30)), np.arange(1, 21)[None]
    with np.errstate(all="raise", under="ignore"):
        loss, cache = ctc_forward(logits, labels)
        dlogits = ctc_backward(1.0, cache)
    assert 1000 < loss < 1000 * np.log(30)
    assert np.isfinite(dlogits).all()


def test_huge_logits_do_not_overflow():
    loss, cache = ctc_forward(np.array([[[-1e4, 1e4, 0.0], [1e4, 0.0, 0.0]]]), np.array([[2]]))
    assert_close(loss, 1e4)
    assert np.isfinite(ctc_backward(1.0, cache)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_the_dtype_of_the_logits_is_kept(dtype):
    loss, cache = ctc_forward(np.zeros((2, 3, 3), dtype), np.array([[1, 2], [1, 1]]))
    assert loss.dtype == dtype
    assert ctc_backward(np.float64(1), cache).dtype == dtype


def test_no_steps_and_no_labels_are_certain_and_no_labels_are_blanks_alone():
    logits = np.log([[[0.25, 0.75], [0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]]])
    loss, cache = ctc_forward(logits, np.zeros((2, 0), int), np.array([2, 0]))
    assert_close(loss, -np.log(0.25 * 0.5) / 2)
    assert_close(ctc_backward(1.0, cache)[0], [[-0.375, 0.375], [-0.25, 0.25]])


@pytest.mark.parametrize(
    ("targets", "options", "error", "sentence"),
    [
        ([[1, 1, 2], [1, 2, 0]], ([3, 3], [3, 2]), ValueError, r"targets\[0\] needs 4 steps, .* row 0 has 3"),
        ([[1, 2], [2, 1]], ([3, 1], None), ValueError, r"targets\[1\] needs 2 steps, .* row 1 has 1"),
        ([[1], [2]], ([3, 0], None), ValueError, r"targets\[1\] needs 1 step, .* row 1 has 0"),
        ([[1], [3]], (), ValueError, r"targets\[1\] holds 3; labels are 1 to 2, and 0 is the blank"),
        ([[0], [1]], (), ValueError, r"targets\[0\] holds 0; labels are 1 to 2"),
        ([[1.0], [2.0]], (), TypeError, "targets has dtype float64; it needs integers"),
        ([1, 2], (), ValueError, r"targets has shape \(2,\); it needs axes \(N, U\)"),
        ([[1], [2], [1]], (), ValueError, r"targets has shape \(3, 1\); it needs \(2, 1\)"),
        ([[1], [2]], ([3, 4], None), ValueError, r"^lengths\[1\] is 4"),
        ([[1], [2]], (None, [1, 2]), ValueError, r"target_lengths\[1\] is 2; it needs to be between 0 and U = 1"),
        ([[1], [2]], (None, [1.0, 1.0]), TypeError, "target_lengths"),
    ],
)
def test_what_does_not_fit_is_named(targets, options, error, sentence):
    lengths = [None if option is None else np.array(option) for option in options]
    with pytest.raises(error, match=sentence):
        ctc_forward(np.zeros((2, 3, 3)), np.array(targets), *lengths)


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 0)])
def test_logits_without_three_axes_or_without_a_class_are_named(shape):
    with pytest.raises(ValueError, match=rf"logits has shape {re.escape(str(shape))}; it needs axes \(N, T, V\)"):
        ctc_forward(np.zeros(shape), np.array([[1]]))

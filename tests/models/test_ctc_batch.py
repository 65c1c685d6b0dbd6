"""The CTC loss of a batch at once is the textbook's, row by row."""

import numpy as np
import pytest
from hypothesis import given, settings

from npbilstm.models import ctc_batch
from npbilstm.textbook import ctc_backward, ctc_forward
from tests.cases import assert_all_close, assert_close
from tests.ctc_cases import ctc_cases, make_ctc_case, with_junk_in_padding
from tests.planting import planted


def passes(module, case):
    loss, log_p, cache = module.ctc_batch_forward(*case)
    return loss, log_p, module.ctc_batch_backward(2.5, cache)


def textbook_passes(case):
    loss, cache = ctc_forward(*case)
    return loss, cache.log_p, ctc_backward(2.5, cache)


@given(ctc_cases(most_steps=8, most_classes=6))
def test_the_batch_at_once_equals_the_textbook(case):
    assert_all_close(passes(ctc_batch, case), textbook_passes(case))


@pytest.mark.slow
@settings(max_examples=500)
@given(ctc_cases(most_steps=12, most_classes=6))
def test_so_do_larger_batches(case):
    assert_all_close(passes(ctc_batch, case), textbook_passes(case))


def test_so_do_hundreds_of_steps_of_sharp_logits():
    case = make_ctc_case(0, N=3, T=300, V=12, U=40, scale=8.0)
    assert_all_close(passes(ctc_batch, case), textbook_passes(case), 1e-11)


@pytest.mark.parametrize("sure", [100.0, 10_000.0])
def test_so_does_a_short_row_all_of_which_is_surely_blank(sure):
    logits, targets, lengths, _ = make_ctc_case(0, N=3, T=60, V=5, U=9)
    logits[:, :, 0] += sure  # likelier than its labels in its steps are its labels in the padding
    lengths[:] = 60, 20, 0
    case = logits, targets, lengths, np.array([9, 9, 0])
    assert_all_close(passes(ctc_batch, case), textbook_passes(case), 1e-11)


@given(ctc_cases())
def test_padding_content_never_matters_and_gets_no_gradient(case):
    loss, log_p, dlogits = passes(ctc_batch, case)
    for one, other in zip(passes(ctc_batch, with_junk_in_padding(case)), (loss, log_p, dlogits)):
        assert np.array_equal(one, other)
    assert not dlogits[np.arange(dlogits.shape[1]) >= case[2][:, None]].any()


def test_float32_is_kept_and_its_sums_are_not_rounded():
    logits, *rest = make_ctc_case(0, T=200, V=12, U=9, scale=8.0)
    logits = logits.astype(np.float32)
    loss, _, dlogits = passes(ctc_batch, (logits, *rest))
    expected, _, exact = textbook_passes((logits.astype(float), *rest))
    assert loss.dtype == dlogits.dtype == np.float32
    assert_close(dlogits.astype(float), exact, 1e-6)
    assert_close(loss, np.float32(expected))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("skip = skips(np.concatenate([extended, turn(extended, places)]))", "skip = skips(np.tile(extended, (2, 1)))"),
        ("extended[:, 2:] != extended[:, :-2]", "extended[:, 2:] != 0"),
        ("turned = turn(turn(places_y, lengths)", "turned = turn(turn(places_y, lengths * 0 + T)"),
        ("now[:, :2] = 0", "now[:, :1] = 0"),
        ("places[some] > 1", "places[some] > 3"),
        ("gamma[~valid] = FLOOR", "gamma *= 1"),
    ],
)
def test_a_bug_planted_in_the_batch_is_seen(old, new):
    case = (
        make_ctc_case(1, N=4, T=7, V=3, U=3)[0],
        np.array([[1, 1, 2], [2, 1, 1], [1, 0, 0], [0, 0, 0]]),
        np.array([7, 5, 3, 0]),
        np.array([3, 3, 1, 0]),
    )
    with pytest.raises((AssertionError, ValueError)):
        assert_all_close(passes(planted(ctc_batch, old, new), case), textbook_passes(case))

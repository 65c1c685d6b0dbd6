"""The CRF is what an enumeration of all sequences of classes says it is."""

from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npbilstm import textbook
from npbilstm.textbook import CRFParams, crf_backward, crf_constrained, crf_forward, crf_marginals, crf_viterbi
from npbilstm.textbook.log_space import log_sum_exp
from tests.cases import assert_close


class Case(NamedTuple):
    scores: np.ndarray
    targets: np.ndarray
    params: CRFParams
    lengths: np.ndarray


@st.composite
def cases(draw, allowed=False):
    """allowed: some of the scores of params are minus infinity, none that the targets need."""
    N, T, V = draw(st.integers(1, 3)), draw(st.integers(0, 4)), draw(st.integers(1, 3))
    lengths = np.array(draw(st.lists(st.integers(0, T), min_size=N, max_size=N)))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    targets = rng.integers(0, V, (N, T))
    params = CRFParams(rng.standard_normal((V, V)), rng.standard_normal(V), rng.standard_normal(V))
    if allowed:
        legal = CRFParams(rng.random((V, V)) < 0.5, rng.random(V) < 0.5, rng.random(V) < 0.5)
        for y in (targets[n, :length] for n, length in enumerate(lengths) if length):
            legal.transitions[y[:-1], y[1:]] = legal.start[y[0]] = legal.end[y[-1]] = True
        params = crf_constrained(params, legal)
    return Case(2 * rng.standard_normal((N, T, V)), targets, params, lengths)


def score_of(scores, y, params):
    """Of one sequence y of one row, term by term."""
    if not y:
        return 0.0
    inside = sum(scores[t, v] for t, v in enumerate(y)) + sum(params.transitions[u, v] for u, v in pairwise(y))
    return params.start[y[0]] + inside + params.end[y[-1]]


def enumerated(case):
    """For each row, every sequence of classes and its score."""
    for scores, length in zip(case.scores, case.lengths):
        every = list(product(range(scores.shape[1]), repeat=length))
        yield every, np.array([score_of(scores, y, case.params) for y in every])


@given(cases(allowed=True))
def test_the_loss_is_that_of_an_enumeration_of_all_sequences(case):
    loss, _ = crf_forward(*case)
    terms = [
        np.log(np.exp(all_scores).sum()) - all_scores[every.index(tuple(targets[:length]))]
        for (every, all_scores), targets, length in zip(enumerated(case), case.targets, case.lengths)
    ]
    assert_close(loss, sum(terms) / max(case.lengths.sum(), 1), 1e-10)


@given(cases(allowed=True))
def test_marginals_are_those_of_an_enumeration_of_all_sequences(case):
    N, T, V = case.scores.shape
    marginals, pairs = np.zeros((N, T, V)), np.zeros((N, T, V, V))
    for n, (every, all_scores) in enumerate(enumerated(case)):
        for y, p in zip(every, np.exp(all_scores) / np.exp(all_scores).sum()):
            marginals[n, range(len(y)), list(y)] += p
            pairs[n, range(1, len(y)), list(y[:-1]), list(y[1:])] += p
    got = crf_marginals(case.scores, case.params, case.lengths)
    assert_close(got[0], marginals, 1e-10)
    assert_close(got[1], pairs, 1e-10)


@given(cases(allowed=True))
def test_viterbi_finds_the_best_of_all_sequences(case):
    path, best = crf_viterbi(case.scores, case.params, case.lengths)
    for n, (every, all_scores) in enumerate(enumerated(case)):
        assert_close(best[n], all_scores.max(), 1e-10)
        assert tuple(path[n, : case.lengths[n]]) == every[int(all_scores.argmax())]
        assert not path[n, case.lengths[n] :].any()


@settings(max_examples=20)
@given(cases())
def test_padding_content_never_matters_and_gets_no_gradient(case):
    padding = np.arange(case.scores.shape[1]) >= case.lengths[:, None]
    junk = case._replace(scores=case.scores.copy(), targets=case.targets.copy())
    junk.scores[padding], junk.targets[padding] = np.nan, -7
    (loss, cache), (again, junk_cache) = crf_forward(*case), crf_forward(*junk)
    assert again == loss
    for one, other in zip(np_arrays(crf_backward(1.5, cache)), np_arrays(crf_backward(1.5, junk_cache)), strict=True):
        assert np.array_equal(one, other)
    assert not crf_backward(1.5, junk_cache)[0][padding].any()
    for function in (textbook.crf_log_alpha, textbook.crf_log_beta, crf_marginals, crf_viterbi):
        some = [np_arrays(function(each.scores, case.params, case.lengths)) for each in (case, junk)]
        assert all(map(np.array_equal, *some))


def np_arrays(answer):
    """The arrays of an answer, one after another."""
    return [answer] if isinstance(answer, np.ndarray) else [array for part in answer for array in np_arrays(part)]


@settings(max_examples=20)
@given(cases())
def test_without_params_it_is_the_softmax_cross_entropy(case):
    free = case._replace(params=CRFParams(*map(np.zeros_like, case.params)))
    (loss, cache), (expected, softmax) = (
        crf_forward(*free),
        textbook.softmax_cross_entropy_forward(case.scores, case.targets, case.lengths),
    )
    assert_close(loss, expected)
    assert_close(crf_backward(1.0, cache)[0], textbook.softmax_cross_entropy_backward(1.0, softmax))


@settings(max_examples=20)
@given(cases(allowed=True))
def test_what_is_forbidden_gets_no_gradient(case):
    _, cache = crf_forward(*case)
    for p, grad in zip(case.params, crf_backward(1.0, cache)[1]):
        assert not grad[np.isinf(p)].any()
        assert np.isfinite(grad).all()


def test_scores_that_exp_would_overflow_or_lose_are_added_up_all_the_same():
    params = CRFParams(np.zeros((2, 2)), np.zeros(2), np.zeros(2))
    with np.errstate(all="raise"):
        for large in (5000.0, -5000.0):
            loss, cache = crf_forward(np.full((2, 3, 2), large), np.zeros((2, 3), int), params, np.array([3, 1]))
            assert_close(loss, np.log(2))
            assert np.isfinite(crf_backward(1.0, cache)[0]).all()
    assert log_sum_exp(np.full((2, 3), -np.inf), axis=1).tolist() == [-np.inf, -np.inf]
    assert log_sum_exp(np.zeros((2, 0)), axis=1).tolist() == [-np.inf, -np.inf]


def test_a_batch_of_float32_stays_float32():
    params = CRFParams(*(np.ones(shape, np.float32) for shape in [(3, 3), 3, 3]))
    scores, targets = np.ones((2, 4, 3), np.float32), np.zeros((2, 4), int)
    loss, cache = crf_forward(scores, targets, params, np.array([4, 2]))
    dscores, grads = crf_backward(1.0, cache)
    path, best = crf_viterbi(scores, params)
    assert {a.dtype for a in (loss, dscores, *grads, *crf_marginals(scores, params), best)} == {np.dtype(np.float32)}
    assert path.dtype.kind == "i"


def forbidding(*places):
    """Params of 3 classes that are 0 but for minus infinity in these places: (name, index)."""
    params = CRFParams(np.zeros((3, 3)), np.zeros(3), np.zeros(3))
    for name, index in places:
        getattr(params, name)[index] = -np.inf
    return params


ONE_ROW = np.zeros((1, 3, 3)), np.array([[2, 0, 1]])


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (("start", 2), "class 2 at the start"),
        (("transitions", (0, 1)), "class 1 at step 2 after class 0"),
        (("end", 1), "class 1 at the end, step 2"),
    ],
)
def test_targets_that_are_forbidden_are_named(place, said):
    with pytest.raises(ValueError, match=f"^targets of row 0 are forbidden, their score is minus infinity: {said}$"):
        crf_forward(*ONE_ROW, forbidding(place))
    scores = ONE_ROW[0].copy()
    scores[0, 1, 0] = -np.inf
    with pytest.raises(ValueError, match="minus infinity: class 0 at step 1$"):
        crf_forward(scores, ONE_ROW[1], forbidding())


def test_a_row_all_of_whose_sequences_are_forbidden_is_named():
    nothing = forbidding(*(("start", v) for v in range(3)))
    for function in (crf_viterbi, crf_marginals):
        with pytest.raises(ValueError, match="^row 1 has 1 step, and every sequence of classes of that length is forb"):
            function(np.zeros((2, 3, 3)), nothing, np.array([0, 1]))
        function(np.zeros((2, 3, 3)), nothing, np.array([0, 0]))


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"scores": np.zeros((1, 3))}, ValueError, r"scores has shape \(1, 3\); it needs three axes \(N, T, V\)"),
        ({"scores": np.zeros((1, 3, 3), int)}, TypeError, "scores has dtype int64; it needs floating numbers"),
        ({"targets": np.zeros((1, 3))}, TypeError, "targets has dtype float64; it needs integers"),
        ({"targets": np.zeros((1, 2), int)}, ValueError, r"targets has shape \(1, 2\); it needs \(1, 3\)"),
        ({"targets": np.full((1, 3), 3)}, ValueError, "targets holds 3 at a valid step; scores has 3 classes, 0 to 2"),
        ({"params": forbidding()._replace(start=np.zeros(2))}, ValueError, r"start has shape \(2,\); it needs \(3,\)"),
        ({"lengths": np.array([4])}, ValueError, r"lengths\[0\] is 4; it needs to be between 0 and T = 3"),
    ],
)
def test_errors_name_the_argument(change, error, said):
    case = Case(*ONE_ROW, forbidding(), np.array([3]))._replace(**change)
    with pytest.raises(error, match=said):
        crf_forward(*case)


def test_what_is_legal_has_to_be_said_by_bools():
    with pytest.raises(TypeError, match="legal's start has dtype float64; it needs bool, True where legal"):
        crf_constrained(forbidding(), CRFParams(np.ones((3, 3), bool), np.ones(3), np.ones(3, bool)))

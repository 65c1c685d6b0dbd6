"""The classic tasks are as their papers have them."""

import doctest

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.datasets import adding, embedded_reber, parity, temporal_order
from npbilstm.datasets.classic import REBER, REBER_SYMBOLS, TEMPORAL_SYMBOLS


def drawn(draw, N=300, **sizes):
    return draw(np.random.default_rng(0), N, **sizes)


def rows(batch):
    return [(x[:length], target) for x, length, target in zip(batch.x, batch.lengths, batch.targets)]


@pytest.mark.parametrize("draw", [adding, temporal_order, parity])
def test_lengths_are_t_to_a_tenth_more_and_all_of_them_occur(draw):
    batch = drawn(draw, T=30)
    assert sorted(set(batch.lengths)) == [30, 31, 32, 33]
    assert batch.x.shape[1] == 33
    assert not batch.x[np.arange(33) >= batch.lengths[:, None]].any()


def test_adding_marks_one_of_ten_and_another_before_the_middle_and_asks_for_their_sum():
    seconds = set()
    for x, target in rows(drawn(adding, T=40)):
        numbers, marks = x.T
        first, second = np.flatnonzero(marks == 1)
        assert first < 10
        assert second < 19
        assert marks[-1] == -1
        assert marks[0] == (1 if first == 0 else -1)
        assert target == pytest.approx(0.5 + ((numbers[first] if first else 0) + numbers[second]) / 4)
        seconds.add(second)
    assert seconds >= set(range(10, 19))


def test_temporal_order_names_its_two_symbols_in_their_order():
    for x, target in rows(drawn(temporal_order, T=20)):
        text = "".join(TEMPORAL_SYMBOLS[k] for k in x.argmax(axis=1))
        assert text[0] + text[-1] == "EB"
        places = [t for t, symbol in enumerate(text) if symbol in "XY"]
        assert 2 <= places[0] <= 4
        assert 10 <= places[1] <= 12
        assert ["XX", "XY", "YX", "YY"][target] == "".join(text[t] for t in places)
        assert set(text[1:-1]) <= set("abcdXY")


def followers(prefix):
    """What may follow in the embedded grammar, by walking it."""
    if len(prefix) < 3:
        return ["B", "TP", "B"][len(prefix)]
    state = 0
    for k, symbol in enumerate(prefix[3:]):
        if state == 5:  # the inner E
            return prefix[1] if len(prefix) == 3 + k + 1 else "E"
        state = REBER[state][symbol]
    return "E" if state == 5 else "".join(REBER[state])


def test_reber_names_what_the_grammar_lets_follow():
    for x, targets in rows(drawn(embedded_reber, N=100)):
        text = "".join(REBER_SYMBOLS[k] for k in x.argmax(axis=1))
        assert text[1] == text[-1]
        for t, target in enumerate(targets[: len(x)]):
            assert {REBER_SYMBOLS[k] for k in np.flatnonzero(target)} == set(followers(text[: t + 1])), (text, t)


def test_parity_counts_the_ones_so_far():
    for x, targets in rows(drawn(parity, T=10)):
        assert set(x[:, 0]) <= {-1, 1}
        assert np.cumprod(-x[:, 0]).tolist() == [-1 if odd else 1 for odd in targets[: len(x)]]  # a one turns the sign


@pytest.mark.parametrize(("draw", "T"), [(adding, 21), (temporal_order, 9)])
def test_what_is_too_short_for_the_task_is_said(draw, T):
    with pytest.raises(ValueError, match=f"T is {T}; it needs to be at least"):
        draw(np.random.default_rng(0), 1, T)


@pytest.mark.parametrize("draw", [adding, temporal_order, embedded_reber, parity])
def test_no_sequences_are_an_empty_batch(draw):
    assert len(draw(np.random.default_rng(0), 0).x) == 0


@pytest.mark.parametrize("draw", [adding, temporal_order, embedded_reber, parity])
def test_the_examples_of_the_docstrings_run(draw):
    (test,) = doctest.DocTestFinder(recurse=False).find(draw, globs={"nb": nb, "np": np})
    assert doctest.DocTestRunner().run(test).failed == 0

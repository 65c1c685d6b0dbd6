import numpy as np
import pytest
from hypothesis import given, settings

from npbilstm.textbook import ctc_beam, ctc_decoding, ctc_forward, ctc_greedy
from tests.cases import assert_close
from tests.ctc_cases import ctc_cases, make_ctc_case, with_junk_in_padding
from tests.textbook.alignments import by_labels, read
from tests.textbook.plants import planted_in


def rows_of(labels, label_lengths, *_):
    assert all(not row[count:].any() for row, count in zip(labels, label_lengths))
    return [tuple(row[:count].tolist()) for row, count in zip(labels, label_lengths)]


@given(ctc_cases(most_steps=8))
def test_greedy_reads_the_best_path(case):
    logits, _, lengths, _ = case
    assert rows_of(*ctc_greedy(logits, lengths)) == [read(row[:T].argmax(axis=1)) for row, T in zip(logits, lengths)]


@settings(max_examples=6)
@given(ctc_cases(most_steps=4))
def test_a_beam_that_keeps_every_prefix_finds_the_likeliest_labels(case):
    logits, _, lengths, _ = case
    labels, counts, log_p = ctc_beam(logits, lengths, width=10**6)
    for n, found in enumerate(rows_of(labels, counts)):
        p, _ = by_labels(logits[n, : lengths[n]])
        assert_close(p[found], max(p.values()))
        assert_close(log_p[n], np.log(p[found]))


@pytest.mark.parametrize("seed", range(3))
def test_a_narrow_beam_never_claims_more_than_its_labels_have_and_a_wider_one_finds_no_less(seed):
    logits, _, lengths, _ = make_ctc_case(seed, N=4, T=7, V=5)
    claimed = []
    for width in (1, 3, 8):
        labels, counts, log_p = ctc_beam(logits, lengths, width)
        true = ctc_forward(logits, labels, lengths, counts)[1].log_p
        assert (log_p <= true + 1e-12).all()
        claimed.append(log_p)
    assert (np.diff(claimed, axis=0) >= -1e-12).all()


@given(ctc_cases(most_steps=8))
def test_a_beam_of_width_one_that_takes_the_best_alignment_for_their_sum_is_greedy(case):
    logits, _, lengths, _ = case
    best_path = planted_in(ctc_decoding, "add_to_prefix", BOTH, BOTH.replace("logaddexp", "maximum"))
    vars(best_path)["np"] = MaximumForSum()
    assert rows_of(*best_path.ctc_beam(logits, lengths, width=1)) == rows_of(*ctc_greedy(logits, lengths))


BOTH = "beam[prefix] = np.logaddexp(old_blank, blank), np.logaddexp(old_label, label)"


class MaximumForSum:
    """NumPy, with the larger of two probabilities in the place of their sum."""

    logaddexp = np.maximum

    def __getattr__(self, name):
        return getattr(np, name)


@given(ctc_cases())
def test_padding_content_never_matters(case):
    logits, _, lengths, _ = case
    junk = with_junk_in_padding(case)[0]
    for decode in (ctc_greedy, lambda *given: ctc_beam(*given, width=2)):
        for one, other in zip(decode(logits, lengths), decode(junk, lengths)):
            assert np.array_equal(one, other)


def test_what_does_not_fit_is_named():
    for decode in (ctc_greedy, ctc_beam):
        with pytest.raises(ValueError, match=r"logits has shape \(2, 3\); it needs axes \(N, T, V\)"):
            decode(np.zeros((2, 3)))
        with pytest.raises(ValueError, match=r"lengths\[0\] is 4"):
            decode(np.zeros((1, 3, 2)), np.array([4]))
    for width in (0, 2.7, True):
        with pytest.raises(ValueError, match=f"width is {width}; it needs to be a whole number, at least 1"):
            ctc_beam(np.zeros((1, 3, 2)), width=width)
    for decode in (ctc_greedy, ctc_beam):
        with pytest.raises(ValueError, match=r"logits has shape \(1, 3, 0\); it needs .* a class at least"):
            decode(np.zeros((1, 3, 0)))

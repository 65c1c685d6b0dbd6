import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npbilstm.training import accuracy, batch_order, confusion, pad, recall


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 7), st.integers(0, 9))
def test_every_sequence_is_in_one_batch_of_at_most_the_size(lengths, batch_size, seed):
    batches = batch_order(lengths, batch_size, np.random.default_rng(seed))
    assert sorted(n for batch in batches for n in batch) == list(range(len(lengths)))
    assert all(len(batch) <= batch_size for batch in batches)
    assert sum(len(batch) < batch_size for batch in batches) <= 1 + len(lengths) // (16 * batch_size)


def test_sequences_of_like_length_share_a_batch():
    lengths = np.random.default_rng(0).integers(1, 100, 320)
    spread = [np.ptp(lengths[batch]) for batch in batch_order(lengths, 10, np.random.default_rng(0))]
    assert np.mean(spread) < 15


def test_there_is_chance_in_who_shares_a_batch():
    lengths = np.random.default_rng(0).permutation(640)
    one, other = ({frozenset(b) for b in batch_order(lengths, 10, np.random.default_rng(seed))} for seed in (0, 1))
    assert one != other


def test_batches_come_in_a_random_order_and_not_by_length():
    lengths = np.arange(160)
    firsts = [batch[0] for batch in batch_order(lengths, 10, np.random.default_rng(0))]
    assert sorted(firsts) != firsts


def test_rows_that_are_no_integers_are_named():
    with pytest.raises(TypeError, match=r"rows\[1\] has dtype float64; it needs integers"):
        pad([np.array([1]), np.array([0.5])])
    assert pad([])[0].shape == (0, 0)


def test_padding_is_zero_behind_the_rows():
    padded, lengths = pad([np.array([1, 2, 3]), np.array([], int), np.array([4])])
    assert padded.tolist() == [[1, 2, 3], [0, 0, 0], [4, 0, 0]]
    assert lengths.tolist() == [3, 0, 1]


def test_confusion_accuracy_and_recall_by_hand():
    counts = confusion(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 1, 0]), 3)
    assert counts.tolist() == [[1, 2, 0], [1, 2, 0], [0, 0, 0]]
    assert accuracy(counts) == 0.5
    assert recall(counts)[:2].tolist() == [1 / 3, 2 / 3]
    assert np.isnan(recall(counts)[2])
    assert accuracy(np.zeros((2, 2))) == 0


def test_labels_of_a_small_type_do_not_overflow():
    labels = np.arange(20, dtype=np.uint8)
    assert np.array_equal(confusion(labels, labels, 20), np.eye(20))

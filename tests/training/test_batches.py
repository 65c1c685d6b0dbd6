import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from npbilstm.training import accuracy, batch_order, confusion, pad, recall


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 7), st.none() | st.integers(0, 9))
def test_every_sequence_is_in_one_batch_of_at_most_the_size(lengths, batch_size, seed):
    batches = batch_order(lengths, batch_size, None if seed is None else np.random.default_rng(seed))
    assert sorted(n for batch in batches for n in batch) == list(range(len(lengths)))
    assert all(len(batch) <= batch_size for batch in batches)
    assert sum(len(batch) < batch_size for batch in batches) <= 1 + len(lengths) // (16 * batch_size)


def test_sequences_of_like_length_share_a_batch():
    lengths = np.random.default_rng(0).integers(1, 100, 320)
    spread = [np.ptp(lengths[batch]) for batch in batch_order(lengths, 10, np.random.default_rng(0))]
    assert np.mean(spread) < 15


def test_padding_is_zero_behind_the_rows():
    padded, lengths = pad([np.array([1, 2, 3]), np.array([], int), np.array([4])])
    assert padded.tolist() == [[1, 2, 3], [0, 0, 0], [4, 0, 0]]
    assert lengths.tolist() == [3, 0, 1]


def test_confusion_accuracy_and_recall_by_hand():
    counts = confusion(np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0]), 3)
    assert counts.tolist() == [[1, 1, 0], [1, 2, 0], [0, 0, 0]]
    assert accuracy(counts) == 0.6
    assert recall(counts)[:2].tolist() == [0.5, 2 / 3]
    assert np.isnan(recall(counts)[2])
    assert accuracy(np.zeros((2, 2))) == 0

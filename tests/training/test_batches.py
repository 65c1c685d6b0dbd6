import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from npbilstm.training import batch_order


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


def test_in_a_pool_of_sixteen_batches_neighbours_in_length_share_a_batch():
    lengths = np.random.default_rng(0).permutation(16 * 5)
    batches = [sorted(lengths[batch]) for batch in batch_order(lengths, 5, np.random.default_rng(1))]
    assert sorted(batches) == np.arange(80).reshape(16, 5).tolist()


def test_the_last_batch_is_what_is_left_and_none_is_empty():
    for n, sizes in [(7, [1, 3, 3]), (6, [3, 3]), (2, [2]), (0, [])]:
        assert sorted(len(batch) for batch in batch_order(range(n), 3, np.random.default_rng(0))) == sizes


def test_there_is_chance_in_who_shares_a_batch():
    lengths = np.random.default_rng(0).permutation(640)
    one, other = ({frozenset(b) for b in batch_order(lengths, 10, np.random.default_rng(seed))} for seed in (0, 1))
    assert one != other


def test_batches_come_in_a_random_order_and_not_by_length():
    lengths = np.arange(160)
    firsts = [batch[0] for batch in batch_order(lengths, 10, np.random.default_rng(0))]
    assert sorted(firsts) != firsts

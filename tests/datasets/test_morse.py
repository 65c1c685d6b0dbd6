import numpy as np
import pytest

from npbilstm.datasets import morse, sent, text_of
from npbilstm.datasets.morse import CHARACTERS, JITTER
from npbilstm.textbook.ctc import ctc_steps_needed


def test_the_parts_have_no_word_in_common_and_each_sequence_fits():
    data = morse(sequences=80, seed=3)
    words = [{word for _, labels in part for word in text_of(labels).split()} for part in data[:3]]
    assert not words[0] & (words[1] | words[2])
    assert not words[1] & words[2]
    for x, labels in data.train + data.valid + data.test:
        assert x.shape == (len(x), 2)
        assert ctc_steps_needed(labels) <= len(x)
        assert 1 <= len(text_of(labels).split()) <= 3


def test_the_same_seed_sends_the_same_and_another_another():
    one, same, other = (morse(sequences=40, seed=seed) for seed in (0, 0, 1))
    assert all(np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1]) for a, b in zip(one.train, same.train))
    assert any(a[0].shape != b[0].shape for a, b in zip(one.train, other.train))


def test_no_sequences_are_refused():
    with pytest.raises(ValueError, match="sequences is 0; it needs to be at least 1"):
        morse(0)


def test_a_hand_changes_the_lengths_by_a_quarter_and_nothing_else():
    text = "all good " * 40
    exact, sloppy = sent(text.strip())[0], sent(text.strip(), np.random.default_rng(0))[0]
    assert np.array_equal(exact[:, 0], sloppy[:, 0])
    assert abs((sloppy - exact)[:, 1].std() - JITTER) < 0.03


def test_labels_are_the_characters_counted_from_one():
    assert sorted(set(sent("the quick brown fox jumps over the lazy dog")[1])) == list(range(1, len(CHARACTERS) + 1))


@pytest.mark.parametrize(("text", "what"), [("Hello", "'H'"), ("a  b", "spaces"), (" a", "spaces"), ("é", "'é'")])
def test_what_has_no_code_is_named(text, what):
    with pytest.raises(ValueError, match=f"text has .*{what}"):
        sent(text)

import numpy as np
import pytest

from npbilstm.datasets import words
from npbilstm.datasets.words import LETTERS, TAGS, sentences_in, tags_of_words, unspaced_words
from npbilstm.textbook import legal_transitions
from npbilstm.training.spans import spans

DOCSTRING = """Open the file.  It has 3 lines and more: all
    of them, in order (read once).

    Both of a and b.
    a.b is none"""


def test_sentences_are_their_runs_of_letters_and_nothing_else():
    found = [" ".join(words) for words in sentences_in(DOCSTRING)]
    assert found == [
        "open the file",
        "it has lines and more",
        "all of them in order read once",
        "both of a and b",
        "a b is none",
    ]


def test_sentences_have_three_to_thirty_words():
    assert [len(next(sentences_in("a " * n), [])) for n in (2, 3, 30, 31)] == [0, 3, 30, 0]


def test_tags_say_where_words_begin_and_end():
    tags = [TAGS[tag] for tag in tags_of_words(["the", "case", "is", "a", "trap"])]
    assert [end - begin for begin, end, _ in spans(tags)] == [3, 4, 2, 1, 4]


def test_the_parts_have_legal_tags_and_no_sentence_in_common(monkeypatch, tmp_path):
    for n in range(4):
        lines = [f"Sentence {chr(97 + n)} {chr(97 + k)} here.  And twice again." for k in range(6)]
        (tmp_path / f"{n}.py").write_text(f'"""{"  ".join(lines)}"""\n')
    (tmp_path / "broken.py").write_text("def (")
    monkeypatch.setattr(words, "library_files", lambda: sorted(tmp_path.glob("*.py"), reverse=True))
    data = unspaced_words(12)
    assert [len(part) for part in (data.train, data.valid, data.test)] == [12, 2, 2]
    texts = [tuple(ids) for part in (data.train, data.valid, data.test) for ids, _ in part]
    assert len(set(texts)) == len(texts)
    legal = legal_transitions(TAGS, "BMES")
    for ids, tags in data.train:
        assert LETTERS.symbols[ids[0]].isalpha()
        assert legal.start[tags[0]]
        assert legal.end[tags[-1]]
        assert legal.transitions[tags[:-1], tags[1:]].all()
    assert all(map(np.array_equal, data.train[0], unspaced_words(12).train[0]))


@pytest.mark.slow
def test_the_standard_library_has_as_many_as_are_wanted():
    data = unspaced_words()
    assert [len(part) for part in (data.train, data.valid, data.test)] == [6000, 1000, 1000]


def test_too_few_sentences_are_a_sentence(monkeypatch):
    with pytest.raises(ValueError, match="sentences is 5; it needs to be at least 6"):
        unspaced_words(5)
    monkeypatch.setattr(words, "library_files", list)
    with pytest.raises(ValueError, match="the docstrings of the standard library's source have too few sentences"):
        unspaced_words()

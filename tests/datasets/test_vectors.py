"""Vectors of words from a text file: word2vec's form and GloVe's, only the words asked for, broken lines named."""

import numpy as np
import pytest

from npbilstm.datasets import read_vectors, vectors

WANTED = ["the", "cat", "Å", "New York"]


def read(tmp_path, text):
    path = tmp_path / "v.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_vectors(path, WANTED)


@pytest.mark.parametrize(
    "text",
    [
        "the 1 2\ndog 3 4\nÅ -0.5 1e-3\n",  # GloVe
        "3 2\nthe 1 2\ndog 3 4\nÅ -0.5 1e-3\n",  # word2vec
        "3 2\r\nthe 1 2 \r\ndog 3 4 \r\n\r\nÅ\t-0.5\t1e-3",  # with line ends of Windows, blanks behind, tabs
        "\ufeffthe 1 2\nÅ -0.5 1e-3\nthe 9 9\n",  # twice
        "the 1 2\ndog nan x\nÅ -0.5 1e-3\n",  # what nobody asks for is not read as numbers
    ],
)
def test_the_words_asked_for_come_in_the_files_order(tmp_path, text):
    found = read(tmp_path, text)
    assert found.words == ["the", "Å"]
    assert found.W.dtype == np.float32
    assert found.W.tolist() == [[1, 2], [-0.5, np.float32(1e-3)]]


def test_a_word_may_have_a_blank_in_it(tmp_path):
    assert read(tmp_path, "the 1 2\nNew York 3 4\n").words == ["the", "New York"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("the 1 2\ncat 1\n", r"v\.txt, line 2: a word and 1 numbers; it needs 2 as the lines before"),
        ("the 1 2\ndog 1 2 3\n", r"v\.txt, line 2: a word and 3 numbers; it needs 2"),
        ("the\n", r"v\.txt, line 1: a word and 0 numbers; it needs at least one"),
        ("2 3\nthe 1 2\ncat 1 2 3", r"v\.txt, line 2: a word and 2 numbers; it needs 3"),
        ("dog 1 2\nthe 1 x\n", r"v\.txt, line 2: 'x' is no number"),
        ("the 1 nan\n", r"v\.txt, line 1: nan is not finite in float32"),
        ("the 1 1e39\n", r"v\.txt, line 1: 1e39 is not finite in float32"),
        ("5 2\nthe 1 2\n", r"v\.txt: its first line says 5 words, and it has 1; it may be cut short"),
        ("dog 1 2\n", r"v\.txt has none of the 4 words needed"),
        ("", r"v\.txt has none of the 4 words needed"),
        (b"2 2\nthe \x00\x01\xff\x80\n\x05", r"v\.txt, line 2 holds null bytes: it is compr.* needs to be text"),
        ("the 1_0 2\n", r"v\.txt, line 1: '1_0' is no number"),
    ],
)
def test_a_broken_line_is_named(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


def test_a_line_without_an_end_is_not_read_to_it(tmp_path, monkeypatch):
    monkeypatch.setattr(vectors, "LONGEST_LINE", 50)
    with pytest.raises(ValueError, match=r"line 2: the line is longer than 50 bytes"):
        read(tmp_path, "the 1 2\n" + "x" * 60)


def test_no_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_vectors(tmp_path / "none.txt", WANTED)

"""Plain text in three parts: nothing is lost, no file is in two of them, and rare characters have no symbol."""

import pytest

import npbilstm as nb
from npbilstm.datasets.plain_text import common_characters, cut_files, whole_files


def test_few_files_are_cut_and_the_parts_are_all_of_them():
    texts = ["".join(map(chr, range(50, 50 + size))) for size in (10, 99, 1234)]
    parts = cut_files(texts)
    assert ["".join(pieces) for pieces in zip(parts["train"], parts["valid"], parts["test"])] == texts
    assert [len(text) for text in parts["test"]] == [1, 10, 124]


def test_one_path_is_one_file(tmp_path):
    (tmp_path / "a.txt").write_text("abc" * 400)
    assert nb.plain_text(str(tmp_path / "a.txt")).train == nb.plain_text([tmp_path / "a.txt"]).train


def test_of_many_files_each_is_whole_in_one_part():
    texts = [chr(100 + n) * (n + 1) for n in range(40)]
    parts = whole_files([*texts, ""])
    assert sorted(text for part in parts.values() for text in part) == texts
    shares = {part: sum(map(len, found)) / sum(map(len, texts)) for part, found in parts.items()}
    assert shares == pytest.approx({"train": 0.8, "valid": 0.1, "test": 0.1}, abs=0.05)


def test_a_character_that_occurs_once_or_is_rare_has_no_symbol():
    assert common_characters(["abba", "cab"], "x").symbols[1:] == ["a", "b"]
    rare = "y" * 4 + "z" * 3
    assert common_characters(["x" * 399_990, rare], "x").symbols[1:] == ["x", "y"]
    assert common_characters(["x" * 400_000, rare], "x").symbols[1:] == ["x"]


def test_what_is_not_in_the_vocabulary_is_counted(tmp_path):
    (tmp_path / "a.txt").write_text("ab" * 600 + "é")
    data = nb.plain_text([tmp_path / "a.txt"])
    assert data.unknown_in(data.test) == 1
    assert data.unknown_in(data.train) == 0


@pytest.mark.slow
def test_the_same_library_gives_the_same_parts():
    one, other = (nb.plain_text(characters=20_000) for _ in range(2))
    assert (one.train, one.valid, one.test) == (other.train, other.valid, other.test)
    assert sum(len(text) for part in (one.train, one.valid, one.test) for text in part) == 20_000
    assert not set(one.train) & set(one.test)

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.datasets import read_sentences, spelled

CONLLU = """# sent_id = 1
# text = Vámonos al mar
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\t_\t_\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t_\t_
2.1\tnada\t_\tX\t_\t_\t_\t_\t_\t_
3\t#\t#\tSYM\t_\t_\t1\tdep\t_\t_

1\tmar\tmar\tNOUN\t_\t_\t0\troot\t_\t_
"""


def write(folder, text, name="data.txt"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("the\tDET\ncat\tNOUN\n\nit\tPRON\n", [[("the", "DET"), ("cat", "NOUN")], [("it", "PRON")]]),
        ("the DET\n  \n\n\ncat   NOUN", [[("the", "DET")], [("cat", "NOUN")]]),
        ("the\tDET\r\n\r\ncat\tNOUN\r\n", [[("the", "DET")], [("cat", "NOUN")]]),
        ("# a comment of many words\n#\tSYM\n# NUM\n", [[("#", "SYM"), ("#", "NUM")]]),
        ("\ufeffthe\tDET\n", [[("the", "DET")]]),
        ("New York\tPROPN\n", [[("New York", "PROPN")]]),
        ("the \tDET \n", [[("the", "DET")]]),
        ("# newdoc\n" + CONLLU, [[("Vamos", "VERB"), ("nos", "PRON"), ("#", "SYM")], [("mar", "NOUN")]]),
        ("# one comment\nthe\tDET\n", [[("the", "DET")]]),
        (CONLLU, [[("Vamos", "VERB"), ("nos", "PRON"), ("#", "SYM")], [("mar", "NOUN")]]),
    ],
)
def test_both_forms_are_read(tmp_path, text, sentences):
    assert read_sentences(write(tmp_path, text)) == sentences


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the file holds no words; a line needs a word and its tag"),
        ("\n\n  \n", "the file holds no words"),
        ("the\tDET\ncat\n", "line 2: 1 column; the first line of data has 2"),
        ("word\n", r"line 1: 1 column; it needs 2 \(word, tag\) or 10 \(CoNLL-U\)"),
        ("a\tb\tc\n", "line 1: 3 columns; it needs 2"),
        ("the\tDET\n\n\ncat\tNOUN\textra\n", "line 4: 3 columns; the first line of data has 2"),
        ("the\t\n", "line 1: the tag is empty"),
        ("\tDET\n", "line 1: the word is empty"),
        (b"the\tDET\ncaf\xe9\tNOUN\n", "line 2: this is not UTF-8 text"),
        ("x\t" * 9 + "y\n", "line 1: the first column is 'x'; CoNLL-U needs a word's number"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path, text, sentence):
    path = write(tmp_path, text)
    with pytest.raises(ValueError, match=sentence) as caught:
        read_sentences(path)
    assert str(path) in str(caught.value)


@given(st.binary(max_size=80) | st.text(alphabet="a#\t\n 1_é", max_size=60).map(str.encode))
def test_any_bytes_are_sentences_or_a_sentence(tmp_path_factory, raw):
    path = tmp_path_factory.getbasetemp() / "fuzz.txt"
    path.write_bytes(raw)
    try:
        sentences = read_sentences(path)
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert sentences
        assert all(word.strip() and tag.strip() for sentence in sentences for word, tag in sentence)


def test_a_text_whose_tags_are_missing_is_not_trained_on(tmp_path):
    path = write(tmp_path, CONLLU.replace("VERB", "_").replace("PRON", "_").replace("SYM", "_").replace("NOUN", "_"))
    with pytest.raises(ValueError, match="data.txt: the tags are missing: column 4 holds '_' on every line"):
        nb.tagged_text(path)
    train = write(tmp_path, many(), "train")
    with pytest.raises(ValueError, match="data.txt: the tags are missing"):
        nb.tagged_text(train, path)


def swapped(n):
    return "".join(f"DET\tw{k}\n\n" for k in range(n))


@pytest.mark.slow
def test_two_swapped_columns_are_told_before_training_with_the_option_that_swaps_them(tmp_path):
    path = write(tmp_path, swapped(30_000))
    with pytest.raises(
        ValueError, match="column 2 has 30,000 different tags, and column 1 1 different words"
    ) as caught:
        nb.tagged_text(path)
    assert "--columns 2,1 takes them the other way" in str(caught.value)
    assert nb.tagged_text(path, columns=(2, 1), least_count=1).classes == ["DET"]


def test_who_says_which_columns_may_have_many_tags_and_is_told(tmp_path):
    data = nb.tagged_text(write(tmp_path, swapped(60)), columns=(1, 2))
    assert len(data.classes) == 60
    assert "column 2 has 60 different tags" in data.notes[0]
    assert nb.tagged_text(write(tmp_path, many())).notes == ()


def many(n=20):
    return "".join(f"the\tDET\nw{k}\t{'NOUN' if k % 2 else 'VERB'}\n\n" for k in range(n))


def test_rare_words_become_the_unknown_word_and_held_out_words_are_not_looked_at(tmp_path):
    train, test = write(tmp_path, many(), "train"), write(tmp_path, "unseen\tNOUN\n" * 5, "test")
    data = nb.tagged_text(train, test=test)
    assert data.vocabulary.symbols == ["<unknown>", "the"]
    assert data.classes == ["DET", "NOUN", "VERB"]
    assert data.train[0].ids.tolist() == [1, 0]
    assert data.test[0].ids.tolist() == [0] * 5
    assert nb.tagged_text(train, least_count=1).vocabulary.symbols[0] == "<unknown>"


def test_parts_are_held_out_by_seed_and_each_sentence_is_in_one(tmp_path):
    path = write(tmp_path, many())
    data, same, other = (nb.tagged_text(path, least_count=1, seed=seed) for seed in (0, 0, 1))
    sizes = [len(part) for part in (data.train, data.valid, data.test)]
    assert sizes == [16, 2, 2]
    assert all(np.array_equal(a.ids, b.ids) for a, b in zip(data.test, same.test))
    assert data.vocabulary.symbols != other.vocabulary.symbols


def test_the_unknown_words_own_name_may_stand_in_a_text(tmp_path):
    data = nb.tagged_text(write(tmp_path, "<unknown>\tX\n\n" * 30))
    assert data.vocabulary.symbols == ["<unknown>"]
    assert data.train[0].ids.tolist() == [0]


def test_two_sentences_are_too_few(tmp_path):
    with pytest.raises(ValueError, match="2 sentences are too few to hold some out; at least 3 are needed"):
        nb.tagged_text(write(tmp_path, many(2)))


def test_a_tag_that_training_lacks_is_named_with_its_line(tmp_path):
    train, valid = write(tmp_path, many(), "train"), write(tmp_path, "the\tDET\n\na\tNEW\n", "valid")
    with pytest.raises(ValueError, match=r"valid, line 3: tag 'NEW' is none of the model's 3 classes"):
        nb.tagged_text(train, valid)
    assert len(read_sentences(valid, ["DET", "NEW"])) == 2


DANISH = Path(__file__).parents[3] / "shared" / "data" / "ud-danish-1.3"


@pytest.mark.skipif(not DANISH.is_dir(), reason="the Danish treebank is not beside the project")
def test_danish_is_read_as_its_readme_says():
    data = nb.tagged_text(DANISH / "train.conllu", DANISH / "dev.conllu", DANISH / "dev.conllu")
    assert len(data.train) == 4868
    assert sum(len(ids) for ids, _ in data.train) == 88_979
    assert len(data.valid) == 322
    assert len(data.classes) == 17


def test_a_word_without_end_does_not_make_the_rows_beside_it_as_wide():
    words = spelled(["ab", "a" * 3000 + "b"], nb.Vocabulary(["ab", "a" * 3000 + "b"]), nb.Vocabulary("ab"))
    assert words.shape == (2, 1001)
    assert words[:, 0].tolist() == [1, 2]
    assert words[0, 1:4].tolist() == [1, 2, -1]
    assert (words[1, 1:] == 1).all()

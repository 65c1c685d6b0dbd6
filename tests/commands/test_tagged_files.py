"""Tagged text of other shapes trains a tagger, is tagged by it and comes back in its own form."""

import io
import re
from pathlib import Path

import pytest

import npbilstm as nb
from npbilstm.cli import main
from npbilstm.datasets import read_sentences
from npbilstm.training import read_checkpoint

SMALL = ["--epochs", "25", "--learning-rate", "0.05", "--embedding-size", "6", "--hidden-size", "6", "--quiet"]
TEXT = {"data": {"kind": "tagged text"}, "symbols": ["the", "cat", "runs"], "classes": ["DET", "NOUN", "VERB"]}


def conllu(number, words):
    """A sentence with comments, a range, an empty node and columns of its own."""
    lines = [f"# sent_id = {number}", f"# text = {' '.join(word for word, _ in words)}", "1-2\tthecat" + "\t_" * 8]
    lines += [f"{k}\t{word}\t{word}\t{tag}\tX{k}\t_\t0\troot\t_\tA=b" for k, (word, tag) in enumerate(words, start=1)]
    return "\n".join([*lines, "3.1\tgone\t_\tX" + "\t_" * 6]) + "\n\n"


NOUNS = ["cat", "dog", "cow"] * 4
SENTENCES = [[("the", "DET"), (noun, "NOUN"), ("runs", "VERB")] for noun in NOUNS]
FOUR = "-DOCSTART- -X- -X- O\n\n" + "".join(
    f"{place} NNP B-NP B-LOC\nsleeps VBZ B-VP O\n. . O O\n\n" for place in ["Oslo", "Riga", "Rome"] * 4
)
TEN = "# newdoc\n" + "".join(conllu(n, words) for n, words in enumerate(SENTENCES))
SPACED = "".join("".join(f"{word}  {tag}\n" for word, tag in words) + "\n" for words in SENTENCES)
CORPORA = {"four.txt": (FOUR, ["--columns", "1,4"]), "ten.conllu": (TEN, []), "spaced.txt": (SPACED, [])}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with three corpora and a model of each."""
    folder = tmp_path_factory.mktemp("tagged")
    for name, (text, options) in CORPORA.items():
        (folder / name).write_text(text)
        parts = [str(folder / name), "--valid", str(folder / name)]
        assert main(["train", *parts, "--out", str(folder / f"{name}.npz"), *SMALL, *options]) == 0
    nb.save_model(folder / "words.npz", nb.SequenceTagger(4, 3, embedding_size=4, hidden_size=5, rng=1), TEXT)
    return folder


@pytest.fixture
def tag(folder, monkeypatch, capsys, tmp_path):
    """tag(model, text, *options) -> (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)

    def run(model, text, *options):
        (tmp_path / "text.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
        code = main(["tag", str(folder / f"{model}.npz"), "text.txt", *options])
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("name", CORPORA)
def test_a_corpus_comes_back_in_its_own_form(name, tag):
    text, _ = CORPORA[name]
    code, out, err = tag(name, text, "--columns")
    assert (code, out) == (0, text)  # all is learned
    assert re.fullmatch(r"36 of 36 words \(100\.0%\) as the file has them\n", err)


@pytest.mark.parametrize(
    ("name", "untagged"),
    [
        ("four.txt", re.sub(r"\S+$", "_", FOUR, flags=re.MULTILINE)),
        ("ten.conllu", re.sub(r"\t(DET|NOUN|VERB)\t", "\t_\t", TEN)),
        ("spaced.txt", re.sub(r"[A-Z]+$", "_", SPACED, flags=re.MULTILINE)),
    ],
)
def test_a_corpus_without_its_tags_gets_them(name, untagged, tag):
    text, _ = CORPORA[name]
    code, out, err = tag(name, untagged, "--columns")
    kept = untagged.split("\n")[0] if name == "four.txt" else text.split("\n")[0]
    assert (code, out) == (0, "\n".join([kept, *text.split("\n")[1:]]))
    assert err == "text.txt has no tags (_ in their column), so nothing is compared.\n"


@pytest.mark.parametrize("name", ["four.txt", "ten.conllu"])
def test_tags_of_another_set_are_replaced_and_not_counted(name, tag):
    text, _ = CORPORA[name]
    other = text.replace("B-LOC", "LOCATION").replace("\tNOUN\t", "\tNN\t")
    code, out, err = tag(name, other, "--columns")
    assert (code, out) == (0, text)
    assert err.startswith(
        "24 of 24 words (100.0%) as the file has them\n12 words have tags that are none of the model's"
    )


def test_what_is_shown_of_a_tagged_text_are_its_words(tag):
    assert tag("ten.conllu", TEN)[1].startswith("the cat runs\nthe dog runs\n")
    assert tag("spaced.txt", SPACED)[1].startswith("the cat runs\nthe dog runs\n")


def test_the_columns_of_training_are_remembered_by_the_run_and_go_on_with_it(folder, tmp_path, monkeypatch, capsys):
    about = read_checkpoint(folder / "four.txt.npz").about
    assert (about["data"]["columns"], about["data"]["width"], about["classes"]) == ([1, 4], 4, ["B-LOC", "O"])
    assert "columns" not in read_checkpoint(folder / "spaced.txt.npz").about["data"]
    (tmp_path / "m.npz").write_bytes((folder / "four.txt.npz").read_bytes())
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--resume", "m.npz", "--epochs", "26", "--quiet"]) == 0
    assert main(["train", "--resume", "m.npz", "--columns", "1,2"]) == 2
    assert "--columns cannot be changed on the way" in capsys.readouterr().err


def test_the_columns_of_training_are_for_files_of_that_width(tag):
    code, out, _ = tag("four.txt", TEN, "--columns")
    assert code == 0
    assert "1\tthe\tthe\t" in out
    assert "\tX1\t" in out  # UPOS was replaced, and no other column
    code, out, _ = tag("four.txt", "Oslo\tX\nsleeps\tY\n", "--columns")
    assert (code, out) == (0, "Oslo\tB-LOC\nsleeps\tO\n")


@pytest.mark.parametrize("options", [["--columns", "2,1"], ["--columns=2,1"], ["--columns", "2, 1"]])
def test_tag_takes_columns_for_a_file_of_another_form(tag, options):
    assert tag("spaced.txt", "DET the\nDET cat\n", *options)[:2] == (0, "DET the\nNOUN cat\n")


def test_columns_by_name_are_of_conllu(tag):
    code, out, err = tag("ten.conllu", conllu(1, SENTENCES[0]), "--columns", "FORM,XPOS")
    assert (code, "1\tthe\tthe\tDET\tDET\t" in out) == (0, True)
    assert "3 words have tags that are none" in err


def test_the_file_may_stand_behind_columns_that_say_nothing(folder, tmp_path, monkeypatch, capsys):
    (tmp_path / "text.txt").write_text("the cat\n")
    monkeypatch.chdir(tmp_path)
    model = str(folder / "spaced.txt.npz")
    for given in (["--columns", "text.txt"], ["text.txt", "--columns"], ["--color", "never", "--columns", "text.txt"]):
        assert main(["tag", model, *given]) == 0
        assert capsys.readouterr().out == "the\tDET\ncat\tNOUN\n\n"
    assert main(["tag", model, "--color", "never", "text.txt"]) == 0
    assert main(["tag", model, "--columns", "1,2"]) == 2
    assert "npbilstm tag needs a FILE to tag" in capsys.readouterr().err


def test_a_word_a_line_is_tagged_in_its_sentences(tag):
    code, out, err = tag("spaced.txt", "the\ndog\nruns\n\n\nthe\ncat\n", "--columns")
    assert (code, out) == (0, "the\tDET\ndog\tNOUN\nruns\tVERB\n\n\nthe\tDET\ncat\tNOUN\n")
    assert err == "text.txt is read as one word per line, with an empty line after a sentence.\n"
    assert tag("spaced.txt", "the\ndog\n\nruns\n")[1] == "the dog\nruns\n"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("spaced.txt", "the DT\ncat NNS\n", "the cat\n"),
        ("spaced.txt", "the B-xy\nBIG O\n", "the BIG\n"),
        ("spaced.txt", "the\t\ncat\t\n", "the cat\n"),
        ("four.txt", "Oslo a b LOCATION\nsleeps c d nothing\n", "Oslo sleeps\n"),
    ],
)
def test_columns_with_none_of_the_models_classes_are_columns_all_the_same(tag, name, text, words):
    code, out, err = tag(name, text)
    assert (code, out) == (0, words)
    assert "nothing is compared" in err


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("the cat runs\nthe dog\n", ""),
        ("the cat\nthe dog\n", "plain text, one sentence per line"),
        ("the\n", ""),
        ("# Title\n", ""),
        ("\tthe cat\n\tthe dog runs\n", ""),
        ("Yes .\nNo .\n", "plain text"),
        ("the cat and\nthe dog or\n", "plain text"),
        ("when I go\nwhere I run\n", "plain text"),
        ("GIVE IT UP\nGET THE CAT\n", "plain text"),
        ("Oslo NNP LOC\nsleeps VBZ\n", ""),
        ("A B\n", ""),
        ("GIVE UP\nGET OUT\n", "plain text"),
        ("1 the cat runs over it and it is gone\n", ""),
    ],
)
def test_plain_text_is_no_columns(tag, text, note):
    code, out, err = tag("words", text)
    assert (code, out) == (0, text.replace("\t", ""))
    assert (note in err) if note else err == ""


def test_in_plain_text_too_white_space_that_is_not_asciis_is_part_of_a_word(tag):
    code, out, _ = tag("words", "the\xa0cat runs\n\u3000\nthe dog\n")
    assert (code, out) == (0, "the\xa0cat runs\n\u3000\nthe dog\n")


def test_a_full_stop_that_is_a_class_makes_no_columns_of_plain_text(folder, tmp_path, monkeypatch, capsys):
    nb.save_model(
        tmp_path / "m.npz", nb.SequenceTagger(4, 3, hidden_size=3, rng=1), {**TEXT, "classes": ["UH", ".", "NN"]}
    )
    monkeypatch.chdir(tmp_path)
    for text, words in [("Yes .\nNo .\n", "Yes .\nNo .\n"), ("Yes UH\n. .\n", "Yes .\n")]:
        (tmp_path / "text.txt").write_text(text)
        assert main(["tag", "m.npz", "text.txt"]) == 0
        assert capsys.readouterr().out == words


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        (
            "dogs\tx\ty\tNOUN\nbark\tx\ty\tVERB\n",
            [],
            "line 1: 4 columns; it needs 2 (word, tag) or 10 (CoNLL-U), or --col",
        ),
        ("Oslo NNP LOC\nsleeps VBZ O\n", [], "line 1: 3 columns; it needs 2 (word, tag) or 10 (CoNLL-U), or --columns"),
        ("the a DET\ncat b NOUN\n. . .\n", [], "line 1: 3 columns; it needs 2"),
        ("EU NNP B-ORG O\n. . O O\nsays VBZ O O\n", [], "line 1: 4 columns; it needs 2"),
        ("the\tDET\nthe cat\nruns\tVERB\n", [], "line 2: 1 column; the first line of data has 2"),
        ("the\tDET\n", ["--columns", "1,3"], "there is no column 3 in 1 'the', 2 'DET'"),
        ("the\tDET\n", ["--columns", "1,2,3"], "--columns is '1,2,3'; it needs the word's column and the tag's"),
        ("the\tDET\n", ["--columns", "0,1"], "--columns is '0,1'; columns are counted from 1"),
        ("the\tDET\n", ["--columns", "1,"], "--columns is '1,'; it needs the word's column"),
        ("the\tDET\n", ["--columns", "x"], "--columns is 'x'; it needs the word's column"),
        (b"the\0cat", [], "text.txt holds null bytes: it is binary data, or text in UTF-16"),
    ],
)
def test_columns_that_cannot_be_read_get_a_sentence(tag, text, options, sentence):
    code, out, err = tag("words", text, *options)
    assert (code, out) == (2, "")
    assert sentence in err
    assert re.fullmatch("npbilstm: .*\n", err)


def test_train_says_how_columns_are_said(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", str(folder / "four.txt"), "--quiet"]) == 2
    assert "--columns WORD,TAG to say which: 1 'Oslo', 2 'NNP', 3 'B-NP', 4 'B-LOC'" in capsys.readouterr().err
    assert main(["train", str(folder), "--columns", "1,2"]) == 2
    assert "--columns goes with a tagged-text file" in capsys.readouterr().err


def test_a_model_of_characters_has_no_columns_of_words(tmp_path, monkeypatch, capsys):
    about = {"data": {"kind": "python source", "window": 16}, "symbols": None, "classes": ["a", "b"]}
    nb.save_model(tmp_path / "code.npz", nb.SequenceTagger(98, 2, hidden_size=3, rng=1), about)
    (tmp_path / "a.py").write_text("x\n")
    monkeypatch.chdir(tmp_path)
    assert main(["tag", "code.npz", "a.py", "--columns", "1,2"]) == 2
    assert "--columns WORD,TAG is for words; code.npz is a model of characters" in capsys.readouterr().err


def test_what_is_written_to_a_file_is_not_changed_and_on_a_terminal_steers_nothing(tag, monkeypatch):
    text = "the\u200f\tDET\ncat\x1b[31m\tNOUN\n"
    assert tag("spaced.txt", text, "--columns")[1].startswith("the\u200f\t")
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), write_through=True))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    written = __import__("sys").stdout.buffer
    tag("spaced.txt", text, "--columns")
    assert "\x1b" not in written.getvalue().decode()


def test_a_sentence_longer_than_a_piece_is_tagged_whole(tag):
    code, out, _ = tag("spaced.txt", "the cat " * 5000, "--columns")
    assert (code, out) == (0, "the\tDET\ncat\tNOUN\n" * 5000 + "\n")


def test_a_text_with_foreign_tags_is_inspected_by_the_predicted_classes(folder, tmp_path, monkeypatch, capsys):
    (tmp_path / "text.txt").write_text("the\tDET\ncat\tNN\n\nthe\tDET\ncat\tNOUN\n")
    monkeypatch.chdir(tmp_path)
    model = str(folder / "ten.conllu.npz")
    assert main(["inspect", model, "text.txt", "--step", "1"]) == 0
    shown = capsys.readouterr()
    assert "the gradients are those of the predicted classes" in shown.err
    assert "wrong" not in shown.out
    assert main(["inspect", model, "text.txt", "--step", "1", "--line", "2"]) == 0
    assert "0 of 2 wrong" in capsys.readouterr().out


DANISH = Path(__file__).parents[3] / "shared" / "data" / "ud-danish-1.3"


@pytest.mark.skipif(not DANISH.is_dir(), reason="the Danish treebank is not beside the project")
def test_a_treebank_comes_back_with_nothing_but_its_tags_changed(tmp_path, monkeypatch, capsys):
    text = (DANISH / "dev.conllu").read_text()
    classes = sorted({tag for sentence in read_sentences(DANISH / "dev.conllu") for _, tag in sentence})
    model = nb.SequenceTagger(2, len(classes), embedding_size=3, hidden_size=3, rng=0)
    nb.save_model(tmp_path / "m.npz", model, {**TEXT, "symbols": ["og"], "classes": classes})
    assert main(["tag", str(tmp_path / "m.npz"), str(DANISH / "dev.conllu"), "--columns"]) == 0
    before, after = ([line.split("\t") for line in each.split("\n")] for each in (text, capsys.readouterr().out))
    assert [line[:-1] for line in before] == [line[:-1] for line in after]
    assert {line[1] for line in after if len(line) == 2} <= set(classes)

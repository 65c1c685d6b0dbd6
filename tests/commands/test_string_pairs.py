"""`npbilstm train` on pairs of strings: tasks that make them, a file; stopped, resumed, refused with a sentence."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.cli import main
from npbilstm.commands import train
from npbilstm.datasets.string_pairs import DATE_FORMATS, TASKS, a_date, generated, ids_of, pairs_file, text_of
from npbilstm.inspector import attention_html, attention_text

SMALL = ["--hidden-size", "2", "--embedding-size", "2"]
PAIRS = "".join(
    f"{word}\t{word[::-1]}\n" for word in ["ab", "ba", "abc", "cab", "bca", "acb", "bb", "aa", "cc", "abab"] * 2
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.tsv").write_text(PAIRS)
    monkeypatch.setattr("npbilstm.datasets.string_pairs.TEST", 4)
    return tmp_path


@pytest.mark.parametrize("task", TASKS)
def test_a_task_makes_its_data_trains_and_shows_what_came_of_it(folder, capsys, task):
    assert main(["train", "--task", task, "--pairs", "8", "--epochs", "1", *SMALL, "--out", "m.npz"]) == 0
    said = capsys.readouterr().out
    assert f"{task}: 8 pairs" in said
    assert "wholly right in test: " in said
    assert said.count(" -> ") == 4
    model, about = nb.load_model("m.npz", kind=nb.Seq2Seq)
    assert model.config["num_symbols"] == len(about["sources"])


def test_a_file_s_run_that_is_stopped_goes_on_to_the_same_bytes(folder, monkeypatch, capsys):
    arguments = ["train", "pairs.tsv", "--task", "pairs", "--epochs", "3", "--batch-size", "2", *SMALL, "--quiet"]
    assert main([*arguments, "--out", "whole.npz"]) == 0
    asked = iter(range(100))

    class StopAtOnce(train.StopFlag):
        def __call__(self):
            return next(asked) == 4

    with monkeypatch.context() as patched:
        patched.setattr(train, "StopFlag", StopAtOnce)
        assert main([*arguments, "--out", "broken.npz"]) == 130
    assert main(["train", "--resume", "broken.npz", "--quiet"]) == 0
    assert (folder / "whole.npz").read_bytes() == (folder / "broken.npz").read_bytes()
    (folder / "pairs.tsv").write_text(PAIRS + "zz\tzz\n")
    assert main(["train", "--resume", "broken.npz", "--epochs", "4"]) == 2
    assert "is not what it was when broken.npz was begun" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--task", "pairs"], "--task pairs needs a file of two columns"),
        (["pairs.tsv", "--task", "dates"], "--task dates makes its own data"),
        (["--task", "dates", "--pairs", "0"], "pairs is 0; it needs to be at least 1"),
        (["--task", "addition", "--pairs", "99999999"], "addition has at most 999,992 to train on that differ"),
        (["--task", "dates", "--cell", "gru"], "the task 'dates' has no use for --cell"),
        (["--attention", "dot"], "the task 'tagging' has no use for --attention"),
        (["none.tsv", "--task", "pairs"], "none.tsv: there is no such file"),
        (["one.tsv", "--task", "pairs"], "line 2 has 1 columns; it needs two, with a tab between"),
        (["few.tsv", "--task", "pairs"], "has 1 pairs; it needs at least 10"),
        (["odd.tsv", "--task", "pairs"], "odd.tsv, line 1: this is not UTF-8 text"),
        (["half.tsv", "--task", "pairs"], "half.tsv, line 2: the target is empty; it needs at least one character"),
        (["wide.tsv", "--task", "pairs"], "wide.tsv holds null bytes"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(folder, capsys, arguments, sentence):
    (folder / "one.tsv").write_text("a\tb\nc\n")
    (folder / "half.tsv").write_text("a\tb\nc\t\n")
    (folder / "wide.tsv").write_text("a\tb\n", encoding="utf-16")
    (folder / "few.tsv").write_text("a\tb\n\n")
    (folder / "odd.tsv").write_bytes(b"\xff\xfe\xff\tb\n")
    assert main(["train", *arguments, "--out", "m.npz"]) == 2
    assert sentence in capsys.readouterr().err


def test_a_model_of_pairs_is_refused_where_text_is_tagged(folder, capsys):
    nb.save_model("m.npz", nb.Seq2Seq(3, 3, hidden_size=2, embedding_size=2, rng=0))
    assert main(["tag", "m.npz", "pairs.tsv"]) == 2
    assert "m.npz holds a Seq2Seq; npbilstm tag needs a SequenceTagger or a WordTagger" in capsys.readouterr().err


def test_there_are_eleven_ways_to_write_a_date_and_no_source_has_two_answers():
    assert len(DATE_FORMATS) == 11
    rng, found = np.random.default_rng(0), {}
    for _ in range(3000):
        source, target = a_date(rng)
        assert found.setdefault(source, target) == target


@pytest.mark.parametrize("task", TASKS)
def test_the_parts_share_no_source_and_the_same_seed_makes_the_same(task):
    data = generated(task, 50, 3)
    sources = [text_of(ids, data.sources) for part in (data.train, data.valid, data.test) for ids, _ in part]
    assert len(sources) == len(set(sources)) == 2050
    again = generated(task, 50, 3)
    assert all((a == b).all() for (a, _), (b, _) in zip(data.test, again.test))


def test_the_answers_of_the_tasks_are_right():
    for task, right in [("reverse", lambda s: s[::-1]), ("addition", lambda s: str(eval(s.lstrip("0") or "0"))[::-1])]:
        data = generated(task, 5, 0)
        for ids, target in data.train:
            assert text_of(target, data.targets) == right(text_of(ids, data.sources))


def test_a_file_of_pairs_is_split_by_its_seed(folder):
    one, other = (pairs_file("pairs.tsv", seed) for seed in (0, 1))
    assert (len(one.train), len(one.valid), len(one.test)) == (8, 1, 1)
    assert [ids.tolist() for ids, _ in one.train] != [ids.tolist() for ids, _ in other.train]
    with pytest.raises(ValueError, match="'z'; the characters known are 'abc'"):
        ids_of("az", one.sources)


def test_the_heat_map_is_darkest_where_most_is_looked_at():
    alpha = np.array([[0.0, 1.0], [0.95, 0.05], [0.5, 0.5]])
    assert attention_text(alpha, "ab", "ba").split("\n")[1:] == ["  b     @", "  a   @", "end   + +"]
    page = attention_html(alpha, "a<", "b\x1b")
    assert "a&lt;" not in page
    assert page.count("<td ") == 6
    assert "\x1b" not in page
    assert "&lt;" in page
    with pytest.raises(ValueError, match=r"alpha has shape \(3, 2\); it needs \(2, 2\)"):
        attention_text(alpha, "ab", "b")
    with pytest.raises(ValueError, match="alpha holds nan; it needs weights from 0 to 1"):
        attention_text(alpha * np.nan, "ab", "ba")

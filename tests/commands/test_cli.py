"""The command line, run as a user runs it: in a process of its own, in an empty folder."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.cli import COMMANDS, main, parsed, parser
from npbilstm.commands.checks import CHECKS
from npbilstm.training import read_checkpoint

SMALL = ["--epochs", "2", "--embedding-size", "4", "--hidden-size", "5", "--batch-size", "4"]
WORDS = "".join(f"the\tDET\n{word}\tNOUN\nruns\tVERB\n\n" for word in ["cat", "dog", "cow"] * 8)


def npbilstm(*arguments, folder, **options):
    environment = {**os.environ, "NO_COLOR": "", "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-m", "npbilstm", *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, env=environment, check=False, **options
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a words model, a Python model, and their data."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "words.txt").write_text(WORDS)
    (folder / "code").mkdir()
    for n in range(6):
        (folder / "code" / f"m{n}.py").write_text(f"def f{n}(x):\n    return g(x) + {n}  # and on\n" * 20)
    for data, out in [("words.txt", "words.npz"), ("code", "code.npz")]:
        assert main(["train", str(folder / data), "--out", str(folder / out), "--quiet", *SMALL]) == 0
    return folder


def test_help_shows_every_command_and_examples(folder, capsys):
    top = npbilstm("--help", folder=folder)
    assert top.returncode == 0
    for command in COMMANDS:
        assert command in top.stdout
        assert main([command, "--help"]) == 0
        text = capsys.readouterr().out
        assert "examples:" in text
        assert f"  npbilstm {command}" in text or f"| npbilstm {command}" in text


@pytest.mark.parametrize(("line", "name"), [("train --epochs 2", "data"), ("check --hint 2", "files")])
def test_files_may_stand_on_both_sides_of_an_option(line, name, capsys):
    command, option, value = line.split()
    for given in ("{} a b c", "a {} b c", "a b {} c", "a b c {}", "a {} b {} c"):
        files = getattr(parsed([command, *given.format(*2 * [f"{option} {value}"]).split()]), name)
        assert files == ["a", "b", "c"], given
    assert main([command, "a", option, value, "b", "--fly"]) == 2
    assert "unrecognized arguments: b --fly" in capsys.readouterr().err


def test_every_example_in_the_help_parses():
    for command in COMMANDS:
        text = next(a for a in parser()._actions if a.dest == "command").choices[command].epilog
        for line in text.split("\n"):
            example = re.split(r"\s{3,}| >", line.strip().split("| ")[-1])[0]
            if example.startswith("npbilstm"):
                assert parsed(shlex.split(example)[1:]).command == command


def test_version_is_the_packages(folder):
    assert npbilstm("--version", folder=folder).stdout == f"npbilstm {nb.__version__}\n"


def test_check_says_that_all_gradients_are_right(monkeypatch, capsys):
    from npbilstm.commands import check

    some = dict(list(CHECKS.items())[:3])  # tests/textbook and tests/layers run them all
    monkeypatch.setattr(check, "CHECKS", some)
    assert main(["check"]) == 0
    shown = capsys.readouterr().out
    assert f"all {len(some)} checks agree" in shown
    assert shown.count("\nok ") == len(some)


def test_check_exits_with_1_and_the_report_where_a_gradient_is_wrong(monkeypatch, capsys):
    from npbilstm.commands import check

    wrong = nb.check_gradients(lambda p: (p["w"] ** 2).sum(), {"w": np.ones(2)}, {"w": np.ones(2)})
    monkeypatch.setattr(check, "CHECKS", {"a wrong one": lambda **options: wrong})
    assert main(["check"]) == 1
    assert "The gradient is WRONG for w" in capsys.readouterr().out


def test_training_tells_what_it_does_and_how_good_it_is(folder, tmp_path):
    done = npbilstm("train", folder / "words.txt", "--out", "m.npz", *SMALL, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "words.txt: 20 sequences" in done.stdout
    assert re.search(r"all +6 +\d+\.\d%", done.stdout)
    assert "Try it: npbilstm tag m.npz FILE" in done.stdout
    assert "epoch 2/2: 5/5 loss " in done.stderr
    assert os.listdir(tmp_path) == ["m.npz"]


@pytest.mark.parametrize(("cell", "kind"), [("lstm", nb.LSTM), ("gru", nb.GRU), ("rnn", nb.RNN)])
def test_a_tagger_of_any_cell_is_trained_resumed_and_used(cell, kind, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = str(folder / "words.txt")
    assert main(["train", text, "--out", "m.npz", "--quiet", "--cell", cell, *SMALL]) == 0
    assert main(["train", "--resume", "m.npz", "--epochs", "3", "--quiet"]) == 0
    assert type(nb.load_model("m.npz")[0].recurrent) is kind
    assert main(["tag", "m.npz", text, "--columns"]) == 0


def test_the_same_command_writes_the_same_bytes(folder, tmp_path):
    for out in ("one.npz", "two.npz"):
        assert main(["train", str(folder / "words.txt"), "--out", str(tmp_path / out), "--quiet", *SMALL]) == 0
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_tag_in_columns_can_be_read_back(folder, tmp_path):
    (tmp_path / "text.txt").write_text("the cat runs\nthe fish\n")
    done = npbilstm("tag", folder / "words.npz", "text.txt", "--columns", folder=tmp_path)
    assert done.returncode == 0
    (tmp_path / "tagged.txt").write_text(done.stdout)
    sentences = nb.datasets.read_sentences(tmp_path / "tagged.txt")
    assert [[word for word, _ in sentence] for sentence in sentences] == [["the", "cat", "runs"], ["the", "fish"]]


@pytest.mark.slow
def test_tag_shows_the_text_and_says_how_much_is_right(folder, tmp_path):
    code = "def f(x):\n    return g(x)\n"
    (tmp_path / "a.py").write_text(code)
    plain = npbilstm("tag", folder / "code.npz", "a.py", folder=tmp_path)
    assert plain.stdout == code
    assert re.match(r"\d+ of 26 characters \(\d+\.\d%\) as Python's tokenize has them", plain.stderr)
    coloured = npbilstm("tag", folder / "code.npz", "a.py", "--color", "always", folder=tmp_path).stdout
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).startswith(code)
    words = npbilstm("tag", folder / "words.npz", folder / "words.txt", folder=tmp_path)
    assert re.match(r"\d+ of 72 words \(\d+\.\d%\) as the file has them", words.stderr)
    assert words.stdout.startswith("the cat runs\nthe dog runs\n")


def test_tag_reads_standard_input_and_text_that_is_not_python(folder, tmp_path):
    done = npbilstm("tag", folder / "code.npz", "-", folder=tmp_path, input="what ' is this?\n")
    assert done.returncode == 0
    assert done.stdout == "what ' is this?\n"
    assert done.stderr == ""


def test_tag_writes_a_page(folder, tmp_path):
    (tmp_path / "a.py").write_text("x = '<script>alert(1)</script>'\n")
    assert npbilstm("tag", folder / "code.npz", "a.py", "--html", "a.html", folder=tmp_path).returncode == 0
    page = (tmp_path / "a.html").read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in re.sub(r"</?(span|u)[^>]*>", "", page)
    assert "<script" not in page


def damaged_models(folder, tmp_path):
    raw = (folder / "words.npz").read_bytes()
    (tmp_path / "short.npz").write_bytes(raw[: len(raw) // 2])
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "empty.npz").write_bytes(b"")
    checkpoint = read_checkpoint(folder / "words.npz")
    meta = {**checkpoint.meta, "about": {**checkpoint.meta["about"], "classes": ["ONE"]}}
    np.savez(tmp_path / "few.npz", meta=np.frombuffer(json.dumps(meta).encode(), np.uint8), **checkpoint.arrays)
    nb.save_model(tmp_path / "classifier.npz", nb.SequenceClassifier(3, 2, rng=0))
    nb.save_model(tmp_path / "bare.npz", nb.SequenceTagger(3, 2, rng=0))


@pytest.mark.few(16)
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("tag words.npz absent.txt", "absent.txt: No such file or directory"),
        ("tag absent.npz words.txt", "absent.npz: No such file or directory"),
        ("tag words.npz .", ".: Is a directory"),
        ("tag words.npz nothing.txt", "nothing.txt is empty; there is nothing to read"),
        ("tag words.npz blank.txt", "blank.txt is empty; there is nothing to read"),
        ("tag words.npz binary.txt", "binary.txt, line 1: this is not UTF-8 text"),
        ("tag short.npz words.txt", "short.npz is damaged or cut short"),
        ("tag text.npz words.txt", "text.npz is not a model file"),
        ("tag empty.npz words.txt", "empty.npz is not a model file"),
        ("tag words.txt words.txt", "words.txt is not a model file"),
        ("tag few.npz words.txt", "few.npz names 6 symbols and 1 classes; its model has 6 and 3"),
        ("tag classifier.npz words.txt", "holds a SequenceClassifier; npbilstm tag needs a SequenceTagger"),
        (
            "tag bare.npz words.txt",
            "bare.npz does not name its symbols and classes; needed is a model of npbilstm train, of tagged text or of "
            "Python source, or of npbilstm demo",
        ),
        ("train absent.txt", "absent.txt: there is no such file or folder"),
        ("train nothing.txt", "nothing.txt: the file holds no words"),
        ("train columns.txt", "columns.txt, line 3: 3 columns; the first line of data has 2"),
        ("train words.txt --valid more.txt", "more.txt, line 2: tag 'NEW' is none of the model's 3 classes"),
        ("train words.txt --epochs 0", "epochs is 0; it needs to be at least 1"),
        ("train words.txt --hidden-size -3", "hidden_size is -3; it needs to be at least 1"),
        ("train words.txt --learning-rate 0", "learning_rate is 0.0; it needs to be above 0"),
        ("train words.txt --dropout 1.5", "dropout is 1.5"),
        ("train words.txt --seed -1", "seed is -1; it needs to be at least 0"),
        ("train words.txt --out words.txt", "--out is words.txt, which this command reads"),
        ("train words.txt --out words.npz", "words.npz exists; go on with --resume words.npz, choose another --out"),
        ("train words.txt --valid more.txt --out more.txt --overwrite", "--out is more.txt, which this command reads"),
        ("train words.txt --out no/such/m.npz", "no/such: --out needs a folder that exists"),
        ("train words.txt --learning-rate 1e30 --clip 0 --optimiser sgd", "a smaller learning rate usually helps"),
        ("train void", "void: there is no .py file in this folder or below it"),
        ("train code --valid words.txt", "--valid and --test go with a tagged-text file"),
        ("train --resume absent.npz", "absent.npz: No such file or directory"),
        ("train --resume short.npz", "short.npz is damaged or cut short"),
        ("train --resume bare.npz", "bare.npz holds a model alone, not a training run"),
        ("train --resume words.npz --hidden-size 9", "--hidden-size cannot be changed on the way"),
        ("train words.txt --resume words.npz", "DATA cannot be changed on the way"),
        ("train --resume words.npz --epochs 1", "--epochs is 1; words.npz has 2 epochs behind it already"),
        ("demo --out words.txt", "words.txt: File exists"),
        ("demo --out theirs", "theirs/model.npz exists and is not the demonstration's; choose another folder"),
        ("tag words.npz words.txt --html words.txt --overwrite", "--html is words.txt, which this command reads"),
        ("tag words.npz words.txt --html words.npz --overwrite", "--html is words.npz, which this command reads"),
        ("tag words.npz words.txt --html blank.txt", "blank.txt exists; choose another --html, or allow it with"),
        ("tag words.npz words.txt --html no/such/page.html", "no/such: --html needs a folder that exists"),
        ("tag words.npz words.txt --html void --overwrite", "--html is void, a folder; it needs the name of a file"),
        ("tag words.npz title.txt", "title.txt"),
        ("train --resume=", "path is empty; it needs the name of a file"),
        ("train words.txt --valid=", "there is no such file or folder"),
        ("train words.txt --save-every nan", "--save-every is nan; it needs to be at least 0 seconds"),
        ("train words.txt --learning-rate inf", "learning_rate is inf; it needs to be above 0 and finite"),
    ],
)
def test_broken_input_is_one_sentence_and_exit_code_2(folder, tmp_path, arguments, sentence, monkeypatch, capsys):
    for name in ("words.txt", "words.npz"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "code").symlink_to(folder / "code")
    damaged_models(folder, tmp_path)
    (tmp_path / "void").mkdir()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "model.npz").write_bytes(b"of somebody else")
    (tmp_path / "title.txt").write_bytes(b"")
    (tmp_path / "nothing.txt").write_text("")
    (tmp_path / "blank.txt").write_text(" \n\n")
    (tmp_path / "binary.txt").write_bytes(b"\x89PNG\xff\xfe")
    (tmp_path / "more.txt").write_text("the\tDET\ncat\tNEW\n")
    (tmp_path / "columns.txt").write_text("a\tb\nc\td\ne\tf\tg\n")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    monkeypatch.chdir(tmp_path)
    assert main(arguments.split()) == 2
    shown = capsys.readouterr()
    assert sentence in shown.err
    assert shown.err.startswith("npbilstm: ") or "\nnpbilstm: " in shown.err
    assert shown.err.strip().split("\n")[-1].startswith("npbilstm: ")
    assert "Traceback" not in shown.err
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name in before}
    assert kept == before


def test_the_optimizer_may_be_spelled_either_way():
    given = [parsed(["train", f"--{name}", "sgd"]) for name in ("optimizer", "optimiser")]
    assert given[0] == given[1]
    assert given[0].optimizer == "sgd"


def test_an_unknown_option_or_command_exits_with_2():
    for arguments in (["fly"], ["train", "--wings", "2"], ["train", "--epochs", "many"], []):
        assert main(arguments) == 2


def test_a_finished_run_can_go_on_for_more_epochs(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.npz").write_bytes((folder / "words.npz").read_bytes())
    assert main(["train", "--resume", "m.npz", "--epochs", "4", "--quiet"]) == 0
    assert len(read_checkpoint("m.npz").meta["position"]["history"]) == 4
    assert main(["train", "--resume", "m.npz"]) == 0
    assert "Saved m.npz" in capsys.readouterr().out


def test_a_run_is_not_resumed_on_other_data(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.txt").write_text(WORDS)
    assert main(["train", "d.txt", "--quiet", *SMALL]) == 0
    (tmp_path / "d.txt").write_text(WORDS.replace("cow", "owl"))
    assert main(["train", "--resume", "model.npz", "--epochs", "3"]) == 2
    assert "is not what it was when model.npz was begun" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["symbols", "classes"])
def test_a_run_whose_file_names_other_symbols_or_classes_is_not_resumed(folder, tmp_path, name, capsys):
    trainer, said = nb.load_trainer(folder / "words.npz")
    said[name] = [f"{each}s" for each in said[name]]
    nb.save_checkpoint(tmp_path / "m.npz", trainer, said)
    assert main(["train", "--resume", str(tmp_path / "m.npz"), "--epochs", "3"]) == 2
    assert "m.npz is damaged: the symbols and classes that it names are not" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_saves_and_says_how_to_resume_and_the_resumed_run_ends_the_same(folder, tmp_path):
    settings = ["--schedule", "constant", *SMALL[2:]]
    long = ["--epochs", "1000000", *settings]  # it has not ended before Ctrl-C comes, however busy the machine
    command = [sys.executable, "-m", "npbilstm", "train", str(folder / "words.txt"), "--out", "m.npz", *long]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "m.npz").exists():
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, shown = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopped; all is saved in m.npz. Go on with: npbilstm train --resume m.npz" in shown
    assert "Traceback" not in shown
    epochs = ["--epochs", read_checkpoint(tmp_path / "m.npz").meta["position"]["epoch"] + 2, "--quiet"]
    assert npbilstm("train", "--resume", "m.npz", *epochs, folder=tmp_path).returncode == 0
    whole = ["train", folder / "words.txt", "--out", "whole.npz", *settings, *epochs]
    assert npbilstm(*whole, folder=tmp_path).returncode == 0
    assert (tmp_path / "m.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()


@pytest.mark.parametrize(
    ("given", "used"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3"), ({"OMP_NUM_THREADS": "2"}, None)]
)
def test_blas_runs_on_one_thread_unless_the_user_says_how_many(given, used, tmp_path):
    code = (
        "import os, sys; from npbilstm.cli import main, use_one_thread; assert 'numpy' not in sys.modules; "
        "use_one_thread(); print(os.environ.get('OPENBLAS_NUM_THREADS'))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_THREADS")}
    environment = {**environment, **given, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"{used}\n"


@pytest.mark.parametrize(
    "change",
    [
        {"about": None},
        {"about": []},
        {"about": {"data": None}},
        {"classes": None},
        {"classes": [1, 2, 3]},
        {"symbols": {"a": 1}},
        {"symbols": None},
        {"symbols": ["the"] * 5},
        {"data": []},
        {"data": {"kind": "poems"}},
        {"data": {"kind": "python source"}},
        {"data": {"kind": "tagged text", "train": 7, "fingerprint": "x"}},
    ],
)
@pytest.mark.parametrize("command", ["tag MODEL words.txt", "train --resume MODEL"])
def test_a_model_file_that_says_nonsense_of_its_data_gets_a_sentence(
    folder, tmp_path, change, command, monkeypatch, capsys
):
    checkpoint = read_checkpoint(folder / "words.npz")
    about = {**checkpoint.meta["about"], **{name: value for name, value in change.items() if name != "about"}}
    meta = {**checkpoint.meta, "about": change.get("about", about)}
    np.savez(tmp_path / "m.npz", meta=np.frombuffer(json.dumps(meta).encode(), np.uint8), **checkpoint.arrays)
    (tmp_path / "words.txt").write_text(WORDS)
    monkeypatch.chdir(tmp_path)
    code = main(command.replace("MODEL", "m.npz").split())
    told = capsys.readouterr().err
    if command.startswith("tag") and change.get("data", {"train": 0}) == {
        "kind": "tagged text",
        "train": 7,
        "fingerprint": "x",
    }:
        assert code == 0  # tag needs no data
    else:
        assert code == 2
        assert re.match(r"npbilstm: .*\n\Z", told)


def test_a_tagged_text_on_standard_input_is_compared_too(folder, tmp_path):
    done = npbilstm("tag", folder / "words.npz", "-", folder=tmp_path, input=WORDS)
    assert done.stdout.startswith("the cat runs\n")
    assert "of 72 words" in done.stderr


def test_a_text_of_headings_only_is_text(folder, tmp_path):
    done = npbilstm("tag", folder / "words.npz", "-", folder=tmp_path, input="# Title\n")
    assert (done.returncode, done.stdout) == (0, "# Title\n")


@pytest.mark.slow
def test_nothing_in_a_text_or_in_a_name_reaches_the_terminal_as_a_control(folder, tmp_path):
    text = "the \x1b]0;owned\x07 cat\u202e"
    for options in (["--columns"], ["--color", "always"], []):
        shown = npbilstm("tag", folder / "words.npz", "-", *options, folder=tmp_path, input=text).stdout
        assert "\x1b]" not in shown
        assert not set(shown) & {"\x07", "\u202e"}
    assert "\x1b" not in npbilstm("tag", folder / "words.npz", "no\x1b[31m.txt", folder=tmp_path).stderr


def test_names_that_the_terminal_cannot_write_stop_nothing(tmp_path, monkeypatch):
    (tmp_path / "ø.txt").write_text(WORDS.replace("DET", "BÅ"))
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = npbilstm("train", "ø.txt", "--out", "å b.npz", *SMALL, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert r"npbilstm tag '\xe5 b.npz' FILE" in done.stdout


def test_a_run_that_is_finished_says_so(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.npz").write_bytes((folder / "words.npz").read_bytes())
    assert main(["train", "--resume", "m.npz"]) == 0
    assert "Nothing is left to train: all its epochs are done (2 of 2 epochs)." in capsys.readouterr().out

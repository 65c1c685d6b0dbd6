"""Standard streams that are closed, full or unread, as a user's may be: what is lost of a command, and what is not."""

import os
import re
import shlex
import subprocess
import sys

import pytest

from npbilstm.cli import main
from npbilstm.models import LanguageModel
from npbilstm.training import read_checkpoint, save_model

SMALL = ["--epochs", "2", "--embedding-size", "4", "--hidden-size", "5"]
WORDS = "".join(f"the\tDET\n{word}\tNOUN\nruns\tVERB\n\n" for word in ["cat", "dog", "cow"] * 4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with tagged words and a model of them, and one of a language."""
    folder = tmp_path_factory.mktemp("streams")
    (folder / "words.txt").write_text(WORDS)
    assert main(["train", str(folder / "words.txt"), "--out", str(folder / "words.npz"), "--quiet", *SMALL]) == 0
    letters = LanguageModel(3, embedding_size=2, hidden_size=2, rng=0)
    save_model(folder / "letters.npz", letters, {"symbols": ["a", "b"]})
    return folder


def plain_environment():
    """As a user has it: Python keeps what it writes until a line or a block is full."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**plain, "PYTHONPATH": os.pathsep.join(sys.path)}


def in_a_shell(command, folder):
    """`npbilstm COMMAND` with its redirections."""
    line = f"{shlex.quote(sys.executable)} -m npbilstm {command}"
    done = subprocess.run(["sh", "-c", line], cwd=folder, env=plain_environment(), capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    return done


needs_dev_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")


@pytest.mark.slow
@needs_dev_full
def test_a_full_output_is_told_of_where_python_keeps_nothing(folder):
    command = [sys.executable, "-u", "-m", "npbilstm", "--help"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, cwd=folder, env=plain_environment(), stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (2, b"npbilstm: standard output: No space left on device\n")


@needs_dev_full
@pytest.mark.few(1)
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "2>/dev/full", "| head -n 1"])
def test_a_stream_that_is_closed_or_full_stops_no_training(folder, tmp_path, closed):
    done = in_a_shell(f"train {folder / 'words.txt'} --out m.npz {' '.join(SMALL)} {closed}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert read_checkpoint(tmp_path / "m.npz").meta["position"]["epoch"] == 2


@needs_dev_full
@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("--help", 0),
        ("tag words.npz words.txt", 0),
        ("inspect words.npz words.txt", 0),
        ("convert words.npz again.npz --overwrite", 0),
        ("sample letters.npz --prompt abc", 0),
        ("tag absent.npz words.txt", 2),
        ("fly", 2),
    ],
)
def test_a_standard_error_that_is_full_changes_no_exit_code(folder, command, code):
    assert in_a_shell(f"{command} 2>/dev/full", folder).returncode == code


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.few(1)
@pytest.mark.parametrize(("command", "code"), [("--version", 0), ("tag words.npz words.txt", 0), ("fly", 2)])
def test_a_reader_that_has_gone_away_changes_no_exit_code(folder, command, code):
    unread, into = os.pipe()
    os.close(unread)
    line = [sys.executable, "-m", "npbilstm", *command.split()]
    try:
        done = subprocess.run(line, cwd=folder, env=plain_environment(), stdout=into, stderr=into)
    finally:
        os.close(into)
    assert done.returncode == code


@needs_dev_full
@pytest.mark.few(1)
@pytest.mark.parametrize(
    "command",
    [
        "--help",
        "--version",
        "tag words.npz words.txt --columns",
        "inspect words.npz words.txt",
        "sample letters.npz",
    ],
)
def test_a_standard_output_that_cannot_be_written_is_a_sentence(folder, command):
    done = in_a_shell(f"{command} >/dev/full", folder)
    assert (done.returncode, done.stderr.split("\n")[-2]) == (
        2,
        "npbilstm: standard output: No space left on device",
    )
    assert in_a_shell(f"{command} >/dev/full 2>/dev/full", folder).returncode == 2


@needs_dev_full
def test_a_run_whose_table_cannot_be_printed_is_trained_and_saved_and_says_so(folder, tmp_path):
    done = in_a_shell(f"train {folder / 'words.txt'} --out m.npz {' '.join(SMALL)} >/dev/full", tmp_path)
    assert (done.returncode, done.stderr.count("standard output: No space left on device")) == (2, 1)
    assert read_checkpoint(tmp_path / "m.npz").meta["position"]["epoch"] == 2


def test_a_reader_that_has_seen_enough_is_no_error(folder, tmp_path):
    (tmp_path / "many.txt").write_text("the cat runs\n" * 10_000)
    done = in_a_shell(f"tag {folder / 'words.npz'} many.txt --columns | head -n 1", tmp_path)
    assert re.match(r"the\t[A-Z]+\n\Z", done.stdout)


@pytest.mark.slow
def test_a_text_without_an_end_stops_where_its_reader_has_seen_enough(folder):
    done = in_a_shell("sample letters.npz --length 1000000000000 | head -c 3; true", folder)
    assert (done.returncode, len(done.stdout), done.stderr) == (0, 3, "")

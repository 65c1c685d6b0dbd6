"""`npbilstm train --workers`: the same run by several processes, whatever is killed."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

import npbilstm as nb
from npbilstm.cli import main
from npbilstm.commands import train

FEW = ["--schedule", "constant", "--batch-size", "4", "--hidden-size", "4", "--embedding-size", "4", "--dropout", "0.2"]
SMALL = ["--epochs", "2", *FEW]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [f"{word}\t{word[0].upper()}" for word in ("ab", "ba", "aab", "bba", "b", "a", "abba")]
    (tmp_path / "words.txt").write_text("\n\n".join("\n".join(words[k % 5 :]) for k in range(20)))
    return tmp_path


def test_the_run_has_as_many_shards_as_workers_and_goes_on_with_any_number_of_them(folder, monkeypatch):
    counts = []
    monkeypatch.setattr(train, "Processes", lambda count, memory: counts.append(count) or ThreadPoolExecutor(count))
    assert main(["train", "words.txt", "--out", "m.npz", "--quiet", "--workers", "3", *SMALL]) == 0
    assert nb.load_trainer("m.npz")[0].settings.shards == 3
    assert main(["train", "words.txt", "--out", "n.npz", "--quiet", "--workers", "3", "--epochs", "1", *FEW]) == 0
    for epochs, workers in [("2", "1"), ("3", "2"), ("4", "9")]:
        assert main(["train", "--resume", "n.npz", "--quiet", "--epochs", epochs, "--workers", workers]) == 0
        assert main(["train", "--resume", "m.npz", "--quiet", "--epochs", epochs]) == 0
    assert counts == [3, 3, 2, 3]
    assert nb.load_trainer("n.npz")[0].position.epoch == 4
    assert (folder / "m.npz").read_bytes() == (folder / "n.npz").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("words.txt --workers 0", "--workers is 0; it needs to be at least 1"),
        ("--resume one.npz --workers -1", "--workers is -1; it needs to be at least 1"),
        ("--resume one.npz --workers 2", "--workers is 2; the run in one.npz was begun without it, for one process"),
    ],
)
def test_workers_that_cannot_be_are_refused_in_a_sentence(folder, capsys, arguments, sentence):
    nb.save_checkpoint("one.npz", nb.Trainer(nb.SequenceTagger(3, 2, hidden_size=2, rng=0)), {"data": {}})
    if sentence.startswith("--workers is 2"):
        assert main(["train", "words.txt", "--out", "one.npz", "--overwrite", "--quiet", *SMALL]) == 0
    assert main(["train", *arguments.split()]) == 2
    assert sentence in capsys.readouterr().err


def children(process):
    """The numbers of a run's workers, as Linux tells them."""
    found = []
    for each in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        with suppress(OSError):  # it has ended since
            if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes():
                found.append(int(each))
    return found


def alive(process):
    """Whether it is there, and no zombie that nobody has asked for yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition):
    """Wait for it, long: a machine may be busy."""
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it has not become so")


@pytest.fixture
def begun(folder):
    """A run of two workers, in a session of its own, when both are there; as long as it takes."""
    long = ["--epochs", "100000", *FEW]
    command = [sys.executable, "-m", "npbilstm", "train", "words.txt", "--out", "m.npz", "--workers", "2", *long]
    with open("shown", "w") as shown:  # a pipe would be full before anybody reads it
        process = subprocess.Popen(command, stdout=shown, stderr=shown, start_new_session=True)
    try:
        until(lambda: len(children(process.pid)) == 2 and (folder / "m.npz").exists())
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for its processes")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_what_ends_all_processes_saves_the_run_which_goes_on_to_the_same_bytes(begun, folder, name):
    os.killpg(begun.pid, getattr(signal, name))  # as a terminal does, and a queue of jobs
    assert begun.wait(timeout=600) == 128 + getattr(signal, name)
    shown = (folder / "shown").read_text()
    assert "Stopped; all is saved in m.npz. Go on with: npbilstm train --resume m.npz --workers 2\n" in shown
    assert "Traceback" not in shown
    assert "resource_tracker" not in shown
    epochs = ["--epochs", str(nb.load_trainer("m.npz")[0].position.epoch + 2)]
    again = [sys.executable, "-m", "npbilstm", "train", "--quiet", *epochs]
    subprocess.run([*again, "--resume", "m.npz"], check=True)  # by one process
    subprocess.run([*again, "words.txt", "--out", "whole.npz", "--workers", "2", *FEW], check=True)
    assert (folder / "m.npz").read_bytes() == (folder / "whole.npz").read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for its processes")
def test_a_worker_that_is_killed_is_replaced_and_those_of_a_run_that_is_killed_end(begun):
    first = children(begun.pid)
    os.kill(first[0], signal.SIGKILL)
    until(lambda: len(set(children(begun.pid)) - set(first)) == 2)
    second = children(begun.pid)
    begun.kill()
    begun.wait()
    until(lambda: not any(alive(each) for each in second))

"""A training run killed at random moments, again and again, ends with the weights of one that never was."""

import os
import random
import signal
import subprocess
import sys

import pytest

from npbilstm.training import read_checkpoint

SETTINGS = "--hidden-size 24 --embedding-size 8 --batch-size 2 --window 40 --dropout 0.2"

DYING = """
import signal, sys
signal.setitimer(signal.ITIMER_PROF, float(sys.argv.pop(1)))  # its signal ends a process that does not expect it
from npbilstm.cli import main
sys.exit(main())
"""
"""The command line, dead after so many seconds of the processor's time: however busy the machine, as far along."""


def train(folder, *arguments, dies_after=3600.0):
    """Run `npbilstm train` -> the exit code, and how many seconds of the processor's time it took."""
    options = ["--quiet", "--save-every", "0.02"]
    command = [sys.executable, "-c", DYING, str(dies_after), "train", *arguments, *options]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="kills as POSIX does")
@pytest.mark.slow
@pytest.mark.parametrize(("kills", "epochs"), [(4, 4), (20, 15)])
def test_killed_again_and_again_at_random_moments_and_resumed_it_ends_bit_identical(tmp_path, kills, epochs):
    settings = f"--epochs {epochs} {SETTINGS}".split()
    for n in range(8):
        (tmp_path / f"m{n}.py").write_text(f"def f{n}(x):\n    return g(x) + {n}  # and so on\n" * 60)
    code, whole_run = train(tmp_path, ".", "--out", "whole.npz", *settings)
    assert code == 0
    code, start_up = train(tmp_path, "--resume", "whole.npz")  # nothing is left to train
    assert code == 0
    training = whole_run - start_up

    moments = random.Random(0)
    killed = []
    for k in range(kills):
        begun = (tmp_path / "killed.npz").exists()
        arguments = ["--resume", "killed.npz"] if begun else [".", "--out", "killed.npz", *settings]
        in_start_up = k % 4 == 1
        # those of the training are together about half of what it takes
        after = moments.uniform(0, start_up) if in_start_up else start_up + moments.uniform(0, training / kills)
        killed.append(train(tmp_path, *arguments, dies_after=after)[0] == -signal.SIGPROF)
    assert sum(killed) >= kills / 2  # all of them, unless the machine has become twice as fast on the way
    position = read_checkpoint(tmp_path / "killed.npz").meta["position"]
    assert position["epoch"] > 0 or position["batch"] > 0
    assert train(tmp_path, "--resume", "killed.npz")[0] == 0
    assert (tmp_path / "killed.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.glob(".*")) == []

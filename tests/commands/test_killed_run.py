"""A training run killed at random moments, again and again, ends with the weights of one that never was."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from npbilstm.training import read_checkpoint

KILLS = 20


@pytest.mark.skipif(os.name == "nt", reason="kills as POSIX does")
def test_killed_20_times_at_random_moments_and_resumed_it_ends_bit_identical(tmp_path):
    for n in range(8):
        (tmp_path / f"m{n}.py").write_text(f"def f{n}(x):\n    return g(x) + {n}  # and so on\n" * 60)
    settings = "--epochs 15 --hidden-size 24 --embedding-size 8 --batch-size 2 --window 40 --dropout 0.2"

    def train(*arguments):
        command = [sys.executable, "-m", "npbilstm", "train", *arguments, "--quiet", "--save-every", "0.02"]
        return subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)

    begun = time.monotonic()
    process = train(".", "--out", "whole.npz", *settings.split())
    while not (tmp_path / "whole.npz").exists():
        assert process.poll() is None
        time.sleep(0.01)
    start_up = time.monotonic() - begun
    assert process.wait() == 0
    training = time.monotonic() - begun - start_up

    moments = random.Random(0)
    for kill in range(KILLS):
        resume = (tmp_path / "killed.npz").exists()
        process = train("--resume", "killed.npz") if resume else train(".", "--out", "killed.npz", *settings.split())
        # some moments lie in the start-up, most in the training; together they cannot outlast it
        time.sleep(start_up * moments.uniform(0.6, 1.1) + moments.uniform(0, training / KILLS))
        process.kill()
        assert process.wait() == -signal.SIGKILL, f"kill {kill} came too late"
    position = read_checkpoint(tmp_path / "killed.npz").meta["position"]
    assert position["epoch"] > 0 or position["batch"] > 0
    assert train("--resume", "killed.npz").wait() == 0
    whole, resumed = (read_checkpoint(tmp_path / name) for name in ("whole.npz", "killed.npz"))
    assert set(whole.arrays) == set(resumed.arrays)
    assert all(np.array_equal(whole.arrays[name], resumed.arrays[name]) for name in whole.arrays)
    assert whole.meta["position"] == resumed.meta["position"]
    assert sorted(path.name for path in tmp_path.glob(".*")) == []

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

KILLS = 20 if os.environ.get("MEASURE") else 8
"""Each takes a start of Python; CI has the time for twenty."""


@pytest.mark.skipif(os.name == "nt", reason="kills as POSIX does")
def test_killed_again_and_again_at_random_moments_and_resumed_it_ends_bit_identical(tmp_path):
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
    file = tmp_path / "killed.npz"

    def saved():
        return file.stat().st_mtime_ns if file.exists() else None

    for kill in range(KILLS):
        before = saved()
        process = train("--resume", "killed.npz") if before else train(".", "--out", "killed.npz", *settings.split())
        in_start_up = moments.random() < 0.25
        patience = moments.uniform(0, start_up) if in_start_up else 60.0
        begun = time.monotonic()
        while time.monotonic() - begun < patience and saved() == before:
            time.sleep(0.002)
        if not in_start_up:  # a run saves when its training begins; together these moments cannot outlast it
            time.sleep(moments.uniform(0, 0.7 * training / KILLS))
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

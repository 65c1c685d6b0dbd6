"""Grading over executors and over a cluster: whatever is killed, every submission has one result, and its own."""

import json
import os
import signal
import threading
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor

import pytest

from npbilstm.classroom import batch, cluster, executors
from npbilstm.classroom.batch import Settings, grade_all
from npbilstm.classroom.cluster import on_cluster
from npbilstm.classroom.executors import here, over
from npbilstm.classroom.exercises import EXERCISES
from npbilstm.cli import main
from npbilstm.commands import grade
from npbilstm.submission.sandbox import Layers
from tests.classroom.written import written

FLIP = EXERCISES["flip"]
NAMES = [f"student{k:02}" for k in range(12)]

needs_linux = pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="the sandbox is Linux's")


@pytest.fixture
def class_(tmp_path):
    """Twelve submissions, a third of them right, a third wrong, a third not written."""
    sources = [written(FLIP), written(FLIP, FLIP.mistakes[0]), "x = 1\n"]
    for k, name in enumerate(NAMES):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "ex09_flip.py").write_text(sources[k % 3])
    return tmp_path / "in"


def settings_for(results):
    return Settings(results, ("flip",), Layers(), seed=4)


def without_running(monkeypatch):
    """Let a submission's result be its name's, and nothing of it be run."""
    monkeypatch.setattr(batch, "grade_sources", lambda *_, **__: [])
    monkeypatch.setattr(
        batch, "as_record", lambda c, *_: {"submission": c.name, "digest": c.digest, "attempt": 1, "score": 0}
    )


class Breaks(Executor):
    """Does a task at once; the fifth ends it, and what comes after that it refuses."""

    def __init__(self):
        self.count = 0

    def submit(self, function, *arguments):
        self.count += 1
        future = Future()
        if self.count > 5:
            raise BrokenExecutor
        if self.count == 5:
            future.set_exception(BrokenExecutor())
        else:
            future.set_result(function(*arguments))
        return future


def test_an_executor_that_breaks_costs_what_it_was_handed_and_the_rest_is_kept(class_, tmp_path, monkeypatch):
    without_running(monkeypatch)
    settings = settings_for(tmp_path / "out")
    first = list(grade_all(class_, settings, over(Breaks(), 3)))
    assert sorted(name for name, _ in first) == NAMES
    assert sorted(name for name, record in first if record is not None) == NAMES[:4]
    handed = []
    monkeypatch.setattr(batch, "grade_sources", lambda sources, *_, **__: handed.append(sources) or [])
    with ThreadPoolExecutor(3) as executor:
        second = dict(grade_all(class_, settings, over(executor, 3)))
    assert sorted(second) == sorted(record["submission"] for record in second.values()) == NAMES
    assert len(handed) == len(NAMES) - 4


def test_an_executor_is_handed_so_many_at_once(class_, tmp_path, monkeypatch):
    without_running(monkeypatch)
    counted, lock, most = [0], threading.Lock(), []

    class Counting(ThreadPoolExecutor):
        def submit(self, function, *arguments):
            with lock:
                counted[0] += 1
                most.append(counted[0])
            future = super().submit(function, *arguments)
            return future

    with Counting(2) as executor:
        for _ in grade_all(class_, settings_for(tmp_path / "out"), over(executor, 4)):
            with lock:
                counted[0] -= 1
    assert max(most) <= 4
    assert len(most) == len(NAMES)


def test_a_fault_of_pythons_own_parser_between_threads_costs_nobody_anything(class_, tmp_path, monkeypatch):
    without_running(monkeypatch)
    faults = [SystemError("AST constructor recursion depth mismatch")]
    monkeypatch.setattr(batch, "grade_sources", lambda *_, **__: [] if not faults else throw(faults.pop()))
    found = dict(grade_all(class_, settings_for(tmp_path / "out"), here()))
    assert sorted(found) == NAMES
    assert not faults


def throw(error):
    raise error


def killed_once(task, settings):
    """What grades, but the first time that it is at the fourth: then its process is killed."""
    mark = settings.results.parent / "killed"
    if task.collected.name == NAMES[3]:
        try:
            mark.touch(exist_ok=False)
            os.kill(os.getpid(), signal.SIGKILL)
        except FileExistsError:
            pass
    return batch.grade(task, settings)


@needs_linux
@pytest.mark.slow
def test_a_process_that_is_killed_here_costs_nobody_anything(class_, tmp_path, monkeypatch):
    alone = dict(grade_all(class_, settings_for(tmp_path / "alone"), here()))
    monkeypatch.setattr(executors, "grade", killed_once)
    found = list(grade_all(class_, settings_for(tmp_path / "out"), here(2)))
    assert sorted(name for name, _ in found) == NAMES
    assert dict(found) == alone
    assert (tmp_path / "killed").exists()


@pytest.fixture
def made():
    """Three processes of Dask, each with a thread."""
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 3, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options, silence_logs=50) as three:
        yield three


@needs_linux
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the cluster's own
def test_of_three_workers_one_is_killed_and_nothing_is_lost_or_counted_twice(class_, tmp_path, made, monkeypatch):
    alone = dict(grade_all(class_, settings_for(tmp_path / "alone"), here()))
    monkeypatch.setattr(cluster, "grade", killed_once)
    assert len(made.workers) == 3
    found = list(grade_all(class_, settings_for(tmp_path / "out"), on_cluster(made.scheduler_address)))
    assert (tmp_path / "killed").exists()
    assert sorted(name for name, _ in found) == NAMES
    assert dict(found) == alone
    kept = [json.loads(each.read_bytes()) for each in (tmp_path / "out" / "submissions").iterdir()]
    assert {record["submission"]: record for record in kept} == alone
    assert len(kept) == len(NAMES)


@needs_linux
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_command_grades_on_a_cluster_and_says_what_it_lacks(class_, tmp_path, capsys, monkeypatch):
    distributed = pytest.importorskip("distributed")
    asked = ["grade", str(class_), "--out", str(tmp_path / "out"), "--only", "flip", "--cluster"]
    with monkeypatch.context() as patched:
        patched.setattr(cluster, "SECONDS", 1)
        assert main([*asked, "tcp://127.0.0.1:9"]) == 2
    assert "--cluster is tcp://127.0.0.1:9, where no scheduler answers" in capsys.readouterr().err
    with (
        distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=None, silence_logs=50) as made,
        distributed.Client(made) as client,
    ):
        assert main([*asked, made.scheduler_address]) == 2
        assert "which has no workers" in capsys.readouterr().err
        made.scale(1)
        client.wait_for_workers(1)
        assert main([*asked, made.scheduler_address]) == 0
    lines = (tmp_path / "out" / "results.jsonl").read_text().splitlines()
    assert [json.loads(line)["submission"] for line in lines] == NAMES


@needs_linux
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_where_everything_is_lost_it_is_said_and_nothing_is_written(class_, tmp_path, capsys, monkeypatch, form):
    monkeypatch.setattr(grade, "here", lambda jobs: lambda tasks, settings: ((task, None) for task in tasks))
    monkeypatch.setattr(grade, "sandbox_or_refuse", lambda unsafe: Layers())
    assert main(["grade", str(class_), "--out", str(tmp_path / "out"), "--format", form]) == 3
    assert capsys.readouterr().out.count("not graded, the process that graded it was ended") == len(NAMES)
    assert not list((tmp_path / "out").glob("*.html"))


def test_without_the_extra_a_sentence_names_it(class_, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    assert main(["grade", str(class_), "--out", str(tmp_path / "out"), "--cluster", "tcp://127.0.0.1:9"]) == 2
    assert "pip install 'npbilstm[cluster]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

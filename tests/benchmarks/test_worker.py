"""A worker measures in a process of its own, says why it fails, and takes the median of its runs."""

import pytest

from tests.benchmarks import worker
from tests.benchmarks.measures import seconds_of
from tests.benchmarks.process import Process, run_worker
from tests.benchmarks.shapes import Shape

TINY = Shape(T=5, N=4, D=3, H=4)


def test_a_worker_measures_training_and_inference_in_a_process_of_its_own_and_again_when_asked():
    with Process("one thread") as process:
        process.send({"engine": "tanh", "shape": list(TINY), "only make": True})
        assert process.answer() is None
        for _ in range(2):
            times = process.ask({"engine": "tanh", "shape": list(TINY), "seconds": 0.001, "count page faults": False})
            assert set(times) == {"training", "inference"}
            assert min(times.values()) > 0


@pytest.mark.parametrize("engine", ["npbilstm", "products", "tanh", "loop"])
def test_what_does_without_a_peers_package_runs_everywhere(monkeypatch, engine):
    monkeypatch.setattr("tests.benchmarks.floor.fastest", lambda runs, times, least=0: (1.0, next(iter(runs))))
    times = worker.main({"engine": engine, "shape": list(TINY), "seconds": 0.001, "count page faults": False})
    assert min(times.values()) > 0


def test_a_worker_counts_the_page_faults_of_a_training_step():
    pytest.importorskip("resource", reason="Windows does not count them so")
    times = worker.main({"engine": "npbilstm", "shape": list(TINY), "seconds": 0.001})
    assert times["page faults"] >= 0


@pytest.mark.parametrize("batch_first", [True, False])
def test_pytorch_runs_with_rows_first_and_with_time_first(batch_first):
    pytest.importorskip("torch", reason="the extra `benchmarks` brings PyTorch")
    task = {"engine": "pytorch", "options": {"batch_first": batch_first}, "shape": list(TINY), "seconds": 0.001}
    assert run_worker(task, "one thread")["training"] > 0


def test_a_worker_that_fails_says_why_each_time_it_is_asked():
    with Process("one thread") as process:
        for _ in range(2):
            with pytest.raises(RuntimeError, match="failed: KeyError: 'nobody'"):
                process.ask({"engine": "nobody", "shape": list(TINY), "seconds": 0.001})


@pytest.mark.parametrize(("seconds", "runs"), [(1.0, 2 + 5), (3.0, 2 + 2)])
def test_a_time_is_the_median_of_five_runs_or_of_three_long_ones(monkeypatch, seconds, runs):
    clock, ran = [0.0], []
    monkeypatch.setattr("tests.benchmarks.measures.time.perf_counter", lambda: clock[0])

    def run():
        ran.append(1)
        clock[0] += seconds

    assert seconds_of(run, at_least=2) == seconds
    assert len(ran) == runs

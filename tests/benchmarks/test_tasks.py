"""The table of tasks is whole."""

from tests.benchmarks.tasks import TASKS, main, task


def test_every_task_says_what_it_promises_and_how_that_is_judged():
    for name in TASKS:
        module = task(name)
        assert all([module.TARGET, module.__doc__, callable(module.run), callable(module.holds)]), name


def test_a_target_that_is_missed_is_the_exit_code(monkeypatch, capsys):
    class Missed:
        TARGET = "1 of 1"

        @staticmethod
        def holds(results):
            return results[0]["right"] == 1

    monkeypatch.setattr("tests.benchmarks.tasks.TASKS", ["missed"])
    monkeypatch.setattr("tests.benchmarks.tasks.task", lambda name: Missed)
    for right, code in [(0, 1), (1, 0)]:
        monkeypatch.setattr("tests.benchmarks.tasks.results_of", lambda name, seeds, right=right: [{"right": right}])
        assert main(["missed"]) == code
    assert "MISSED" in capsys.readouterr().out


def test_a_task_has_as_many_seeds_as_it_needs_and_their_means_are_shown(monkeypatch, capsys):
    class Wide:
        TARGET, SEEDS = "any", 5

        @staticmethod
        def holds(results):
            return len(results) == Wide.SEEDS

    monkeypatch.setattr("tests.benchmarks.tasks.TASKS", ["wide"])
    monkeypatch.setattr("tests.benchmarks.tasks.task", lambda name: Wide)
    monkeypatch.setattr("tests.benchmarks.tasks.results_of", lambda name, seeds: [{"F1": k} for k in range(seeds)])
    assert main(["wide"]) == 0
    assert "mean of 5: F1 2\n" in capsys.readouterr().out
    assert main(["wide", "--seeds", "2"]) == 1
    assert "mean of 2: F1 0.5\n" in capsys.readouterr().out


def test_the_crf_is_judged_by_the_means_of_its_gains_and_by_its_time():
    quick = {f"{kind} {head} seconds": 5.0 for kind in ("window", "bilstm") for head in ("classes", "crf")}
    holds = task("words").holds
    high, low = ({"window gain": 3 + by, "bilstm gain": 0.5 + by, **quick} for by in (0.2, -0.1))
    assert holds([high, low])
    assert not holds([low, low])
    assert not holds([high, {**high, "bilstm gain": 0.1}])
    assert not holds([high, {**high, "window crf seconds": 200}])

"""The benchmark command measures what it says; no test here judges a time."""

import json
import os

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import race, report
from tests.benchmarks.contestants import Shape
from tests.benchmarks.measures import MEASURES

TINY = Shape(T=5, N=4, D=3, H=4)


@pytest.mark.parametrize("contestant", ["npbilstm", "products", "loop"])
def test_a_worker_measures_training_and_inference_in_a_process_of_its_own(contestant):
    times = race.run_worker({"contestant": contestant, "shape": list(TINY), "seconds": 0.001}, "one thread")
    assert times["training"] > 0
    assert times["inference"] > 0


def test_a_worker_that_fails_says_why():
    with pytest.raises(RuntimeError, match="failed: KeyError: 'nobody'"):
        race.run_worker({"contestant": "nobody", "shape": list(TINY), "seconds": 0.001}, "one thread")


def test_racers_see_thread_counts_and_no_kernels_of_another_processor(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    one, default = race.environment("one thread"), race.environment("default threads")
    assert {one[name] for name in race.THREAD_VARIABLES} == {"1"}
    assert not {*race.THREAD_VARIABLES, *race.KERNEL_VARIABLES} & set(default)
    assert default["PATH"] == os.environ["PATH"]


def a_race(monkeypatch, **milliseconds):
    """The race with these milliseconds in place of processes; an error is raised."""

    def run_worker(task, threads):
        time = milliseconds[task["contestant"]]
        if isinstance(time, Exception):
            raise time
        return {"training": time, "inference": time / 2}

    monkeypatch.setattr(race, "run_worker", run_worker)
    monkeypatch.setattr(race, "installed", lambda name: name in milliseconds)
    monkeypatch.setattr(race.time, "sleep", lambda seconds: None)
    found, failed = {}, {}
    race.race(True, 3, lambda line: None, found, failed)
    return race.rows_of(found), failed


def test_ratios_are_this_engines_time_over_the_others(monkeypatch):
    rows, _ = a_race(monkeypatch, npbilstm=2.0, pytorch=4.0, products=1.0)
    assert {(row["contestant"], row["ratio"]) for row in rows} == {("pytorch", 0.5), ("products", 2.0)}
    assert {row["shape"] for row in rows} == {shape.name for shape in race.QUICK_SHAPES}
    assert all(len(row["ratios"]) == 3 for row in rows)


def test_a_contestant_that_cannot_run_is_named_and_left_out(monkeypatch):
    rows, failed = a_race(monkeypatch, npbilstm=2.0, pytorch=RuntimeError("no wheel"), products=1.0)
    assert {row["contestant"] for row in rows} == {"products"}
    assert failed == {"pytorch": "no wheel"}


def test_a_failure_of_this_engine_is_not_blamed_on_others(monkeypatch):
    with pytest.raises(RuntimeError, match="ours"):
        a_race(monkeypatch, npbilstm=RuntimeError("ours"), products=1.0)


def results(monkeypatch):
    rows, _ = a_race(monkeypatch, npbilstm=2.0, pytorch=4.0, jax=8.0, products=1.0)
    measures = {
        "growth": {"T": {"training time": 1.01}},
        "ragged": {"(5, 4, 3, 4)": 1.07},
        "stored states": [{"store_every": 0, "seconds": 0.1, "megabytes": 9.0}],
        "imports": {"numpy": 0.09},
        "gradient check": {"entries": 15075, "seconds": 6.5},
    }
    return {"date": "2026-01-02", "turns": 3, "machine": report.machine(), "race": rows, "measures": measures}


def test_the_tables_show_every_measure(monkeypatch):
    text = report.tables(results(monkeypatch))
    assert "| (40, 32, 10, 20) | 2 | 4 (0.50) | 8 (0.25) | 1 (2.00) |" in text
    assert "| geometric mean of the ratios | | **0.50** | **0.25** | **2.00** |" in text
    for number in ("1.01", "1.07", "| all | 100 | 9.0 |", "| numpy | 90 |", "15,075 | 6.5"):
        assert number in text


def test_the_chart_is_a_picture(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib", reason="the extra `benchmarks` brings matplotlib")
    report.chart(results(monkeypatch), tmp_path / "speed.png")
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(tmp_path.iterdir())) == 1


def run_command(monkeypatch, *arguments, raising=None):
    """The command without its processes: a race of one row, one measure."""

    def quick_race(quick, turns, progress, found, failed):
        found["default threads", race.SHAPES[0].name, "pytorch", "training"] = [(1.0, 2.0)]
        if raising:
            raise raising

    monkeypatch.setattr(command, "race", quick_race)
    monkeypatch.setattr(command, "run_worker", lambda task, threads: {"entries": 3, "seconds": 1.0})
    monkeypatch.setattr(command, "MEASURES", {"gradient check": MEASURES["gradient check"]})
    monkeypatch.setattr(command, "chart", lambda results, path: None)
    monkeypatch.setattr("sys.argv", ["benchmarks", *map(str, arguments)])
    return command.main()


def test_the_command_replaces_the_marked_part_of_the_page_and_nothing_else(monkeypatch, tmp_path, capsys):
    page = tmp_path / "speed.md"
    page.write_text("Prose.\n\n<!-- measured -->\nold\n<!-- end -->\n\nMore prose.\n")
    assert run_command(monkeypatch, "--quick", "--out", tmp_path) == 0
    text = page.read_text()
    assert text.startswith("Prose.\n\n<!-- measured -->\nMeasured on ")
    assert text.endswith("<!-- end -->\n\nMore prose.\n")
    assert "old" not in text
    (row,) = json.loads((tmp_path / "speed.json").read_text())["race"]
    assert row["ratio"] == 0.5
    assert "Written to" in capsys.readouterr().out


@pytest.mark.parametrize(("raising", "code"), [(KeyboardInterrupt(), 130), (RuntimeError("ours failed"), 1)])
def test_what_was_measured_is_kept_when_it_stops_early(monkeypatch, tmp_path, capsys, raising, code):
    assert run_command(monkeypatch, "--out", tmp_path, raising=raising) == code
    (row,) = json.loads((tmp_path / "stopped.json").read_text())["race"]
    assert row["contestant"] == "pytorch"
    assert "stopped.json" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_refused_before_the_race(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    (tmp_path / "speed.md").write_text("a page without marks")
    for arguments, words in [
        (["--out", tmp_path / "file"], "cannot be written to"),
        (["--out", tmp_path], "without the marks"),
        (["--turns", 0], "0 is too few"),
    ]:
        with pytest.raises(SystemExit):
            run_command(monkeypatch, *arguments, raising=AssertionError("raced"))
        assert words in capsys.readouterr().err
    assert (tmp_path / "speed.md").read_text() == "a page without marks"

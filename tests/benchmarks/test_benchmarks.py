"""The benchmark command measures what it says; no test here judges a time."""

import itertools
import json

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import pages, race, report
from tests.benchmarks.engines import Shape
from tests.benchmarks.measures import MEASURES
from tests.benchmarks.race import Contestant, Lap

TINY = Shape(T=5, N=4, D=3, H=4)


@pytest.mark.parametrize("engine", ["npbilstm", "products", "loop"])
def test_a_worker_measures_training_and_inference_in_a_process_of_its_own(engine):
    times = race.run_worker({"engine": engine, "shape": list(TINY), "seconds": 0.001}, "one thread")
    assert times["training"] > 0
    assert times["inference"] > 0


def test_a_worker_counts_the_page_faults_of_a_training_step():
    pytest.importorskip("resource", reason="Windows does not count them so")
    times = race.run_worker({"engine": "npbilstm", "shape": list(TINY), "seconds": 0.001}, "one thread")
    assert times["page faults"] >= 0


@pytest.mark.parametrize("batch_first", [True, False])
def test_pytorch_runs_with_rows_first_and_with_time_first(batch_first):
    pytest.importorskip("torch", reason="the extra `benchmarks` brings PyTorch")
    task = {"engine": "pytorch", "options": {"batch_first": batch_first}, "shape": list(TINY), "seconds": 0.001}
    assert race.run_worker(task, "one thread")["training"] > 0


def test_a_worker_that_fails_says_why():
    with pytest.raises(RuntimeError, match="failed: KeyError: 'nobody'"):
        race.run_worker({"engine": "nobody", "shape": list(TINY), "seconds": 0.001}, "one thread")


def in_place_of_processes(monkeypatch, milliseconds, asked=None):
    """Engines take these milliseconds for training, half of them for inference; an error is raised.

    A function of the settings' name may stand in place of milliseconds. `asked` gets what was run, in order.
    """

    def run_worker(task, threads, settings=race.AS_IT_COMES):
        if asked is not None:
            asked.append((task["engine"], settings.name, *task["options"]))
        time = milliseconds[task["engine"]]
        time = time(settings.name) if callable(time) else time
        if isinstance(time, Exception):
            raise time
        return {"training": time, "inference": time / 2}

    monkeypatch.setattr(race, "run_worker", run_worker)
    monkeypatch.setattr(race, "installed", lambda engine: engine in milliseconds)
    monkeypatch.setattr(race.time, "sleep", lambda seconds: None)


def a_race(monkeypatch, best=None, quick=True, **milliseconds):
    """The rows of a race of three turns with these milliseconds, and who failed."""
    in_place_of_processes(monkeypatch, milliseconds)
    found, failed = {}, {}
    race.run_laps(list(race.race_laps(best or {}, quick, 3)), 0.001, lambda line: None, found, failed)
    return race.rows_of(found), failed


def a_lap(monkeypatch, *others, failing=()):
    """The pairs of a lap in which everybody's time is its place in the order, from 1."""
    places = iter(range(1, 100))
    fails = {name: (lambda name: RuntimeError("no wheel")) for name in failing}
    names = ["home", *others]
    in_place_of_processes(monkeypatch, {name: fails.get(name, lambda settings: next(places)) for name in names})
    found, failed = {}, {}
    lap = Lap("one thread", TINY, Contestant("home", "home"), [Contestant(name, name) for name in others])
    lap.run(0.001, found, failed)
    return {name: pair for (_, _, name, mode), (pair,) in found.items() if mode == "training"}


@pytest.mark.parametrize("count", range(1, 7))
def test_every_ratio_is_of_direct_neighbours(monkeypatch, count):
    pairs = a_lap(monkeypatch, *"abcdef"[:count])
    assert len(pairs) == count
    assert all(abs(home - other) == 1 for home, other in pairs.values())


def test_home_runs_once_for_two_others(monkeypatch):
    assert a_lap(monkeypatch, *"abcd") == {"a": (1, 2), "b": (4, 3), "c": (4, 5), "d": (7, 6)}


@pytest.mark.parametrize("failing", "abcd")
def test_where_one_fails_the_others_still_have_a_neighbour(monkeypatch, failing):
    pairs = a_lap(monkeypatch, *"abcd", failing=failing)
    assert set(pairs) == set("abcd") - {failing}
    assert all(abs(home - other) == 1 for home, other in pairs.values())


def test_ratios_are_this_engines_time_over_the_others(monkeypatch):
    rows, _ = a_race(monkeypatch, npbilstm=2.0, jax=4.0, products=1.0)
    assert {(row["contestant"], row["ratio"]) for row in rows} == {("jax", 0.5), ("products", 2.0)}
    assert {row["shape"] for row in rows} == {shape.name for shape in race.QUICK_SHAPES[:2]}
    assert all(len(row["ratios"]) == 3 for row in rows)


def test_pytorch_at_its_best_races_on_every_shape_with_one_thread_and_with_several(monkeypatch):
    rows, _ = a_race(monkeypatch, quick=False, npbilstm=2.0, pytorch=4.0)
    raced = [(row["threads"], row["shape"], row["mode"]) for row in rows if row["contestant"] == "pytorch"]
    names = [f"({T}, {N}, {D}, {H})" for T, N, D, H, *_ in race.SHAPES[:8]]
    shapes = [*names, "(40, 32, 10, 20), 2 layers, 5 outputs", *(f"GRU {name}" for name in names)]
    assert sorted(raced) == sorted((t, s, m) for t in race.THREADS for s in shapes for m in race.MODES)


def test_pytorch_as_it_comes_races_on_every_lstm(monkeypatch):
    rows, _ = a_race(monkeypatch, quick=False, npbilstm=2.0, pytorch=4.0)
    raced = {(row["threads"], row["shape"]) for row in rows if row["contestant"] == "pytorch-as-it-comes"}
    assert raced == {(threads, shape.name) for threads in race.THREADS for shape in race.LSTM_SHAPES}


def test_peers_race_with_their_best_settings_and_pytorch_as_it_comes_too(monkeypatch):
    asked = []
    in_place_of_processes(monkeypatch, {"npbilstm": 1.0, "pytorch": 1.0, "jax": 1.0}, asked)
    best = {engine: race.SETTINGS[engine][-1] for engine in ("pytorch", "jax")}
    race.run_laps(list(race.race_laps(best, True, 1)), 0.001, lambda line: None, {}, {})
    assert set(asked) == {
        ("npbilstm", "as it comes"),
        ("pytorch", "memory kept, threads bound, time first", "batch_first"),
        ("pytorch", "as it comes"),
        ("jax", "memory kept in one arena, xW before the scan", "before"),
    }


def test_a_contestant_that_cannot_run_is_named_and_left_out(monkeypatch):
    rows, failed = a_race(monkeypatch, npbilstm=2.0, jax=RuntimeError("no wheel"), products=1.0)
    assert {row["contestant"] for row in rows} == {"products"}
    assert failed == {"jax": "no wheel"}


def test_a_failure_of_this_engine_is_not_blamed_on_others(monkeypatch):
    with pytest.raises(RuntimeError, match="ours"):
        a_race(monkeypatch, npbilstm=RuntimeError("ours"), products=1.0)


def qualified(monkeypatch, **milliseconds):
    in_place_of_processes(monkeypatch, milliseconds)
    rows, failed = [], {}
    return race.qualify(True, lambda line: None, rows, failed), rows, failed


def test_the_fastest_settings_of_a_peer_are_raced(monkeypatch):
    times = {"as it comes": 3.0, "memory kept, threads bound": 1.0, "memory kept, threads bound, time first": 2.0}
    best, rows, _ = qualified(monkeypatch, npbilstm=1.0, pytorch=times.get)
    assert best["pytorch"].name == "memory kept, threads bound"
    assert {row["ratio"] for row in rows if row["engine"] == "pytorch"} == {3.0, 1.5}


def test_as_it_comes_is_raced_where_nothing_is_faster(monkeypatch):
    best, _, _ = qualified(monkeypatch, npbilstm=1.0, pytorch=lambda name: 1.0 if name == "as it comes" else 1.5)
    assert best["pytorch"] == race.AS_IT_COMES


def test_ours_is_raced_as_it_comes_whatever_would_be_faster(monkeypatch):
    best, rows, _ = qualified(monkeypatch, npbilstm=lambda name: 2.0 if name == "as it comes" else 1.0)
    assert best == {}
    assert [row["ratio"] for row in rows if row["mode"] == "training"] == [2.0]


def test_the_geometric_mean_over_shapes_and_modes_decides():
    fast_once = [{"contestant": "memory kept, threads bound", "ratio": ratio} for ratio in (3.0, 0.5, 0.5)]
    fast_often = [{"contestant": "memory kept, threads bound, time first", "ratio": ratio} for ratio in (1.2, 1.1, 1.1)]
    assert race.best_settings("pytorch", fast_once) == race.AS_IT_COMES
    assert race.best_settings("pytorch", fast_once + fast_often).name == "memory kept, threads bound, time first"


def test_settings_that_cannot_run_are_named_and_not_raced(monkeypatch):
    def time(name):
        return RuntimeError("unknown flag") if "512" in name else 2.0 if name == "as it comes" else 1.0

    best, rows, failed = qualified(monkeypatch, npbilstm=1.0, jax=time)
    assert best["jax"].name == "memory kept in one arena"
    assert failed == {"jax, memory kept in one arena, vectors of 512 bits": "unknown flag"}
    assert not [row for row in rows if "512" in row["contestant"]]


def test_settings_that_fail_on_a_later_shape_are_not_raced(monkeypatch):
    calls = itertools.count()

    def time(name):
        if "512" not in name:
            return 2.0
        return RuntimeError("out of memory") if next(calls) else 0.1

    in_place_of_processes(monkeypatch, {"npbilstm": 1.0, "jax": time})
    rows, failed = [], {}
    best = race.qualify(False, lambda line: None, rows, failed)
    assert best["jax"] == race.AS_IT_COMES
    assert list(failed.values()) == ["out of memory"]
    assert not [row for row in rows if "512" in row["contestant"]]


def test_a_peer_that_cannot_run_as_it_comes_does_not_race(monkeypatch):
    best, _, failed = qualified(monkeypatch, npbilstm=1.0, jax=RuntimeError("no wheel"))
    assert best == {}
    assert failed == {"jax": "no wheel"}
    rows, _ = a_race(monkeypatch, npbilstm=1.0, products=1.0)
    assert {row["contestant"] for row in rows} == {"products"}


def results(monkeypatch, quick=False):
    """A whole run with made-up times: PyTorch takes 4 ms as it comes and 1 at its best, JAX 5 and 4, this engine 2."""
    times = {
        "npbilstm": 2.0,
        "pytorch": lambda name: 1.0 if name == "memory kept, threads bound" else 4.0,
        "jax": lambda name: 5.0 if name == "as it comes" else 4.0,
        "products": 1.0,
        "loop": 163.0,
    }
    best, qualifying, _ = qualified(monkeypatch, **times)
    rows, _ = a_race(monkeypatch, best, quick, **times)
    measures = {
        "growth": {"T": {"training time": 1.01}},
        "ragged": {"(5, 4, 3, 4)": 1.07},
        "stored states": [{"store_every": 0, "seconds": 0.1, "megabytes": 9.0}],
        "imports": {"numpy": 0.09},
        "gradient check": {"entries": 15075, "seconds": 6.5},
    }
    return {
        **command.new_results(3),
        "best": {engine: settings._asdict() for engine, settings in best.items()},
        "qualifying": qualifying,
        "race": rows,
        "measures": measures,
    }


def test_the_tables_show_every_measure(monkeypatch):
    text = report.tables(results(monkeypatch))
    assert "| (40, 32, 10, 20) | 2 | 1 (2.00) | 4 (0.50) | 4 (0.50) | 1 (2.00) |" in text
    assert "| geometric mean of the ratios | | **2.00** | **0.50** | **0.50** | **2.00** |" in text
    for number in ("1.01", "1.07", "| all | 100 | 9.0 |", "| numpy | 90 |", "15,075 | 6.5"):
        assert number in text


def test_the_summary_has_a_line_for_each_peer_and_cell(monkeypatch):
    text = report.summary_table(results(monkeypatch))
    mean = "**2.00** (2.00–2.00)"
    assert f"| LSTM, PyTorch at its best | {mean} | {mean} | {mean} | {mean} |" in text
    assert "| LSTM, JAX, jit | | | **0.50** (0.50–0.50) | **0.50** (0.50–0.50) |" in text
    assert f"| GRU, PyTorch at its best | {mean} | {mean} | {mean} | {mean} |" in text


def test_the_settings_table_says_what_each_gains_and_which_is_raced(monkeypatch):
    all_results = results(monkeypatch)
    text = report.settings_table(all_results["qualifying"], all_results["best"])
    assert "| npbilstm: as it comes | 1 | 1 | raced |" in text
    assert "| PyTorch: as it comes | 1 | 1 | |" in text
    assert "| PyTorch: memory kept, threads bound | 0.25 | 0.25 | raced |" in text
    assert "| JAX, jit: memory kept in one arena | 0.80 | 0.80 | raced |" in text


def test_the_chart_is_a_picture(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib", reason="the extra `benchmarks` brings matplotlib")
    report.chart(results(monkeypatch), tmp_path / "speed.png")
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(tmp_path.iterdir())) == 1


def test_the_readmes_paragraph_has_the_means_of_the_run(monkeypatch):
    words = " ".join(pages.paragraph(results(monkeypatch)).split())
    for piece in (
        "A training step takes 2.00 times as long as PyTorch's LSTM at its best on the same machine",
        "an inference 2.00 times; on one thread these are 2.00 and 2.00 (geometric means over 9 models)",
        "they are 0.50 and 0.50; against its GRU at its best 2.00 and 2.00 (over 8 models)",
        "in JAX under jit, at its best too, 0.50 and 0.50. The plain loop, one gate at a time, takes 82 times as long",
    ):
        assert piece in words


def test_a_run_without_a_peer_has_no_paragraph(monkeypatch):
    run = results(monkeypatch)
    run["race"] = [row for row in run["race"] if row["contestant"] != "jax"]
    with pytest.raises(RuntimeError, match="there is no training of jax, LSTM, default threads, in this run"):
        pages.paragraph(run)


def run_command(monkeypatch, *arguments, raising=None):
    """The command without its processes: a race of one row, one measure."""

    def one_row(laps, seconds, progress, found, failed):
        found["default threads", race.SHAPES[0].name, "pytorch", "training"] = [(1.0, 2.0)]
        if raising:
            raise raising

    monkeypatch.setattr(command, "qualify", lambda quick, progress, rows, failed: {"pytorch": race.AS_IT_COMES})
    monkeypatch.setattr(command, "run_laps", one_row)
    monkeypatch.setattr(command, "run_worker", lambda task, threads: {"entries": 3, "seconds": 1.0})
    monkeypatch.setattr(command, "MEASURES", {"gradient check": MEASURES["gradient check"]})
    monkeypatch.setattr(command, "chart", lambda results, path: None)
    monkeypatch.setattr("sys.argv", ["benchmarks", *map(str, arguments)])
    return command.main()


PAGE = "Prose.\n\n<!-- measured -->\nold\n<!-- end -->\n\nMore prose.\n"


def test_the_command_replaces_the_marked_part_of_the_page_and_nothing_else(monkeypatch, tmp_path, capsys):
    page = tmp_path / "speed.md"
    page.write_text(PAGE)
    assert run_command(monkeypatch, "--quick", "--out", tmp_path) == 0
    text = page.read_text()
    assert text.startswith("Prose.\n\n<!-- measured -->\nMeasured on ")
    assert text.endswith("<!-- end -->\n\nMore prose.\n")
    assert "old" not in text
    whole = json.loads((tmp_path / "speed.json").read_text())
    assert [row["ratio"] for row in whole["race"]] == [0.5]
    assert whole["best"] == {"pytorch": {"name": "as it comes", "variables": {}, "for_threads": {}, "options": {}}}
    assert "Written to" in capsys.readouterr().out


def test_a_run_that_lacks_what_the_readme_needs_leaves_it_as_it_was(monkeypatch, tmp_path, capsys):
    readme = tmp_path / "README.md"
    readme.write_text(PAGE)
    assert run_command(monkeypatch, "--out", tmp_path, "--readme", readme) == 1
    assert readme.read_text() == PAGE
    assert (tmp_path / "speed.json").exists()
    assert "README.md stays as it was: there is no inference of pytorch" in capsys.readouterr().err


def test_pages_can_be_written_again_without_a_race(monkeypatch, tmp_path):
    run = results(monkeypatch)
    (tmp_path / "speed.json").write_text(json.dumps(run))
    readme = tmp_path / "README.md"
    readme.write_text(PAGE)
    arguments = ["--no-race", "--out", tmp_path, "--readme", readme]
    assert run_command(monkeypatch, *arguments, raising=AssertionError("raced")) == 0
    assert readme.read_text() == pages.filled(PAGE, pages.paragraph(run))
    assert report.tables(run) in (tmp_path / "speed.md").read_text()


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
        (
            ["--out", tmp_path / "file"],
            "argument --out: " + str(tmp_path / "file" / "speed.md") + " cannot be written to",
        ),
        (["--out", tmp_path], "without the marks"),
        (["--out", tmp_path / "new", "--readme", tmp_path / "none.md"], "argument --readme: "),
        (["--out", tmp_path / "new", "--no-race"], "speed.json cannot be read"),
        (["--readme", tmp_path / "file", "--quick"], "needs a whole race"),
        (["--turns", 0], "0 is too few"),
    ]:
        with pytest.raises(SystemExit):
            run_command(monkeypatch, *arguments, raising=AssertionError("raced"))
        assert words in capsys.readouterr().err
    assert (tmp_path / "speed.md").read_text() == "a page without marks"

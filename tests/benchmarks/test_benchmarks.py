"""The benchmark command measures what it says; no test here judges a time."""

import itertools
import json

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import pages, race, report
from tests.benchmarks.measures import MEASURES
from tests.benchmarks.race import Contestant, Lap
from tests.benchmarks.shapes import CELLS, LSTM_SHAPES, MODES, QUICK_SHAPES, SHAPES, Shape

TINY = Shape(T=5, N=4, D=3, H=4)


def in_place_of_processes(monkeypatch, milliseconds, asked=None):
    """Engines take these milliseconds for training, half of them for inference; an error is raised.

    A function of the settings' name may stand in place of milliseconds. `asked` gets what was run, in order.
    """

    class Fake:
        def __init__(self, threads, settings=race.AS_IT_COMES):
            self.settings = settings

        def __enter__(self):
            return self

        def __exit__(self, *raised):
            pass

        def send(self, task):
            assert task["only make"]

        def answer(self):
            pass

        def ask(self, task):
            if asked is not None:
                asked.append((task["engine"], self.settings.name, *task["options"]))
            time = milliseconds[task["engine"]]
            time = time(self.settings.name) if callable(time) else time
            if isinstance(time, Exception):
                raise time
            return {"training": time, "inference": time / 2}

    monkeypatch.setattr(race, "Process", Fake)
    monkeypatch.setattr(race, "installed", lambda engine: engine in milliseconds)
    monkeypatch.setattr(race.time, "sleep", lambda seconds: None)


def a_race(monkeypatch, best=None, quick=True, **milliseconds):
    """The rows of a race of three turns with these milliseconds, and who failed."""
    in_place_of_processes(monkeypatch, milliseconds)
    found, failed = {}, {}
    race.run_laps(list(race.race_laps(best or {}, CELLS, quick, 3)), 0.001, lambda line: None, found, failed)
    return race.rows_of(race.with_floor(found)), failed


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
    assert {row["shape"] for row in rows} == {shape.name for shape in QUICK_SHAPES}
    assert all(len(row["ratios"]) == 3 for row in rows)


def test_pytorch_at_its_best_races_on_every_shape_with_one_thread_and_with_several(monkeypatch):
    rows, _ = a_race(monkeypatch, quick=False, npbilstm=2.0, pytorch=4.0)
    raced = [(row["threads"], row["shape"], row["mode"]) for row in rows if row["contestant"] == "pytorch"]
    names = [f"({T}, {N}, {D}, {H})" for T, N, D, H, *_ in SHAPES[:8]]
    shapes = [*names, "(40, 32, 10, 20), 2 layers, 5 outputs", *(f"GRU {name}" for name in names)]
    assert sorted(raced) == sorted((t, s, m) for t in race.THREADS for s in shapes for m in MODES)


def test_pytorch_as_it_comes_races_on_every_lstm(monkeypatch):
    rows, _ = a_race(monkeypatch, quick=False, npbilstm=2.0, pytorch=4.0)
    raced = {(row["threads"], row["shape"]) for row in rows if row["contestant"] == "pytorch-as-it-comes"}
    assert raced == {(threads, shape.name) for threads in race.THREADS for shape in LSTM_SHAPES}


def test_peers_race_with_their_best_settings_and_pytorch_as_it_comes_too(monkeypatch):
    asked = []
    in_place_of_processes(monkeypatch, {"npbilstm": 1.0, "pytorch": 1.0, "jax": 1.0}, asked)
    best = {engine: race.SETTINGS[engine][-1] for engine in ("pytorch", "jax")}
    race.run_laps(list(race.race_laps(best, CELLS, True, 1)), 0.001, lambda line: None, {}, {})
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


def qualified(monkeypatch, cells=CELLS, **milliseconds):
    in_place_of_processes(monkeypatch, milliseconds)
    best, rows, failed = {}, [], {}
    race.qualify(cells, True, lambda line: None, best, rows, failed)
    return best, rows, failed


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
    best, rows, failed = {}, [], {}
    race.qualify(CELLS, False, lambda line: None, best, rows, failed)
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
        "products": 0.75,
        "tanh": 0.25,
        "loop": 163.0,
    }
    best, qualifying, _ = qualified(monkeypatch, **times)
    rows, _ = a_race(monkeypatch, best, quick, **times)
    measures = {
        "growth": {"T": {"training time": 1.01}},
        "ragged": {"(5, 4, 3, 4)": 1.07},
        "stored states": [{"store_every": 0, "seconds": 0.1, "megabytes": 9.0}],
        "memory": {"training, floats": 7.7, "inference, growth": 1.01},
        "imports": {"numpy": 0.09, "npbilstm": 0.02},
        "gradient check": {"entries": 15075, "seconds": 6.5},
    }
    return {
        **command.new_results(),
        "turns": 3,
        "best": {engine: settings._asdict() for engine, settings in best.items()},
        "qualifying": qualifying,
        "race": rows,
        "measures": measures,
    }


def test_the_tables_show_every_measure(monkeypatch):
    text = report.tables(results(monkeypatch))
    assert "| (40, 32, 10, 20) | 2 | 1 (2.00) | 4 (0.50) | 4 (0.50) | 0.75 + 0.25 (2.00) |" in text
    assert "| geometric mean of the ratios | | **2.00** | **0.50** | **0.50** | **2.00** |" in text
    for number in ("1.01", "1.07", "| all | 100 | 9.0 |", "beyond y and dx | 7.7 |", "| numpy | 90 |", "15,075 | 6.5"):
        assert number in text


def test_the_summary_has_a_line_for_each_peer_and_cell(monkeypatch):
    text = report.summary_table(results(monkeypatch))
    mean = "**2.00** (2.00–2.00)"
    assert f"| LSTM, PyTorch at its best | {mean} | {mean} | {mean} | {mean} |" in text
    assert "| LSTM, JAX, jit | | | **0.50** (0.50–0.50) | **0.50** (0.50–0.50) |" in text
    for line in ("LSTM, the floor", "GRU, PyTorch at its best", "GRU, the floor"):
        assert f"| {line} | {mean} | {mean} | {mean} | {mean} |" in text


def test_the_settings_table_says_what_each_gains_and_which_is_raced(monkeypatch):
    all_results = results(monkeypatch)
    text = report.settings_table(all_results["qualifying"], all_results["best"])
    assert "| npbilstm: as it comes | 1 | 1 | raced |" in text
    assert "| PyTorch: as it comes | 1 | 1 | |" in text
    assert "| PyTorch: memory kept, threads bound | 0.25 | 0.25 | raced |" in text
    assert "| PyTorch, GRU: memory kept, threads bound | 0.25 | 0.25 | raced |" in text
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
        "On one thread it takes 2.00 and 2.00 times as long as its matrix products and its tanh alone",
    ):
        assert piece in words


def test_a_run_without_a_peer_has_no_paragraph(monkeypatch):
    run = results(monkeypatch)
    run["race"] = [row for row in run["race"] if row["contestant"] != "jax"]
    with pytest.raises(RuntimeError, match="there is no training of jax, LSTM, default threads, in this run"):
        pages.paragraph(run)


def run_command(monkeypatch, *arguments, raising=None, qualified_before=False):
    """The command without its processes: a race of one row, one measure."""

    def one_row(laps, seconds, progress, found, failed, save):
        found["default threads", SHAPES[0].name, "pytorch", "training"] = [(1.0, 2.0)]
        save()
        if raising:
            raise raising

    def qualify(cells, quick, progress, best, rows, failed, save):
        assert ("pytorch" in best) == qualified_before
        best["pytorch"] = race.AS_IT_COMES

    monkeypatch.setattr(command, "qualify", qualify)
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
def test_a_run_that_stops_early_keeps_what_it_has_and_can_be_resumed(monkeypatch, tmp_path, capsys, raising, code):
    assert run_command(monkeypatch, "--quick", "--out", tmp_path, raising=raising) == code
    stopped = tmp_path / "stopped.json"
    assert "--resume goes on" in capsys.readouterr().err
    ((key, times),) = json.loads(stopped.read_text())["found"]
    assert (key[2], times) == ("pytorch", [[1.0, 2.0]])
    assert not (tmp_path / "speed.json").exists()
    with pytest.raises(SystemExit):
        run_command(monkeypatch, "--out", tmp_path, "--resume")
    assert "of a run with other options" in capsys.readouterr().err
    assert run_command(monkeypatch, "--quick", "--out", tmp_path, "--resume", qualified_before=True) == 0
    assert json.loads((tmp_path / "speed.json").read_text())["race"][0]["ratio"] == 0.5
    assert not stopped.exists()


def test_shapes_that_were_raced_before_are_not_raced_again(monkeypatch):
    asked, kept = [], []
    in_place_of_processes(monkeypatch, {"npbilstm": 1.0, "products": 1.0}, asked)
    laps = list(race.race_laps({}, CELLS, True, 1))
    found = {(laps[0].threads, laps[0].shape.name, "products", mode): [(1.0, 1.0)] for mode in MODES}
    race.run_laps(laps, 0.001, lambda line: None, found, {}, lambda: kept.append(len(found)))
    assert kept == [4, 6]
    assert len(asked) == 2 * 2


def test_who_has_qualified_before_does_not_do_so_again(monkeypatch):
    asked, kept = [], []
    in_place_of_processes(monkeypatch, {"npbilstm": 1.0, "pytorch": 1.0, "jax": 1.0}, asked)
    best, rows, failed = {}, [], {}
    race.qualify(["LSTM"], True, lambda line: None, best, rows, failed, lambda: kept.append(set(best)))
    assert kept == [set(), {"pytorch"}, {"pytorch", "jax"}]
    asked.clear()
    rows[:] = [row for row in rows if row["engine"] != "jax"]
    race.qualify(["LSTM"], True, lambda line: None, best, rows, failed)
    assert {engine for engine, *_ in asked} == {"jax"}


def test_one_cell_can_be_raced_alone(monkeypatch):
    in_place_of_processes(monkeypatch, {"npbilstm": 1.0})
    assert {lap.shape.cell for lap in race.race_laps({}, ["GRU"], False, 1)} == {"GRU"}
    best, rows, _ = qualified(monkeypatch, cells=["GRU"], npbilstm=1.0, pytorch=1.0)
    assert set(best) == {"pytorch, GRU"}
    assert {row["engine"] for row in rows} == {"pytorch"}


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
        (["--out", tmp_path / "new", "--resume"], "stopped.json cannot be read"),
        (["--readme", tmp_path / "file", "--quick"], "needs a whole race"),
        (["--readme", tmp_path / "file", "--only", "gru"], "needs a whole race"),
        (["--turns", 0], "0 is too few"),
    ]:
        with pytest.raises(SystemExit):
            run_command(monkeypatch, *arguments, raising=AssertionError("raced"))
        assert words in capsys.readouterr().err
    assert (tmp_path / "speed.md").read_text() == "a page without marks"

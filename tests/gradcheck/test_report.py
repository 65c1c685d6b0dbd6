"""The report: blocks, flags, sparklines, and the forms in which it can be read."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.gradcheck import Blocks, GradientReport

rng = np.random.default_rng(0)
A = rng.standard_normal((3, 8))
RIGHT = {"a": 2 * A}
GATES = {"a": "ifgo"}


def loss(p):
    return (p["a"] ** 2).sum()


def check(got, **options):
    return nb.check_gradients(loss, {"a": A}, {"a": got}, **{"blocks": GATES, "time": {"a": 0}, **options})


def changed(where, change):
    got = 2 * A
    got[where] = change(got[where])
    return got


@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 1), st.data())
def test_the_wrong_block_is_the_one_that_is_named(width, count, axis, data):
    shape = (2, width * count) if axis else (width * count, 3)
    a = np.random.default_rng(1).standard_normal(shape)
    wrong = data.draw(st.integers(0, count - 1))
    got = 2 * a
    piece = (slice(None),) * axis + (slice(wrong * width, (wrong + 1) * width),)
    got[piece] += 0.1
    names = [f"block{k}" for k in range(count)]
    report = nb.check_gradients(loss, {"a": a}, {"a": got}, blocks={"a": Blocks(names, axis)})
    assert [row.block for row in report.rows] == names
    assert [row.ok for row in report.rows] == [k != wrong for k in range(count)]
    assert sum(row.size for row in report.rows) == a.size == report.checked
    row = report.rows[wrong]
    assert row.index[axis] // width == wrong
    assert (row.expected, row.got) == pytest.approx((2 * a[row.index], got[row.index]))
    assert f"(block {names[wrong]}) should be" in report.verdict


def test_blocks_lie_along_the_last_axis_by_default_and_a_sample_keeps_them():
    report = check(2 * A, entries=5)
    assert [row.block for row in report.rows] == ["i", "f", "g", "o"]
    assert [row.checked for row in report.rows] == [5] * 4
    assert report.ok
    assert report.verdict.startswith(
        "What was checked agrees with complex step: 20 of 24 entries one by one, and all of them together along a "
    )


@pytest.mark.parametrize(
    ("change", "flags"),
    [
        (lambda g: 0 * g, ("exactly zero",)),
        (lambda g: -g, ("sign flipped",)),
        (lambda g: g / 3, ("constant ratio 0.333 (1/3)",)),
        (lambda g: 2 * g, ("constant ratio 2",)),
        (lambda g: np.pi * g, ("constant ratio 3.14",)),
        (lambda g: g / 3 + 0.01, ()),
        (lambda g: g * np.nan, ("not finite",)),
        (lambda g: g, ()),
    ],
)
def test_flags_say_what_a_wrong_block_looks_like(change, flags):
    for method in ("complex", "central"):
        report = check(changed(np.s_[:, 2:4], change), method=method)
        assert [row.flags for row in report.rows] == [(), flags, (), ()]
        assert all(flag in str(report) for flag in flags)


def test_the_verdict_names_all_that_is_wrong_where_there_is_room_and_counts_the_rest_where_there_is_none():
    def verdict(names):
        params = {name: np.ones(1) for name in names}
        return nb.check_gradients(
            lambda p: sum(a[0] for a in p.values()), params, dict.fromkeys(names, np.zeros(1))
        ).verdict

    assert verdict(["Wx", "Wh", "b"]).startswith("The gradient is WRONG for Wx, Wh, b (complex step, all 3 entries ")
    long = [f"{k}.{'w' * 30}" for k in range(9)]
    assert verdict(long).startswith(f"The gradient is WRONG for {long[0]}, {long[1]} and 7 more (complex step, ")


def test_one_ratio_for_everything_points_to_the_factor_in_front():
    third = check(2 * A / 3)
    assert any("Look at the factor in front of the loss" in note for note in third.notes)
    assert third.verdict.startswith("The gradient is WRONG for a (complex step, ")
    assert not any("factor" in note for note in check(changed(np.s_[:, 2:4], lambda g: g / 3)).notes)


def test_the_sparkline_shows_where_in_time_it_is_wrong():
    a = np.random.default_rng(0).standard_normal((2, 5, 3))
    got = 2 * a
    got[:, 3] += 0.01 * np.abs(got).max()
    got[:, 4] *= 2
    report = nb.check_gradients(loss, {"a": a}, {"a": got}, time={"a": 1})
    assert report.sparklines[0].wrong == (False, False, False, True, True)
    (line,) = [line for line in str(report).splitlines() if line.startswith("a over time")]
    assert line.startswith("a over time  ▁▁▁")
    assert line.endswith("█  0..4")
    assert line[16] not in "▁█"
    assert "▁▁▁▁▁  0..4" in str(nb.check_gradients(loss, {"a": a}, {"a": 2 * a}, time={"a": -2}))
    sampled = nb.check_gradients(loss, {"a": a}, {"a": 2 * a}, time={"a": 1}, entries=1)
    assert sum(error is not None for error in sampled.sparklines[0].errors) == 1
    long = nb.check_gradients(loss, {"a": np.ones(150)}, {"a": np.full(150, 2.0)}, time={"a": 0})
    assert "▁" * 50 + "  0..149, 3 steps per character" in str(long)


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"blocks": {"b": "if"}}, ValueError, "blocks names 'b'; there is a"),
        (
            {"blocks": {"a": "ifg"}},
            ValueError,
            r"a has 8 entries along axis 1; 3 equal blocks \(i, f, g\) need a multiple of 3",
        ),
        ({"blocks": {"a": Blocks("if", 0)}}, ValueError, "a has 3 entries along axis 0; 2 equal blocks"),
        (
            {"blocks": {"a": Blocks("if", 2)}},
            ValueError,
            r"the axis of blocks\['a'\] is 2; the array has shape \(3, 8\)",
        ),
        ({"blocks": {"a": 4}}, TypeError, r"blocks\['a'\] is 4; it needs names in order"),
        ({"blocks": {"a": ()}}, TypeError, "it needs names in order"),
        ({"blocks": "ifgo"}, TypeError, "blocks is a str; it needs a dict"),
        ({"time": {"a": 2}}, ValueError, r"time\['a'\] is 2; the array has shape \(3, 8\)"),
        ({"time": {"a": 1.0}}, TypeError, r"time\['a'\] is 1.0; it needs a whole number"),
        ({"time": {"b": 0}}, ValueError, "time names 'b'; there is a"),
    ],
)
def test_a_wrong_block_or_axis_is_an_error_and_no_verdict(options, error, sentence):
    with pytest.raises(error, match=sentence):
        check(2 * A, **options)


def test_the_verdict_is_one_short_sentence_whatever_the_names():
    params = {f"{'a_rather_long_name_of_a_module.' * 3}{k}": np.ones((2, 2, 2)) for k in range(20)}
    wrong = {name: p / 7 for name, p in params.items()}
    long_blocks = {name: ["the first of all blocks", "the second"] for name in params}
    square = lambda p: sum((each**2).sum() for each in p.values())  # noqa: E731
    for options in ({}, {"method": "richardson", "entries": 3}, {"blocks": long_blocks}):
        report = nb.check_gradients(square, params, wrong, **options)
        assert len(report.verdict) <= 230
        assert "more" in report.verdict
        assert "should be 2" in report.verdict
        assert str(report).startswith(report.verdict)


REPORTS = {
    "right": check(2 * A),
    "wrong": check(changed(np.s_[1, 2:4], lambda g: g + 1)),
    "nan": check(changed(np.s_[1, 2], lambda g: np.nan)),
    "sample": check(2 * A, entries=0),
    "kink": nb.check_gradients(lambda p: np.maximum(p["a"], 0).sum(), {"a": np.zeros(1)}, {"a": np.ones(1)}, "central"),
}


@pytest.mark.parametrize("name", REPORTS)
def test_json_holds_the_whole_report_and_no_words_that_json_lacks(name):
    report = REPORTS[name]
    said = json.loads(report.to_json(), parse_constant=pytest.fail)
    assert list(said)[:4] == ["ok", "verdict", "checked", "worst"]
    assert set(said) >= set(GradientReport.__dataclass_fields__)
    assert said["ok"] is report.ok
    assert said["verdict"] == report.verdict
    assert len(said["rows"]) == len(report.rows)
    for row, told in zip(report.rows, said["rows"]):
        assert told["index"] == list(row.index)
        assert told["got"] == row.got or told["got"] == str(row.got)
    assert json.loads(json.dumps(said)) == said


def test_the_table_has_columns_for_blocks_and_flags_where_there_are_any():
    def columns(report):
        (heading,) = [line for line in str(report).splitlines() if line.strip().startswith("parameter")]
        return [column.strip() for column in heading.split("  ") if column.strip()]

    usual = ["parameter", "shape", "checked", "largest difference", "relative", "at", "expected", "got"]
    assert columns(check(2 * A, blocks=None)) == usual
    assert columns(check(2 * A)) == ["parameter", "block", *usual[1:]]
    assert columns(check(6 * A, blocks=None)) == [*usual, "looks like"]


def test_a_parameter_of_which_nothing_was_checked_has_no_numbers():
    report = check(2 * A, entries=0, blocks=None)
    (row,) = report.rows
    assert (row.checked, row.index, row.absolute, row.relative, row.expected, row.got) == (0, (), 0, 0, 0, 0)
    assert row.ok is None
    cells = [line.split() for line in str(report).splitlines()]
    assert [cell for cell in cells if "0/24" in cell and "ok" not in cell]


def test_reports_compare_by_what_they_say():
    assert check(2 * A) == check(2 * A)
    assert check(2 * A) != check(2.1 * A)


@pytest.mark.parametrize("name", REPORTS)
def test_a_notebook_shows_what_the_text_says(name):
    report = REPORTS[name]
    page = report._repr_html_()
    assert page.count("<tr") == 2 + len(report.rows)
    assert page.count("<div") == page.count("</div>")
    assert "<script" not in page
    assert ("a over time" in page) == bool(report.sparklines)
    assert all(note.split(":")[0] in page for note in report.notes)


def test_the_convergence_of_a_right_gradient_is_of_order_two_and_of_a_wrong_one_it_stops():
    def curved(p):
        return np.sin(3 * p["a"]).sum()

    right = nb.check_gradients(curved, {"a": A}, {"a": 3 * np.cos(3 * A)})
    assert abs(right.convergence.order - 2) < 0.05
    assert "approach what was got as their step s shrinks: error ~ s^2.0" in str(right)
    assert right.convergence.floor < 1e-9
    wrong = nb.check_gradients(curved, {"a": A}, {"a": 3.1 * np.cos(3 * A)})
    assert abs(wrong.convergence.order) < 0.1
    assert "away from what was got, however short their step." in str(wrong)
    assert "meet a kink" in str(REPORTS["kink"])
    assert "nothing to approach" in str(REPORTS["nan"])


@pytest.mark.parametrize("name", ["right", "wrong", "nan"])
def test_the_convergence_plot_shows_the_errors_on_two_logarithmic_axes(name):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    ax = REPORTS[name].plot_convergence()
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert len(ax.lines[0].get_xdata()) == len(REPORTS[name].convergence.steps)
    ax.figure.canvas.draw()
    given = pyplot.subplots()[1]
    assert REPORTS[name].plot_convergence(given) is given
    pyplot.close("all")


def test_without_matplotlib_the_plot_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'npbilstm\[plots\]'"):
        REPORTS["right"].plot_convergence()


def test_pytest_shows_the_whole_report_of_a_failed_assertion(tmp_path):
    (tmp_path / "test_mine.py").write_text(
        "import numpy as np\nimport npbilstm as nb\n"
        "def check(factor):\n"
        "    a = np.arange(1.0, 5.0)\n"
        "    grads = {'a': factor * a, 'b': 0 * a}\n"
        "    return nb.check_gradients(lambda p: (p['a'] ** 2).sum(), {'a': a, 'b': a}, grads)\n"
        "def test_named():\n    report = check(1.9)\n    assert report.ok\n"
        "def test_nameless():\n    assert check(1.8).ok\n"
        "def test_right():\n    report = check(2)\n    assert report.ok\n    assert 0\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "npbilstm.gradcheck.pytest_plugin", "-p", "no:cacheprovider", "-q"]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # where it is installed it may be found twice
    said = subprocess.run([*command, tmp_path, "--rootdir", tmp_path], capture_output=True, text=True, env=alone).stdout
    assert said.count("gradient report") == 2, said
    assert said.count("whole gradient") == 2
    assert "constant ratio 0.95 (19/20)" in said
    assert "constant ratio 0.9 (9/10)" in said


def test_the_pytest_plugin_costs_nobody_an_import():
    code = "import sys, npbilstm.gradcheck.pytest_plugin; print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"

"""The verdict says what of a run holds. Made-up times; no test here judges a run."""

import itertools

import pytest

from tests.benchmarks.settings import THREADS
from tests.benchmarks.shapes import MODES, SHAPES
from tests.benchmarks.targets import TARGETS, verdict_table, verdicts


def a_run(**changed):
    """Everybody's ratio is 0.5, the floor's 1.1, but for {contestant: {shape: ratio}}."""
    ratios = {"pytorch": 0.5, "jax": 0.5, "floor": 1.1, "loop": 0.01}
    race = [
        {
            "threads": threads,
            "mode": mode,
            "shape": shape.name,
            "contestant": name,
            "ratio": changed.get(name, {}).get(shape.name, ratio),
        }
        for threads, mode, shape, (name, ratio) in itertools.product(THREADS, MODES, SHAPES, ratios.items())
        if name != "loop" or (shape == SHAPES[0] and threads == "one thread")
    ]
    measures = {
        "imports": {"numpy": 0.1, "npbilstm": 0.03},
        "memory": {"training, floats": 7.7, "inference, growth": 1.0},
    }
    return {"race": race, "measures": {**measures, **changed.get("measures", {})}}


def missed(run):
    return [what for what, _, _, holds in verdicts(run) if not holds]


def test_a_run_that_reaches_all_of_them_says_so():
    assert missed(a_run()) == []
    assert len(list(verdicts(a_run()))) == len(TARGETS) + 2 * 2 * 2 + 1 + 1 + 2


def test_a_mean_above_the_target_is_missed():
    slow = {shape.name: 1.08 for shape in SHAPES if shape.cell == "LSTM"}
    assert missed(a_run(pytorch=slow)) == ["LSTM, training, one thread: PyTorch at its best"]


def test_one_shape_above_the_most_is_missed():
    found = missed(a_run(pytorch={SHAPES[9].name: 1.01}))
    assert found == [f"GRU, {m}, {t}: PyTorch at its best" for t, m in itertools.product(THREADS, MODES)]


@pytest.mark.parametrize(("k", "ratio", "units"), [(0, 1.41, "fewer than 128"), (2, 1.2, "128 units or more")])
def test_the_floor_is_nearer_for_large_shapes(k, ratio, units):
    assert len(missed(a_run(floor={SHAPES[k].name: 1.1 + 0.01}))) == 0
    found = missed(a_run(floor={SHAPES[k].name: ratio}))
    assert len(found) == 4
    assert all(units in what for what in found)
    assert missed(a_run(floor={SHAPES[0].name: 1.2})) == []


@pytest.mark.parametrize(
    ("measures", "what"),
    [
        ({"imports": {"numpy": 0.1, "npbilstm": 0.12}}, "`import npbilstm` over NumPy's"),
        ({"memory": {"training, floats": 8.1, "inference, growth": 1}}, "floats a unit, direction and step, training"),
        ({"memory": {"training, floats": 8, "inference, growth": 2}}, "inference, twice the steps, beyond its output"),
    ],
)
def test_what_else_is_promised_can_be_missed(measures, what):
    assert missed(a_run(measures=measures)) == [what]


def test_the_plain_loop_can_be_too_near():
    assert missed(a_run(loop={SHAPES[0].name: 0.03})) == ["faster than the plain loop, training"]


def test_what_was_not_measured_has_no_line():
    assert verdict_table({"race": [], "measures": {}}) == ""


def test_the_table_says_what_was_asked_and_measured():
    text = verdict_table(a_run(floor={SHAPES[2].name: 1.2}))
    assert (
        "| LSTM, training, one thread: PyTorch at its best | mean 1.05, none above 1.3 | 0.50, 0.50 | holds |" in text
    )
    assert "floor, 128 units or more | none above 1.15 | 1.20 at (100, 32, 128, 128) | does not hold |" in text

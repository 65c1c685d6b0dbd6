"""The pictures show the trace's numbers, say what they are, and take any token as it is."""

import sys
import warnings

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.inspector import plots
from npbilstm.inspector.flow import flow
from npbilstm.inspector.influence import influence
from npbilstm.models import SequenceTagger
from tests.inspector.test_flow import classifier_trace, tagger_trace
from tests.inspector.test_tracing import traced


@pytest.fixture
def ax():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot.subplots()[1]
    pyplot.close("all")


def image_of(ax, k=0):
    return ax.images[k].get_array()


def labels_of(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_a_map_shows_the_traces_array_of_the_rows_valid_steps(ax):
    *_, trace = traced(num_layers=2)
    assert plots.plot_map(trace, "dc", layer=1, direction="reverse", row=1, ax=ax) is ax
    np.testing.assert_array_equal(image_of(ax), trace["dc"][1, 1, 1, :2].T)
    assert ax.get_title() == "dc of layer 1, reverse direction"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("\u2190 read right to left", "unit")


def test_gates_lie_between_0_and_1_and_all_else_around_0(ax):
    *_, trace = traced()
    plots.plot_map(trace, "f", ax=ax)
    plots.plot_map(trace, "c", ax=ax)
    assert ax.images[0].get_clim() == (0, 1)
    low, high = ax.images[1].get_clim()
    assert low == -high == -np.abs(trace["c"][0, 0, 0]).max()


def test_a_unit_is_a_strip_for_each_gate_and_state(ax):
    *_, trace = traced()
    plots.plot_unit(trace, 3, direction="reverse", ax=ax)
    assert labels_of(ax.yaxis) == ["i", "f", "g", "o", "c", "h"]
    np.testing.assert_array_equal(image_of(ax, 4)[0], trace["c"][0, 1, 0, :, 3])
    for k, image in enumerate(ax.images):
        assert image.get_extent() == pytest.approx([-0.5, 4.5, k + 0.45, k - 0.45])
    assert ax.get_ylim() == (5.5, -0.5)


def test_a_unit_without_an_output_of_its_own_has_no_strip_of_h(ax):
    *_, trace = traced("LSTM with a projection")
    plots.plot_unit(trace, 3, ax=ax)
    assert labels_of(ax.yaxis) == ["i", "f", "g", "o", "c"]


def test_the_flow_is_drawn_for_both_directions_and_beside_dashed(ax):
    trace, other = tagger_trace(), tagger_trace()
    plots.plot_flow(trace, 2, ax=ax, beside=other)
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_array_equal(lines["|dL/dh|, reverse"].get_ydata()[2:], flow(trace, 2).dh[0, 1, 2:])
    assert np.isnan(lines["|dL/dh|, reverse"].get_ydata()[:2]).all()
    assert sum(line.get_linestyle() == "--" for line in ax.lines) == 6 + 1  # curves, and the legend's
    product = lines["forget gates' product, forward"].get_ydata()
    np.testing.assert_array_equal(product[:3], flow(trace, 2).forget[0, 0, :3].mean(axis=-1))
    assert [list(line.get_xdata()) for line in ax.lines if line.get_linestyle() == ":"] == [[2, 2]]
    assert (ax.get_yscale(), ax.get_xlabel()) == ("log", "step")


def test_the_influence_is_a_map_or_bars(ax):
    trace = tagger_trace()
    plots.plot_influence(trace, ax=ax)
    np.testing.assert_array_equal(image_of(ax), influence(trace))
    assert labels_of(ax.yaxis) == labels_of(ax.xaxis) == trace.tokens[0]
    ax.clear()
    plots.plot_influence(trace, -2, ax=ax)
    np.testing.assert_array_equal([bar.get_height() for bar in ax.patches], influence(trace, 3))
    assert [bar.get_facecolor() != ax.patches[0].get_facecolor() for bar in ax.patches] == [
        False,
        False,
        False,
        True,
        False,
    ]
    assert ax.get_xlabel() == "input at step"


def test_a_classifiers_influence_is_bars(ax):
    trace = classifier_trace("mean")
    plots.plot_influence(trace, ax=ax)
    np.testing.assert_array_equal([bar.get_height() for bar in ax.patches], influence(trace)[0])


@pytest.mark.parametrize(
    ("kind", "strips", "curves"),
    [("GRU", ["r", "z", "n", "h"], ["|dL/dh|", "forget gates' product"]), ("RNN relu", ["h"], ["|dL/dh|"])],
)
def test_cells_without_a_cell_state_are_drawn_too(ax, kind, strips, curves):
    *_, trace = traced(kind)
    plots.plot_unit(trace, 0, ax=ax)
    assert labels_of(ax.yaxis) == strips
    ax.clear()
    plots.plot_flow(trace, ax=ax)
    ax.figure.canvas.draw()
    both = [f"{curve}, {direction}" for direction in ("forward", "reverse") for curve in curves]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == both


def test_a_gradient_of_zero_is_drawn_too(ax):
    layer, _, (x, lengths, state, dy, _), _ = traced("RNN tanh")
    plots.plot_flow(nb.trace(layer, x, lengths, 0 * dy, state=state), ax=ax)
    ax.figure.canvas.draw()
    assert len(ax.lines) == 2
    assert all(np.isnan(line.get_ydata()).all() for line in ax.lines)


def test_hostile_tokens_are_drawn_as_text(ax):
    tokens = ["$x^{2$", "</script><script>alert(1)</script>", "a\u202eb", "\x1b[0m", "$", "\\$", "", " ", "\n", "_{"]
    model = SequenceTagger(10, 2, hidden_size=2, rng=0)
    trace = nb.trace(model, np.arange(10)[None], target=np.zeros((1, 10), int), tokens=tokens)
    plots.plot_flow(trace, 0, ax=ax)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a glyph that the font has not
        ax.figure.canvas.draw()
    assert labels_of(ax.xaxis)[:4] == [r"\$x^{2\$", "</script><s\u2026", "a\ufffdb", "\ufffd[0m"]


def test_a_label_has_12_characters_at_most():
    assert [plots.token_label("x" * count) for count in (12, 13)] == ["x" * 12, "x" * 11 + "\u2026"]


def test_of_many_tokens_some_are_named(ax):
    model = SequenceTagger(10, 2, hidden_size=2, rng=0)
    trace = nb.trace(model, np.zeros((1, 200), int), tokens="x" * 200)
    plots.plot_map(trace, ax=ax)
    assert ax.get_xticks().tolist() == list(range(0, 200, 4))


def test_without_an_ax_pyplots_own_is_drawn_on(ax):
    *_, trace = traced()
    assert plots.plot_map(trace) is ax


@pytest.mark.parametrize(
    ("draw", "options", "sentence"),
    [
        (plots.plot_map, {"direction": "backward"}, "direction is 'backward'; it needs 'forward' or 'reverse'"),
        (plots.plot_map, {"name": "q"}, "name is 'q'; the trace has h_prev, c_prev"),
        (plots.plot_map, {"layer": 1}, "layer is 1; the trace has 1 layer, 0 alone"),
        (plots.plot_unit, {"unit": 4}, "unit is 4; the layer has 4 units, 0 to 3"),
        (plots.plot_flow, {"step": 7}, "step is 7; row 0 has 5 steps, 0 to 4"),
    ],
)
def test_what_there_is_not_is_a_sentence(ax, draw, options, sentence):
    *_, trace = traced()
    with pytest.raises(ValueError, match=sentence):
        draw(trace, **options, ax=ax)


def test_without_matplotlib_a_sentence_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    *_, trace = traced()
    with pytest.raises(ValueError, match=r"plots need the package matplotlib: pip install 'npbilstm\[plots\]'"):
        plots.plot_map(trace)

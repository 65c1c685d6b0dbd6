"""The methods of a trace pass on all that they are given; a notebook shows the page, or why there is none."""

import json
import re

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.inspector.explain import explain
from npbilstm.inspector.flow import flow, forgetting
from npbilstm.inspector.influence import influence
from npbilstm.inspector.page import over_time, page_html, payload
from npbilstm.inspector.sparkline import sparkline


def stacked(seed=0):
    """Two layers, two rows."""
    model = nb.SequenceTagger(9, 3, embedding_size=2, hidden_size=3, num_layers=2, dtype=np.float64, rng=seed)
    ids = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
    return nb.trace(model, ids, [4, 3], target=ids % 3, tokens=["abcd", "efgh"])


def test_every_method_passes_on_all_that_it_is_given(tmp_path):
    trace, fresh = stacked(), stacked(1)
    assert str(trace.explain(1, "reverse", 2, 1, 1)) == str(explain(trace, 1, "reverse", 2, 1, 1))
    assert trace.sparkline(2, 1, 1, colour=True, gradients=True) == sparkline(
        trace, 2, 1, 1, colour=True, gradients=True
    )
    assert trace.sparkline(2, 1, 1) == sparkline(trace, 2, 1, 1)
    for got, expected in zip(trace.flow(1, 1), flow(trace, 1, 1)):
        np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(trace.influence(1, 1), influence(trace, 1, 1))
    page = page_html(trace, 1, fresh, ["of a test"])
    assert trace.to_html(1, fresh, ["of a test"]) == page
    trace.save_html(tmp_path / "page.html", 1, fresh, ["of a test"])
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page
    assert len({page, trace.to_html(0, fresh, ["of a test"]), trace.to_html(1, None, ["of a test"])}) == 3


def test_the_flow_of_a_step_lets_through_what_is_kept_to_that_step():
    *_, forget = stacked().flow(1)
    np.testing.assert_array_equal(forget, forgetting(stacked(), 1))
    assert (forget[:, 0, 2:] == 0).all()


def rows_with(lengths, steps=3):
    layer = nb.LSTM(2, 3, rng=0)
    return nb.trace(layer, np.zeros((len(lengths), steps, 2), np.float32), lengths)


def test_a_notebook_shows_the_first_row_that_has_steps():
    shown = rows_with([0, 3])._repr_html_()
    assert shown.startswith("<iframe ")
    assert "&quot;row&quot;:1," in shown


def test_a_notebook_says_what_has_no_page(monkeypatch):
    assert re.fullmatch("<p>&lt;Trace of LSTM.*2 rows of up to 3 steps.*</p>", rows_with([0, 0])._repr_html_())
    monkeypatch.setattr(payload, "LARGEST_DOCUMENT", 1000)
    assert re.fullmatch(
        "<p>&lt;Trace of LSTM.*too much for a page.*; take fewer steps</p>", rows_with([3])._repr_html_()
    )


@pytest.fixture
def made(monkeypatch):
    """The pictures that are made, in place of their making."""
    calls = []

    def every_step(trace, row=0):
        calls.append("flow")
        T = trace.lengths[row]
        return (np.zeros((1, 1, T, T)),) * 2

    def of_inputs(trace, step=None, row=0):
        calls.append("influence")
        return np.zeros((trace.lengths[row],) * 2)

    monkeypatch.setattr(over_time, "flow_of_every_step", every_step)
    monkeypatch.setattr(over_time, "influence", of_inputs)
    return calls


def test_pictures_that_have_no_room_on_the_page_are_not_made(made):
    layer = nb.LSTM(2, 2, rng=0)
    for steps in (10, 1000):
        ones = np.ones((1, steps, 2), np.float32)
        data = re.search(r'id="trace">(.*?)</script>', nb.trace(layer, ones, upstream=ones).to_html())[1]
        made.append(json.loads(data)["notes"])
    rounded = "numbers are rounded to 16 bits, about four digits"
    assert made == ["flow", "influence", [], "influence", [rounded, payload.LEFT_OUT["flow"]]]

"""What is seen of a layer that reads from the end: what is seen of the reverse half of two directions."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.inspector.flow import flow, flow_of_every_step, require_alike
from npbilstm.inspector.indices import direction_of
from npbilstm.inspector.page import page_html
from npbilstm.inspector.sparkline import sparkline
from tests.cases import assert_all_close, assert_close
from tests.inspector.test_page import data_of, decode
from tests.layers.recurrent_cases import make_inputs, make_layer, of_each


def halves(kind="LSTM"):
    """The trace of both directions with nothing asked of the forward one, and of the reverse one alone."""
    both = make_layer(kind=kind, bidirectional=True, merge=None)
    alone = make_layer(kind=kind, reverse=True)
    alone = alone.with_params({name: p for name, p in both.params.items() if name.startswith("0.reverse")})
    x, lengths, state, (_, dy), _ = make_inputs(both, (5, 3))
    return (
        nb.trace(both, x, lengths, (np.zeros_like(dy), dy), state=state),
        nb.trace(alone, x, lengths, dy, state=of_each(state, lambda part: part[1:])),
    )


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_its_trace_and_flow_are_the_reverse_halfs(kind):
    both, alone = halves(kind)
    assert alone.directions == ("reverse",)
    assert_close(alone.order, both.order[1:], 0)
    assert_all_close({name: alone[name] for name in alone.names}, {name: both[name][:, 1:] for name in both.names})
    for step in (None, 0, 2):
        for one, other in zip(flow(alone, step, 1), flow(both, step, 1)):
            assert (one is None) == (other is None)
            if one is not None:
                assert_close(one, other[:, 1:])
    for one, other in zip(flow_of_every_step(alone, 1), flow_of_every_step(both, 1)):
        assert one is None or np.allclose(one, other[:, 1:], 0, 1e-12)


def test_its_influence_is_that_of_the_steps_after():
    _, alone = halves()
    found = alone.influence(row=1)
    assert (np.tril(found, -1) == 0).all()
    assert (found[np.triu_indices(3)] > 0).all()


def test_its_direction_is_the_one_meant_where_none_is_named():
    both, alone = halves()
    assert alone.explain(step=1, unit=2).direction == "reverse"
    assert both.explain(step=1, unit=2).direction == "forward"
    assert str(alone.explain(step=1, unit=2)) == str(both.explain(direction="reverse", step=1, unit=2))
    assert "after step 2" in alone.explain(step=1, unit=2).heading
    with pytest.raises(ValueError, match="direction is 'forward'; it needs 'reverse', which this layer has"):
        direction_of(alone, "forward")


def test_its_strip_stands_below_the_tokens():
    both, alone = halves()
    whole, lines = sparkline(both, 1, width=80).split("\n"), sparkline(alone, 1, width=80).split("\n")
    assert not any(line.startswith("forward") for line in lines)
    own = lines.index("reverse, ← reads")
    assert own > next(k for k, line in enumerate(lines) if line.startswith("  step"))
    start = whole.index("reverse, ← reads")
    assert lines[own : own + 5] == whole[start : start + 5]  # the gates' bars


def test_its_page_begins_at_the_last_step():
    both, alone = halves()
    data, whole = data_of(page_html(alone, row=1)), data_of(page_html(both, row=1))
    assert data["directions"] == ["reverse"]
    for name in ("h_0", "c_0"):
        assert_close(decode(data["arrays"][name]), decode(whole["arrays"][name])[:, 1:], 0)


def test_its_curves_do_not_stand_beside_those_of_the_forward_direction():
    _, alone = halves()
    other = nb.trace(make_layer(), np.ones((2, 5, 3)), [5, 3])
    with pytest.raises(
        ValueError, match="beside has layers 1, directions forward, .*; it needs those of the trace: layers"
    ):
        require_alike(alone, other, 1)


def traced(**options):
    layer = make_layer(**options)
    x, lengths, state, dy, _ = make_inputs(layer, (5, 3))
    return nb.trace(layer, x, lengths, dy, state=state)


def test_gates_that_are_no_sigmoids_have_either_sign():
    usual, other = (traced(recurrent_activation=name) for name in ("hard_sigmoid", "tanh"))
    assert data_of(page_html(usual))["gates"] == ["i", "f", "o"]
    assert data_of(page_html(other))["gates"] == []
    assert "  i +" not in sparkline(usual, 1, width=80)
    assert "  i +" in sparkline(other, 1, width=80)


def test_the_words_name_the_layers_own_activations():
    text = str(traced(activation="relu", recurrent_activation="hard_sigmoid").explain(step=1, unit=0))
    assert "i = hard_sigmoid(a_i)" in text
    assert "back through the input gate's hard_sigmoid" in text
    assert "back through the candidate's relu" in text
    assert "da_g = dg * positive(g)" in text
    page = data_of(page_html(traced(kind="GRU", recurrent_activation="hard_sigmoid_sixth")))
    assert page["words"]["da_z"] == "back through the update gate's hard_sigmoid_sixth"
    assert all(len(words) <= 50 for words in page["words"].values())

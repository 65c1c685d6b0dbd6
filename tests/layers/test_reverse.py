"""One direction read from the end: flipped in, run, flipped out; and the reverse half of two directions."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.layers.layer import part_of
from npbilstm.textbook import flip
from tests.cases import assert_all_close
from tests.layers.recurrent_cases import KINDS, make_inputs, make_layer, of_each, run

every_kind = pytest.mark.parametrize("kind", KINDS)


def renamed(params, old, new):
    return {name.replace(old, new): p for name, p in params.items()}


@every_kind
def test_a_stack_read_from_the_end_is_flipped_in_run_and_flipped_out(kind):
    layer = make_layer(2, kind=kind, reverse=True)
    forward = make_layer(2, kind=kind).with_params(renamed(layer.params, "reverse", "forward"))
    x, lengths, state, dy, dstate = make_inputs(layer)
    (y, final), (dx, grads, dstate_0) = run(layer, (x, lengths, state, dy, dstate))
    flipped = run(forward, (flip(x, lengths), lengths, state, flip(dy, lengths), dstate))
    (y_f, final_f), (dx_f, grads_f, dstate_f) = flipped
    expected = (flip(y_f, lengths), final_f), (flip(dx_f, lengths), renamed(grads_f, "forward", "reverse"), dstate_f)
    assert_all_close(((y, final), (dx, grads, dstate_0)), expected)


@every_kind
def test_it_is_the_reverse_half_of_two_directions(kind):
    both = make_layer(kind=kind, bidirectional=True, merge=None)
    half = make_layer(kind=kind, reverse=True)
    half = half.with_params({name: p for name, p in both.params.items() if name.startswith("0.reverse")})
    x, lengths, state, dy, dstate = make_inputs(both)
    dy[0] = 0 * dy[0]  # nothing is asked of the forward half
    (y, final), (dx, grads, _) = run(both, (x, lengths, state, dy, of_each(dstate, lambda part: part * [[[0]], [[1]]])))
    got = run(half, (x, lengths, *(of_each(s, lambda part: part[1:]) for s in [state]), dy[1], of_each(dstate, last)))
    assert_all_close(got[0], (y[1], of_each(final, last)))
    assert_all_close(got[1][0], dx)
    assert_all_close(part_of(got[1][1], "0.reverse"), part_of(grads, "0.reverse"))


def last(part):
    return part[1:]


def test_its_final_state_is_that_after_the_first_step_and_a_row_of_no_steps_keeps_its_own():
    layer = make_layer(reverse=True)
    x, lengths, (h_0, c_0), *_ = make_inputs(layer, (5, 2, 0))
    y, (h_n, c_n), _ = layer.forward(x, lengths, (h_0, c_0))
    assert_all_close(h_n[0, :2], y[:2, 0], 0)
    assert_all_close((h_n[0, 2], c_n[0, 2]), (h_0[0, 2], c_0[0, 2]), 0)


def test_what_stands_at_a_step_knows_that_step_and_those_after_it():
    layer = make_layer(2, reverse=True)
    x, lengths, *_ = make_inputs(layer, (5, 3, 4))
    y, changed = layer.forward(x, lengths)[0], x.copy()
    changed[:, 2] += 1
    moved = (layer.forward(changed, lengths)[0] != y).any(axis=-1)
    assert moved.tolist() == [[t <= 2 for t in range(5)]] * 3


def test_its_names_and_how_it_shows_itself():
    layer = nb.GRU(3, 4, 2, reverse=True)
    assert layer.directions == ("reverse",)
    assert layer.reverse is True
    assert nb.GRU(3, 4, bidirectional=True).reverse is False
    assert {name.split(".")[1] for name in layer.params} == {"reverse"}
    assert repr(layer) == "GRU(3, 4, 2, reverse=True)"


@pytest.mark.parametrize("make", [nb.LSTM, nb.GRU, nb.RNN, nb.BiLSTM])
def test_one_direction_from_the_end_and_both_directions_exclude_each_other(make):
    with pytest.raises(ValueError, match="reverse is True and bidirectional is True; with bidirectional=True the rev"):
        make(3, 4, reverse=True, bidirectional=True)


def test_inference_keeps_nothing_and_puts_out_the_same():
    layer = make_layer(2, reverse=True)
    x, lengths, state, *_ = make_inputs(layer)
    assert_all_close(layer.forward(x, lengths, state)[:2], layer.forward(x, lengths, state, training=True)[:2], 0)


def test_it_checks_against_the_complex_step():
    layer = make_layer(reverse=True)
    x, lengths, state, dy, _ = make_inputs(layer)

    def loss(params):
        return (layer.with_params(params).forward(x, lengths, state, training=True)[0] * dy).sum()

    _, grads, _ = layer.backward(dy, layer.forward(x, lengths, state, training=True)[2])
    report = nb.check_gradients(loss, layer.params, grads, method="complex")
    assert report.ok, report
    wrong = {name: flip(g[None])[0] if g.ndim == 1 else g for name, g in grads.items()}
    assert not nb.check_gradients(loss, layer.params, wrong, method="complex").ok


def test_a_model_made_by_hand_with_it_pools_its_final_state():
    model = nb.SequenceClassifier(5, 3, embedding_size=2, hidden_size=4, bidirectional=False, dtype=np.float64, rng=0)
    model.recurrent = nb.LSTM(2, 4, reverse=True, dtype=np.float64, rng=0)
    ids = np.array([[1, 2, 3], [4, 0, 0]])
    logits, _ = model.forward(ids, [3, 1])
    y = model.recurrent.forward(model.embedding.forward(ids)[0], [3, 1])[0]
    assert_all_close(logits, model.linear.forward(y[:, 0])[0])

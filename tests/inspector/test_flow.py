"""The sizes of gradients over time are those of the textbook's passes; the influence of inputs that of nudged runs."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.inspector import backpropagation, flow, influence
from npbilstm.models import SequenceClassifier, SequenceTagger
from tests.cases import assert_close
from tests.inspector.test_tracing import every_variant, traced
from tests.inspector.traced import numbers_by_textbook
from tests.layers.recurrent_cases import as_list, make_inputs, make_layer
from tests.planting import planted, planted_below


def tagger_trace(**options):
    model = SequenceTagger(7, 3, embedding_size=3, hidden_size=4, dtype=np.float64, rng=0, **options)
    rng = np.random.default_rng(1)
    return nb.trace(model, rng.integers(0, 7, (2, 5)), [5, 3], target=rng.integers(0, 3, (2, 5)))


def classifier_trace(pooling, cell="lstm", **options):
    model = SequenceClassifier(
        7, 3, pooling=pooling, cell=cell, embedding_size=3, hidden_size=4, dtype=np.float64, rng=0, **options
    )
    rng = np.random.default_rng(1)
    return nb.trace(model, rng.integers(0, 7, (2, 5)), [5, 3], target=np.array([0, 2]))


def with_one_step(dy, step):
    """All of an upstream gradient zero but one step."""
    found = np.zeros_like(dy)
    found[:, step] = dy[:, step]
    return found


def require_gradients_of_steps(module, variant):
    """Those of each step alone, by the textbook, of both rows."""
    layer, kind, (x, lengths, state, dy, dstate), trace = traced(variant, num_layers=2, lengths=(5, 3))
    nothing = tuple(map(np.zeros_like, dstate)) if isinstance(dstate, tuple) else np.zeros_like(dstate)
    for row, length in enumerate(lengths):
        for steps, dh, dc in module.gradients_of_steps(trace, range(length), row):
            for b, step in enumerate(steps):
                levels = numbers_by_textbook(layer, kind, (x, lengths, state, with_one_step(dy, step), nothing))
                expected = np.stack([level["dh"] for level in levels])[:, :, row, :length]
                assert_close(dh[:, :, b], expected, 1e-13)
                if dc is not None:
                    masked = nb.trace(layer, x, lengths, with_one_step(dy, step), state=state)
                    assert_close(dc[:, :, b], masked["dc"][:, :, row, :length], 1e-13)


@pytest.mark.few(5)
@every_variant
def test_the_gradients_of_a_step_alone_are_the_textbooks(variant):
    require_gradients_of_steps(flow, variant)


@pytest.mark.parametrize("merge", ["sum", "mul", "ave", None])
def test_the_gradients_of_a_step_alone_go_through_every_merge(merge):
    layer = make_layer(2, bidirectional=True, merge=merge)
    x, lengths, state, dy, _ = make_inputs(layer, (5, 2))
    trace = nb.trace(layer, x, lengths, dy, state=state)
    alone = [with_one_step(part, 3) for part in (dy if merge is None else [dy])]
    masked = nb.trace(layer, x, lengths, tuple(alone) if merge is None else alone[0], state=state)
    ((_, dh, dc),) = flow.gradients_of_steps(trace, [3])
    assert_close(dh[:, :, 0], masked["dh"][:, :, 0])
    assert_close(dc[:, :, 0], masked["dc"][:, :, 0])


def require_sum_over_steps(module):
    layer, _, (x, lengths, state, dy, _), _ = traced(num_layers=2, lengths=(5, 3))
    trace = nb.trace(layer, x, lengths, dy, state=state)
    ((_, dh, dc),) = module.gradients_of_steps(trace, range(3), 1)
    assert_close(dh.sum(axis=2), trace["dh"][:, :, 1, :3])
    assert_close(dc.sum(axis=2), trace["dc"][:, :, 1, :3])


def test_the_gradients_of_the_steps_add_up_to_the_whole():
    require_sum_over_steps(flow)


def test_the_flow_of_the_whole_loss_is_the_size_of_the_traces_gradients():
    *_, trace = traced(num_layers=2)
    whole = flow.flow(trace, row=1)
    assert_close(whole.dh, np.sqrt((trace["dh"][:, :, 1, :2] ** 2).sum(axis=-1)))
    assert_close(whole.dc, np.sqrt((trace["dc"][:, :, 1, :2] ** 2).sum(axis=-1)))


def test_the_flow_of_every_step_is_that_of_each():
    trace = tagger_trace(num_layers=2)
    dh, dc = flow.flow_of_every_step(trace, row=1)
    assert dh.shape == dc.shape == (2, 2, 3, 3)
    for step in range(3):
        one = flow.flow(trace, step, row=1)
        assert_close(dh[:, :, step], one.dh)
        assert_close(dc[:, :, step], one.dc)


def test_how_many_steps_go_back_at_once_changes_nothing(monkeypatch):
    trace = tagger_trace(num_layers=2)
    dh, dc = flow.flow_of_every_step(trace)
    seen = influence.influence(trace)
    monkeypatch.setattr(backpropagation, "ROOM", 1)
    assert_close(flow.flow_of_every_step(trace)[0], dh)
    assert_close(flow.flow_of_every_step(trace)[1], dc)
    assert_close(influence.influence(trace), seen)


def test_a_gradient_too_small_to_be_squared_still_has_a_size():
    size = flow.size(np.full((1, 1, 4), 1e-30, np.float32))
    np.testing.assert_allclose(size, 2e-30, rtol=1e-6)


def test_a_gradient_that_has_all_but_vanished_still_flows():
    layer, _, (x, lengths, state, dy, _), _ = traced()
    one, faint = (flow.flow(nb.trace(layer, x, lengths, dy * scale, state=state)) for scale in (1, 1e-201))
    for sizes, expected in zip(faint[:2], one[:2]):
        assert (sizes > 0).all()
        np.testing.assert_allclose(sizes * 1e201, expected, rtol=1e-9)


def test_an_influence_too_small_to_be_squared_in_float32_is_not_0():
    layer = nb.RNN(2, 3, bias=False, rng=0)
    layer.params["0.forward.Wx"][...] = 1e-30
    seen = influence.influence(nb.trace(layer, np.ones((2, 2), np.float32)))
    np.testing.assert_allclose(seen.diagonal(), 6**0.5 * 1e-30, rtol=1e-6)  # tanh'(0) is 1


@pytest.mark.parametrize("pooling", ["final", "mean", "max"])
def test_a_classifiers_flow_is_of_its_one_loss(pooling):
    trace = classifier_trace(pooling)
    dh, dc = flow.flow_of_every_step(trace)
    assert_close(dh[:, :, 0], flow.flow(trace).dh)
    assert_close(dc[:, :, 0], flow.flow(trace).dc)
    with pytest.raises(
        ValueError, match="step is 2; this trace's loss is of a whole sequence, so step needs to be None"
    ):
        flow.flow(trace, 2)


def test_the_flow_of_final_states_alone_is_of_one_loss():
    layer, _, (x, lengths, state, _, dstate), _ = traced()
    trace = nb.trace(layer, x, lengths, state=state, dstate=dstate)
    assert flow.flow_of_every_step(trace)[0].shape == (1, 2, 1, 5)
    with pytest.raises(ValueError, match="of the final states alone, so step needs to be None"):
        flow.flow(trace, 0)


def products_by_a_loop(f, s, step):
    """f (T, H) of direction s."""
    T = len(f)
    found = np.zeros_like(f)
    for u in range(T):
        if (u <= step) if s == 0 else (u >= step):
            found[u] = 1
            for v in range(u + 1, step + 1) if s == 0 else range(step, u):
                found[u] *= f[v]
    return found


def require_products(module):
    *_, trace = traced(num_layers=2, lengths=(5, 3))
    for step in (None, 0, 1, 2):
        found = module.forgetting(trace, step, row=1)
        for k in range(2):
            for s in range(2):
                last = (2, 0)[s] if step is None else step
                assert_close(found[k, s], products_by_a_loop(trace["f"][k, s, 1, :3], s, last))


def test_what_is_not_forgotten_is_the_product_of_the_gates_between():
    require_products(flow)


def test_of_a_gru_the_update_gate_is_what_forgets():
    *_, trace = traced("GRU")
    assert_close(flow.forgetting(trace)[0, 1], products_by_a_loop(trace["z"][0, 1, 0], 1, 0))


def test_an_rnn_has_neither_cell_nor_forget_gate():
    *_, trace = traced("RNN tanh")
    assert flow.flow(trace)[1:] == (None, None)
    assert flow.flow_of_every_step(trace)[1] is None


def jacobian_by_nudging(layer, x, state, head):
    """d output / d x of one row (T, D) by the complex step: [t, v, u, d]."""
    T, D = x.shape
    nudged = np.tile(x.astype(complex), (T * D, 1, 1))
    nudged.reshape(T * D, -1)[range(T * D), range(T * D)] += 1e-30j
    many = [np.repeat(part, T * D, axis=1) for part in (state if isinstance(state, tuple) else [state])]
    y, final, _ = layer.forward(nudged, state=tuple(many) if len(many) > 1 else many[0])
    out = head(np.concatenate(as_list(y), axis=-1), final)  # (T D, T_out, V)
    return out.imag.transpose(1, 2, 0).reshape(*out.shape[1:], T, D) / 1e-30


def require_influence(module, layer, trace, head, state, row=1):
    T = trace.lengths[row]
    jacobian = jacobian_by_nudging(layer, trace.inputs[0][row, :T], state, head)
    expected = np.sqrt((jacobian**2).sum(axis=(1, 3)))
    assert_close(module.influence(trace, row=row), expected, 1e-13)


def require_influence_in_layers(module, variant="LSTM", **options):
    layer, _, (_, _, state, _, _), trace = traced(variant, num_layers=2, lengths=(5, 3), **options)
    own = tuple(part[:, 1:2] for part in state) if isinstance(state, tuple) else state[:, 1:2]
    require_influence(module, layer, trace, lambda y, final: y, own)


@every_variant
def test_the_influence_of_inputs_is_the_size_of_the_jacobian(variant):
    require_influence_in_layers(influence, variant)


@pytest.mark.parametrize("merge", ["sum", "mul", None])
def test_the_influence_of_inputs_goes_through_every_merge(merge):
    layer = make_layer(1, bidirectional=True, merge=merge)
    x, lengths, state, _, _ = make_inputs(layer, (5, 3))
    trace = nb.trace(layer, x, lengths, state=state)
    require_influence(influence, layer, trace, lambda y, final: y, tuple(part[:, 1:2] for part in state))


def test_the_influence_on_a_taggers_logits_is_the_size_of_the_jacobian():
    trace = tagger_trace(num_layers=2)
    W = trace.model.linear.params["W"]
    require_influence(influence, trace.layer, trace, lambda y, final: y @ W, tuple(np.zeros((2, 4, 1, 4))))


@pytest.mark.parametrize("pooling", ["final", "mean", "max"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_the_influence_on_a_classifiers_logits_is_the_size_of_the_jacobian(pooling, num_layers):
    trace = classifier_trace(pooling, num_layers=num_layers)
    W = trace.model.linear.params["W"]

    def head(y, final):
        most = y[0].real.argmax(axis=0)
        pooled = {
            "final": lambda: np.concatenate(list(final[0][-2:]), axis=-1),
            "mean": lambda: y.mean(axis=1),
            "max": lambda: y[:, most, range(y.shape[-1])],
        }[pooling]()
        return (pooled @ W)[:, None]

    require_influence(influence, trace.layer, trace, head, tuple(np.zeros((2, 2 * num_layers, 1, 4))))


def test_the_influence_on_a_gru_classifiers_final_states_is_the_size_of_the_jacobian():
    trace = classifier_trace("final", "gru")
    W = trace.model.linear.params["W"]
    state = np.zeros((2, 1, 4))
    require_influence(
        influence, trace.layer, trace, lambda y, h: (np.concatenate(list(h), axis=-1) @ W)[:, None], state
    )


def test_the_influence_on_one_step_is_its_row():
    trace = tagger_trace()
    seen = influence.influence(trace, row=1)
    assert seen.shape == (3, 3)
    assert_close(influence.influence(trace, -1, row=1), seen[2])


def test_who_reads_forward_alone_is_never_influenced_by_what_comes():
    *_, trace = traced(num_layers=2, bidirectional=False)
    seen = influence.influence(trace)
    assert (np.triu(seen, 1) == 0).all()
    assert (np.tril(seen)[np.tril_indices(5)] > 0).all()


def test_rows_and_padding_do_not_influence_one_another():
    layer, _, (x, _, state, dy, _), trace = traced(lengths=(5, 3))
    alone = nb.trace(layer, x[1:, :3], None, dy[1:, :3], state=tuple(part[:, 1:2] for part in state))
    assert_close(influence.influence(trace, row=1), influence.influence(alone))
    for got, expected in zip(flow.flow(trace, 1, row=1), flow.flow(alone, 1)):
        assert_close(got, expected)


def test_the_cost_of_influence_counts_passes_steps_and_weights():
    trace = tagger_trace()
    assert influence.influence_cost(trace, row=1) == (3 * 3) * 3 * trace.layer.num_parameters
    assert influence.influence_cost(trace, 0, row=1) == 3 * 3 * trace.layer.num_parameters
    assert influence.influence_cost(classifier_trace("mean")) == 3 * 5 * trace.layer.num_parameters


def test_what_there_is_not_is_a_sentence():
    layer, _, (x, lengths, state, _, _), trace = traced()
    with pytest.raises(ValueError, match="step is 5; row 0 has 5 steps, 0 to 4"):
        flow.flow(trace, 5)
    with pytest.raises(ValueError, match="step is -6; row 0 has 5 steps"):
        influence.influence(trace, -6)
    with pytest.raises(ValueError, match="row is 3; the trace has 3 rows, 0 to 2"):
        flow.flow(trace, row=3)
    with pytest.raises(ValueError, match="row is 2; this row has no steps"):
        influence.influence(trace, row=2)
    with pytest.raises(ValueError, match="trace has no gradients; flow needs one made with an upstream gradient or"):
        flow.flow(nb.trace(layer, x, lengths, state=state))
    with pytest.raises(ValueError, match="step is 0; a classifier has one output a sequence, so step needs to be None"):
        influence.influence(classifier_trace("mean"), 0)


def require_right(of_flow, of_influence):
    """What the planted bugs below must fail, and what is right passes."""
    require_gradients_of_steps(of_flow, "LSTM with peepholes")
    require_sum_over_steps(of_flow)
    require_influence_in_layers(of_influence)
    layer = make_layer(2, bidirectional=True, merge="sum")
    x, _, state, _, _ = make_inputs(layer, (5, 5))
    trace = nb.trace(layer, x, state=state)
    require_influence(of_influence, layer, trace, lambda y, final: y, tuple(part[:, 1:2] for part in state))
    trace = classifier_trace("final")
    W = trace.model.linear.params["W"]
    zeros = tuple(np.zeros((2, 2, 1, 4)))
    require_influence(
        of_influence, trace.layer, trace, lambda y, final: (np.concatenate(list(final[0]), axis=-1) @ W)[:, None], zeros
    )


def test_right_backward_passes_of_a_row_are_not_rejected():
    require_right(flow, influence)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("dy = in_reading_order(trace, dy, axis=2)", "dy = dy"),  # the reverse direction read forward
        ("in_reading_order(trace, array, axis=2) for", "array for"),  # found in reading order
        ("= last[equation.name]", "= 0 * last[equation.name]"),  # the final state's gradient
        ("merge_at(layer, k)).transpose", "'concat').transpose"),
        ("found.insert(0, kept)", "found.append(kept)"),  # layers the wrong way round
        ("axis=-1) @ WxT", "axis=-1)[..., ::-1] @ WxT"),  # the gates' blocks
        ("trace[name][k][:, row, :T]) for name in names}", "trace[name][k][:, 0, :T]) for name in names}"),
    ],
)
def test_wrong_backward_passes_of_a_row_are_caught(right, wrong):
    made = planted_below([flow, influence], backpropagation, right, wrong)
    with pytest.raises((AssertionError, ValueError)):
        require_right(*made)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("f[:, last:0:-1]", "f[:, last - 1 :: -1]"),  # the gate of the step itself
        ("T - 1 - last[1])[:, ::-1]", "T - 1 - last[1])"),
        ("last = [T - 1, 0]", "last = [T - 1, T - 1]"),
    ],
)
def test_wrong_products_are_caught(right, wrong):
    with pytest.raises((AssertionError, ValueError)):
        require_products(planted(flow, right, wrong))

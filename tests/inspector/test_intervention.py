"""A changed run is the textbook's with the named number replaced and all that follows from it; nothing else changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.inspector import backpropagation, rerun
from npbilstm.textbook import flip, sigmoid, softmax_cross_entropy_forward, tanh
from tests.cases import assert_close
from tests.layers.recurrent_cases import make_inputs, make_layer, parts_of
from tests.planting import planted

KINDS = {
    "LSTM": ("LSTM", {}, "ifgoch"),
    "LSTM with peepholes": ("LSTM", {"peepholes": True}, "ifgoch"),
    "LSTM, coupled": ("LSTM", {"coupled": True}, "ifgoch"),
    "LSTM with a projection": ("LSTM", {"projection_size": 2}, "ifgoch"),
    "GRU": ("GRU", {}, "rznh"),
    "GRU reset before": ("GRU reset before", {}, "rznh"),
    "RNN tanh": ("RNN tanh", {}, "h"),
}


def step_of(kind, x, state, weights, put):
    """The textbook's step with numbers replaced: put(name, numbers) -> numbers. Of one direction, in the plane too."""
    get = weights.get
    if kind.startswith("LSTM"):
        h_prev, c_prev = state
        a = np.split(x @ weights["Wx"] + h_prev @ weights["Wh"] + weights["b"], weights["b"].size // c_prev.shape[1], 1)
        p_i, p_f, p_o = np.split(get("p", np.zeros(3 * c_prev.shape[1])), 3)
        i = put("i", sigmoid(a[0] + p_i * c_prev))
        f = put("f", sigmoid(a[1] + p_f * c_prev) if len(a) == 4 else 1 - i)
        g = put("g", tanh(a[-2]))
        c = put("c", f * c_prev + i * g)
        o = put("o", sigmoid(a[-1] + p_o * c))
        h = o * tanh(c)
        return put("h", h @ weights["Wp"] if "Wp" in weights else h), c
    (h_prev,) = state
    if kind.startswith("RNN"):
        return (put("h", tanh(x @ weights["Wx"] + h_prev @ weights["Wh"] + weights["b"])),)
    a_r, a_z, a_n = np.split(x @ weights["Wx"] + weights["b"], 3, 1)
    Wh_r, Wh_z, Wh_n = np.split(weights["Wh"], 3, 1)
    r, z = put("r", sigmoid(a_r + h_prev @ Wh_r)), put("z", sigmoid(a_z + h_prev @ Wh_z))
    q = r * (h_prev @ Wh_n + weights["b_hn"]) if "b_hn" in weights else (r * h_prev) @ Wh_n
    n = put("n", tanh(a_n + q))
    return (put("h", (1 - z) * n + z * h_prev),)


def by_loop(kind, layer, inputs, settings):
    """A stack that concatenates its directions, step by step. settings: (name, layer, direction, row, steps, units, to)
    -> for each layer the numbers by name (S, N, T, .); y; the final states."""
    x, lengths, state, *_ = inputs
    S, levels, finals = len(layer.directions), [], []
    for k in range(layer.num_layers):
        both = []
        for s, direction in enumerate(layer.directions):
            way = (lambda a: flip(a, lengths)) if direction == "reverse" else (lambda a: a)
            prefix = f"{k}.{direction}."
            weights = {name.removeprefix(prefix): p for name, p in layer.params.items() if name.startswith(prefix)}
            parts = tuple(part[k * S + s] for part in parts_of(state))
            numbers, read = {}, way(x)
            for t in range(x.shape[1]):
                now = {}

                def put(name, array, now=now, t=t, k=k, direction=direction):
                    array = array.copy()
                    for called, layer_index, way_, row, steps, units, to in settings:
                        if (called, layer_index, way_) == (name, k, direction):
                            for n in range(len(array)) if row is None else [row]:
                                step = t if direction == "forward" else lengths[n] - 1 - t
                                if step in steps:
                                    array[n, units] = to
                    now[name] = array
                    return array

                after = step_of(kind, read[:, t], parts, weights, put)
                valid = (t < lengths)[:, None]
                parts = tuple(np.where(valid, new, old) for new, old in zip(after, parts))
                for name, array in now.items():
                    numbers.setdefault(name, []).append(np.where(valid, array, 0))
            both.append({name: way(np.stack(steps, 1)) for name, steps in numbers.items()})
            finals.append(parts)
        levels.append({name: np.stack([each[name] for each in both]) for name in both[0]})
        x = np.concatenate([each["h"] for each in both], axis=2)
    return levels, x, [np.stack(part) for part in zip(*finals)]


def drawn(kind, seed, num_layers=2, lengths=(5, 2, 0)):
    """-> the layer, its inputs, its trace, and settings."""
    of, options, names = KINDS[kind]
    layer = make_layer(num_layers, seed, of, bidirectional=True, **options)
    x, lengths, state, dy, dstate = inputs = make_inputs(layer, lengths, seed)
    trace = nb.trace(layer, x, lengths, dy, state=state, dstate=dstate)
    rng = np.random.default_rng(seed)
    settings = []
    for _ in range(rng.integers(1, 3)):
        name = rng.choice(list(names))
        units = sorted(set(rng.integers(0, trace[name].shape[-1], 2).tolist()))
        steps = sorted(set(rng.integers(0, max(lengths), 2).tolist()))
        direction = str(rng.choice(["forward", "reverse"]))
        row = None if rng.integers(2) else 0
        settings.append((str(name), int(rng.integers(num_layers)), direction, row, steps, units, rng.normal()))
    return layer, inputs, trace, settings


def changed_by(trace, settings):
    for name, layer, direction, row, steps, units, to in settings:
        trace = trace.intervene(name, to, unit=units, layer=layer, direction=direction, steps=steps, row=row)
    return trace


def require_loops_numbers(kind, seed, num_layers=2):
    layer, inputs, trace, settings = drawn(kind, seed, num_layers)
    changed = changed_by(trace, settings)
    levels, y, _ = by_loop(KINDS[kind][0], layer, inputs, settings)
    for k, level in enumerate(levels):
        for name, expected in level.items():
            np.testing.assert_allclose(changed[name][k], expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(changed.output, y, rtol=0, atol=1e-12)
    return trace, changed


def require_gradients(kind, seed):
    """dx by the complex step through the loop."""
    layer, inputs, trace, settings = drawn(kind, seed, lengths=(4,))
    x, lengths, state, dy, dstate = inputs
    found = np.zeros_like(x)
    for at in np.ndindex(*x.shape):
        nudged = x.astype(complex)
        nudged[at] += 1e-30j
        _, y, final = by_loop(KINDS[kind][0], layer, (nudged, lengths, state), settings)
        loss = (y * dy).sum() + sum((part * d).sum() for part, d in zip(final, parts_of(dstate)))
        found[at] = loss.imag / 1e-30
    assert_close(changed_by(trace, settings).dx, found)


every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_a_changed_run_is_that_of_a_loop_over_the_textbooks_equations(kind):
    require_loops_numbers(kind, 1)


@pytest.mark.slow
@given(st.sampled_from(sorted(KINDS)), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_so_is_any_changed_run(kind, num_layers, seed):
    require_loops_numbers(kind, seed, num_layers)


@pytest.mark.few(4)
@every_kind
def test_gradients_of_a_changed_run_agree_with_the_complex_step(kind):
    require_gradients(kind, 1)


def test_the_loop_is_the_textbooks_where_nothing_is_set():
    layer, inputs, trace, _ = drawn("LSTM", 0)
    levels, _, _ = by_loop("LSTM", layer, inputs, [])
    for k, level in enumerate(levels):
        for name, expected in level.items():
            assert_close(trace[name][k], expected)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("part[again] for name, part in state.items()}}", "part[again] * 1.01 for name, part in state.items()}}"),
        ("differs |= (part != new[name][:, t]).any(axis=-1)", "pass"),
        ("differs = (x[:, t] != x_old[:, t]).any(axis=-1)", "differs = np.zeros(len(x), bool)"),
        ('return flip(array, lengths) if direction == "reverse" else array', "return array"),
    ],
)
def test_the_loop_rejects_a_wrong_rerun(monkeypatch, right, wrong):
    monkeypatch.setattr(rerun, "rerun_direction", planted(rerun, right, wrong).rerun_direction)
    with pytest.raises(AssertionError):
        [require_loops_numbers("LSTM", seed) for seed in range(4)]


def test_the_complex_step_rejects_gradients_that_pass_through_what_is_set(monkeypatch):
    wrong = planted(backpropagation, "if equation.name in held:", "if False:")
    monkeypatch.setattr(backpropagation, "backward_of_layer", wrong.backward_of_layer)
    with pytest.raises(AssertionError):
        [require_gradients("LSTM", seed) for seed in range(4)]


def test_what_does_not_follow_stays_the_runs_own_to_the_last_bit():
    _, _, trace, _ = drawn("LSTM", 3)
    changed = trace.intervene("c", 0.5, unit=1, layer=1, direction="reverse", steps=2, row=0)
    for name in ("f", "c", "h"):
        np.testing.assert_array_equal(changed[name][0], trace[name][0])
        np.testing.assert_array_equal(changed[name][1, 0], trace[name][1, 0])
        np.testing.assert_array_equal(changed[name][1, 1, 0, 3:], trace[name][1, 1, 0, 3:])  # read before step 2
        np.testing.assert_array_equal(changed[name][1, 1, 1], trace[name][1, 1, 1])  # another row
    assert (changed["h"][1, 1, 0, :3] != trace["h"][1, 1, 0, :3]).any(axis=-1).all()
    same = trace.intervene("f", float(trace["f"][0, 0, 0, 1, 2]), unit=2, steps=1, row=0)
    for name in ("i", "f", "c", "h"):
        assert_close(same[name], trace[name])


def test_a_run_of_float32_is_off_by_the_rounding_of_what_it_keeps_alone():
    """Step by step in float64: in float32 the products of 64 units alone are off by more."""
    layer = nb.LSTM(2, 64, rng=0)
    x = np.random.default_rng(0).normal(size=(1, 2, 2)).astype(np.float32)
    changed = nb.trace(layer, x).intervene("h", 0.5, unit=0, steps=0)
    exact = {name: p.astype(np.float64) for name, p in layer.params.items()}
    a = x[0, 1] @ exact["0.forward.Wx"] + changed["h"][0, 0, 0, 0] @ exact["0.forward.Wh"] + exact["0.forward.b"]
    np.testing.assert_array_equal(changed["g"][0, 0, 0, 1], np.tanh(a[128:192]).astype(np.float32))


def test_a_changed_run_of_float32_has_a_page_too():
    trace = nb.trace(nb.SequenceTagger(6, 3, hidden_size=2, rng=0), [1, 2, 3], target=[0, 1, 2]).intervene("f")
    assert type(trace.loss) is float
    assert trace["dh"].dtype == trace.output.dtype == np.float32
    assert "a changed run, in which trace.intervene has set numbers: 6 of f" in trace.to_html()


def test_the_mean_is_that_of_each_rows_own_steps():
    _, _, trace, _ = drawn("GRU", 2)
    changed = trace.intervene("z", "mean", unit=1)
    for row, length in ((0, 5), (1, 2)):
        expected = trace["z"][0, 0, row, :length, 1].mean()
        np.testing.assert_allclose(changed["z"][0, 0, row, :length, 1], expected, rtol=1e-14)
    assert not changed["z"][0, 0, 1, 2:].any()


@pytest.mark.parametrize("make", [nb.SequenceTagger, nb.SequenceClassifier])
@pytest.mark.parametrize("options", [{}, {"head": "crf"}, {"cell": "gru"}, {"pooling": "max"}])
def test_a_models_labels_and_loss_are_those_of_the_changed_states(make, options):
    if (make is nb.SequenceTagger) == ("pooling" in options) or (make is nb.SequenceClassifier and "head" in options):
        return
    model = make(6, 3, hidden_size=3, embedding_size=2, dtype=np.float64, rng=0, **options)
    ids, lengths = np.array([[1, 2, 3, 4], [4, 5, 0, 0]]), np.array([4, 2])
    target = ids % 3 if make is nb.SequenceTagger else np.array([1, 2])
    trace = nb.trace(model, ids, lengths, target=target)
    # to set h at all steps of all units to 0 is to have a last layer that puts out nothing
    changed = trace.intervene("h", 0).intervene("h", 0, direction="reverse")
    expected = np.broadcast_to(model.linear.params["b"], trace.output.shape).copy()
    if make is nb.SequenceTagger:
        expected[1, 2:] = 0
    assert_close(changed.output, expected)
    loss, _ = model.head.loss_forward(expected, target, lengths)
    assert_close(changed.loss, loss)
    valid = np.arange(4) < lengths[:, None] if make is nb.SequenceTagger else ...
    assert "head" in options or (changed.predicted == expected.argmax(axis=-1))[valid].all()
    assert not changed.dx.any()
    assert changed.influence().max() == 0
    again = trace.intervene("h", 0.3, unit=1, steps=[1, 2], row=0)
    if "head" not in options and make is nb.SequenceTagger:
        assert_close(again.loss, softmax_cross_entropy_forward(again.output, target, lengths)[0])
    assert again.dx.shape == trace.dx.shape


def test_the_equations_say_what_is_set():
    model = nb.SequenceTagger(6, 3, hidden_size=3, embedding_size=2, dtype=np.float64, rng=0)
    trace = nb.trace(model, [1, 2, 3], target=[0, 1, 2]).intervene("f", 0.25, unit=1, steps=1)
    text = str(trace.explain(step=1, unit=1))
    assert "set, whatever the equation says" in text
    assert "= 0.2500" in text
    assert "nothing passes back through what is set" in text
    assert "set" not in str(trace.explain(step=1, unit=0))
    assert trace.flow().forget[0, 0, 0, 1] == pytest.approx(0.25 * trace["f"][0, 0, 0, 2, 1])


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (["a_i"], {}, "name is 'a_i'; it needs one of i, f, g, o, c, h"),
        (["f", "median"], {}, """to is 'median'; it needs a number, or "mean\""""),
        (["f", True], {}, "to is True; it needs a number"),
        (["f", np.nan], {}, "to is nan; it needs a number that is finite in float32"),
        (["f", 1e39], {}, "to is 1e+39; it needs a number that is finite in float32"),
        (["f", -(10**400)], {}, "000; it needs a number that is finite in float32"),
        ([np.array(["f", "i"])], {}, "it needs one of i, f, g, o, c, h"),
        (["f"], {"unit": 3}, "unit is 3; f has 3 units, 0 to 2"),
        (["f"], {"unit": "a"}, "unit is 'a'; it needs an integer"),
        (["f"], {"unit": []}, "unit is empty; it needs at least one"),
        (["f"], {"steps": [True, False, True]}, "steps is True; it needs an integer"),  # a mask, not steps 1, 0, 1
        (["f"], {"steps": np.array(0.0)}, "steps is array(0.); it needs an integer"),
        (["f"], {"steps": [0, 9]}, "steps is 9; the trace has 3 steps"),
        (["f"], {"layer": 1}, "layer is 1; the trace has 1 layer, 0 alone"),
        (["f"], {"direction": "back"}, "direction is 'back'; it needs 'forward' or 'reverse'"),
        (["f"], {"direction": np.array(["back", "forward"])}, "it needs 'forward' or 'reverse'"),
        (["f"], {"row": 1}, "row is 1; the trace has 1 row, 0 alone"),
    ],
)
def test_what_cannot_be_set_is_said(arguments, options, words):
    trace = nb.trace(nb.BiLSTM(1, 3, rng=0), np.ones((1, 3, 1), np.float32))
    with pytest.raises((TypeError, ValueError)) as caught:
        trace.intervene(*arguments, **options)
    assert words in str(caught.value)


@pytest.mark.parametrize("steps", [1, np.array(1), [1], np.array([1]), range(1, 2), (1 for _ in range(1))])
def test_a_step_may_come_alone_or_among_others_in_any_form(steps):
    trace = nb.trace(nb.LSTM(1, 3, rng=0), np.ones((1, 3, 1), np.float32))
    changed = trace.intervene("f", 2, unit=np.array(0), steps=steps)
    assert np.argwhere(changed["f"] == 2).tolist() == [[0, 0, 0, 1, 0]]

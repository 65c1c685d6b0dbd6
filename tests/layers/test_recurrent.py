"""What every recurrent layer must do, for every option."""

import threading

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.commands.checks import CHECKS
from npbilstm.layers.initialisation import orthogonal
from npbilstm.textbook import LSTMParams, flip, lstm_backward, lstm_forward
from tests.cases import assert_all_close, assert_close

N, T, D, H = 3, 5, 3, 4
MERGES = ["concat", "sum", "mul", "ave", None]


def make_layer(num_layers=1, seed=0, **options) -> nb.LSTM:
    """Weights of about 0.5, biases included: fresh ones are too kind to mistakes."""
    layer = nb.LSTM(D, H, num_layers, dtype=np.float64, rng=seed, **options)
    rng = np.random.default_rng(seed)
    return layer.with_params({name: 0.5 * rng.standard_normal(p.shape) for name, p in layer.params.items()})


def make_inputs(layer, lengths=(5, 2, 0), seed=1):
    rng = np.random.default_rng(seed)
    S = layer.num_layers * len(layer.directions)
    n = len(lengths)
    x, h_0, c_0, dh, dc = (0.5 * rng.standard_normal(s) for s in [(n, T, D), *[(S, n, H)] * 4])
    dy = [0.5 * rng.standard_normal((n, T, H)) for _ in range(2)]
    if layer.merge is not None or len(layer.directions) == 1:
        dy = 0.5 * rng.standard_normal((n, T, layer.features(layer.num_layers - 1)))
    return x, np.array(lengths), (h_0, c_0), dy, (dh, dc)


def run(layer, inputs, **options):
    x, lengths, state, dy, dstate = inputs
    y, final, cache = layer.forward(x, lengths, state, training=True, **options)
    return (y, final), layer.backward(dy, cache, dstate)


def as_list(y):
    return list(y) if isinstance(y, tuple) else [y]


@st.composite
def layers(draw):
    bidirectional = draw(st.booleans())
    return make_layer(
        draw(st.integers(1, 3)),
        bidirectional=bidirectional,
        merge=draw(st.sampled_from(MERGES)) if bidirectional else "concat",
        bias=draw(st.booleans()),
        seed=draw(st.integers(0, 99)),
    )


def by_textbook(layer, inputs):
    """The stack put together from the textbook's one-direction LSTM: merges and their gradients by their definition."""
    x, lengths, (h_0, c_0), dy, (dh_n, dc_n) = inputs
    S, merge = len(layer.directions), layer.merge
    outs, caches, finals = [], [], []
    for k in range(layer.num_layers):
        halves = []
        for s, direction in enumerate(layer.directions):
            p = {name: layer.params.get(f"{k}.{direction}.{name}", np.zeros(4 * H)) for name in ("Wx", "Wh", "b")}
            way = (lambda a: flip(a, lengths)) if s else (lambda a: a)
            h, h_T, c_T, cache = lstm_forward(way(x), h_0[k * S + s], c_0[k * S + s], LSTMParams(**p), lengths)
            halves.append(way(h))
            caches.append((cache, way))
            finals.append((h_T, c_T))
        outs.append(halves)
        x = joined(halves, merge, last=k == layer.num_layers - 1)
    y = x
    grads, dstates = {}, [None] * len(finals)
    for k in reversed(range(layer.num_layers)):
        dx = 0
        for s, direction in enumerate(layer.directions):
            cache, way = caches[k * S + s]
            dh = split(dy, outs[k], s, merge, last=k == layer.num_layers - 1)
            dx_s, dh0, dc0, g = lstm_backward(way(dh), dh_n[k * S + s], dc_n[k * S + s], cache)
            dx = dx + way(dx_s)
            dstates[k * S + s] = (dh0, dc0)
            grads.update({f"{k}.{direction}.{n}": v for n, v in g._asdict().items()})
        dy = dx
    grads = {name: grads[name] for name in layer.params}
    h_n, c_n = (np.stack(part) for part in zip(*finals))
    dh_0, dc_0 = (np.stack(part) for part in zip(*dstates))
    return (y, (h_n, c_n)), (dy, grads, (dh_0, dc_0))


def joined(halves, merge, last):
    if len(halves) == 1:
        return halves[0]
    if merge is None and last:
        return tuple(halves)
    f, r = halves
    return {"sum": f + r, "mul": f * r, "ave": (f + r) / 2}.get(merge, np.concatenate(halves, axis=2))


def split(dy, halves, s, merge, last):
    if len(halves) == 1:
        return dy
    if merge is None and last:
        return dy[s]
    by_definition = {"sum": lambda: dy, "mul": lambda: dy * halves[1 - s], "ave": lambda: dy / 2}
    return by_definition.get(merge, lambda: dy[:, :, s * H : (s + 1) * H])()


@given(layers(), st.lists(st.integers(0, T), min_size=1, max_size=4))
def test_the_layer_equals_the_textbook_for_every_option(layer, lengths):
    inputs = make_inputs(layer, lengths)
    assert_all_close(run(layer, inputs), by_textbook(layer, inputs))


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("method", ["complex", "central"])
def test_every_gradient_agrees_with_numerical_derivatives(name, method):
    report = CHECKS[name](method=method)
    assert report.ok, report
    assert report.tolerance <= (1e-12 if method == "complex" else 1e-7)


@given(layers(), st.lists(st.integers(0, T), min_size=1, max_size=4), st.sampled_from([np.inf, np.nan, 7.0]))
@example(make_layer(bidirectional=True, merge="mul"), [5, 2, 0], np.inf)
def test_padding_content_never_matters(layer, lengths, junk):
    inputs = make_inputs(layer, lengths)
    padding = np.arange(T) >= inputs[1][:, None]
    reference = run(layer, inputs)
    x, dy = inputs[0].copy(), [part.copy() for part in as_list(tuple(inputs[3]) if layer.merge is None else inputs[3])]
    x[padding] = junk
    for part in dy:
        part[padding] = junk
    dy = dy if layer.merge is None and len(layer.directions) == 2 else dy[0]
    got = run(layer, (x, inputs[1], inputs[2], dy, inputs[4]))
    assert_all_close(got, reference, 0)
    assert not any(part[padding].any() for part in as_list(got[0][0]))
    assert not got[1][0][padding].any()


@given(layers(), st.lists(st.integers(1, T), min_size=2, max_size=4))
def test_a_padded_batch_equals_each_row_alone(layer, lengths):
    x, lengths, (h_0, c_0), dy, (dh, dc) = make_inputs(layer, lengths)
    (y, (h_n, c_n)), (dx, grads, (dh_0, dc_0)) = run(layer, (x, lengths, (h_0, c_0), dy, (dh, dc)))
    total = dict.fromkeys(grads, 0)
    for n, length in enumerate(lengths):
        row, steps = slice(n, n + 1), slice(0, length)
        alone = (
            x[row, steps],
            None,
            (h_0[:, row], c_0[:, row]),
            [part[row, steps] for part in dy] if isinstance(dy, list) else dy[row, steps],
            (dh[:, row], dc[:, row]),
        )
        (y_1, (h_1, c_1)), (dx_1, grads_1, (dh_1, dc_1)) = run(layer, alone)
        for part, part_1 in zip(as_list(y), as_list(y_1)):
            assert_close(part[row, steps], part_1)
        assert_all_close((h_n[:, row], c_n[:, row], dx[row, steps]), (h_1, c_1, dx_1))
        assert_all_close((dh_0[:, row], dc_0[:, row]), (dh_1, dc_1))
        total = {name: total[name] + g for name, g in grads_1.items()}
    assert_all_close(grads, total)


@pytest.mark.parametrize("merge", MERGES)
def test_tied_weights_on_reversed_input_swap_the_directions(merge):
    layer = make_layer(bidirectional=True, merge=merge)
    tied = layer.with_params({name: layer.params[name.replace("reverse", "forward")] for name in layer.params})
    x, lengths, (h_0, c_0), *_ = make_inputs(layer)
    y, (h_n, c_n), _ = tied.forward(x, lengths, (h_0, c_0))
    y_r, (h_r, c_r), _ = tied.forward(flip(x, lengths), lengths, (h_0[::-1], c_0[::-1]))
    if merge == "concat":
        y = np.concatenate([y[:, :, H:], y[:, :, :H]], axis=2)
    back = [flip(part, lengths) for part in as_list(y_r)]
    assert_all_close(back[::-1] if merge is None else back, as_list(y))
    assert_all_close((h_r, c_r), (h_n[::-1], c_n[::-1]))


def test_one_step_one_row_and_equal_lengths():
    layer = make_layer(2, bidirectional=True)
    for lengths in [(1,), (5, 5, 5), (1, 1)]:
        inputs = make_inputs(layer, lengths)
        assert_all_close(run(layer, inputs), by_textbook(layer, inputs))
    x, lengths, state, dy, dstate = make_inputs(layer, (5, 5))
    assert_all_close(run(layer, (x, None, state, dy, dstate)), run(layer, (x, lengths, state, dy, dstate)), 0)


@given(layers())
def test_inputs_are_unchanged_and_both_passes_repeat_exactly(layer):
    x, lengths, state, dy, dstate = make_inputs(layer)
    arrays = [x, lengths, *state, *as_list(tuple(dy) if isinstance(dy, list) else dy), *dstate, *layer.params.values()]
    copies = [array.copy() for array in arrays]
    y, final, cache = layer.forward(x, lengths, state, training=True)
    first, second = layer.backward(dy, cache, dstate), layer.backward(dy, cache, dstate)
    assert_all_close(second, first, 0)
    assert_all_close(layer.forward(x, lengths, state, training=True)[:2], (y, final), 0)
    assert all(np.array_equal(array, copy) for array, copy in zip(arrays, copies))


def test_two_threads_at_once_on_one_layer():
    layer = make_layer(2, bidirectional=True)
    inputs = [make_inputs(layer, seed=seed) for seed in range(2)]
    expected = [run(layer, each) for each in inputs]
    got = [[], []]

    def work(k):
        got[k] += [run(layer, inputs[k]) for _ in range(50)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(2):
        assert len(got[k]) == 50
        for each in got[k]:
            assert_all_close(each, expected[k], 0)


def test_two_caches_may_be_alive_at_once():
    layer = make_layer(2, bidirectional=True)
    one, two = make_inputs(layer, seed=1), make_inputs(layer, seed=2)
    expected = [run(layer, inputs)[1] for inputs in (one, two)]
    caches = [layer.forward(x, lengths, state, training=True)[2] for x, lengths, state, *_ in (one, two)]
    assert_all_close(layer.backward(one[3], caches[0], one[4]), expected[0], 0)
    assert_all_close(layer.backward(two[3], caches[1], two[4]), expected[1], 0)


def test_without_training_the_outputs_are_the_same_and_there_is_no_dropout():
    layer = make_layer(3, bidirectional=True, dropout=0.9)
    x, lengths, state, *_ = make_inputs(layer)
    plain = make_layer(3, bidirectional=True)
    assert_all_close(layer.forward(x, lengths, state)[:2], plain.forward(x, lengths, state, training=True)[:2], 0)


def test_dropout_acts_between_layers_only_and_keeps_the_mean():
    layer = make_layer(1, dropout=0.5)
    x = make_inputs(layer)[0]
    assert_close(layer.forward(x, training=True)[0], layer.forward(x)[0], 0)
    deep = nb.LSTM(D, H, 2, dropout=0.25, rng=0)
    masks = deep.forward(np.ones((500, T, D), np.float32), training=True)[2].levels[1].scaled_mask
    assert set(np.unique(masks)) == {0, np.float32(1 / 0.75)}
    assert abs(masks.mean() - 1) < 0.02


def test_the_same_generator_draws_the_same_dropout():
    layer = make_layer(2, dropout=0.5)
    x = make_inputs(layer)[0]
    first, again, other = (layer.forward(x, training=True, rng=np.random.default_rng(s))[0] for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_absent_states_and_gradients_are_zeros():
    layer = make_layer(2, bidirectional=True)
    x, lengths, state, dy, _ = make_inputs(layer)
    zero = np.zeros_like(state[0])
    assert_all_close(
        run(layer, (x, lengths, None, dy, None)), run(layer, (x, lengths, (zero, zero), dy, (zero, zero))), 0
    )


def test_final_states_are_layer_major_forward_before_reverse():
    layer = make_layer(2, bidirectional=True)
    x, lengths, state, *_ = make_inputs(layer, (5, 3))
    y, (h_n, _), _ = layer.forward(x, lengths, state)
    assert h_n.shape == (4, 2, H)
    assert_close(h_n[2], y[[0, 1], [4, 2], :H])
    assert_close(h_n[3], y[:, 0, H:])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_work_is_done_in_the_dtype_of_the_params(dtype):
    layer = nb.BiLSTM(D, H, 2, dtype=dtype, rng=0)
    x, lengths, state, dy, dstate = make_inputs(layer)
    (y, final), (dx, grads, dfinal) = run(layer, (x, lengths, state, dy, dstate))
    assert {a.dtype for a in [y, *final, dx, *grads.values(), *dfinal]} == {np.dtype(dtype)}


def test_initialisation_is_as_documented():
    layer = nb.LSTM(6, 32, rng=0, dtype=np.float64)
    Wx, Wh, b = (layer.params[f"0.forward.{name}"] for name in ("Wx", "Wh", "b"))
    for gate in np.split(Wh, 4, axis=1):
        assert_close(gate @ gate.T, np.eye(32))
    r = np.sqrt(6 / (6 + 32))
    assert 0.9 * r < np.abs(Wx).max() <= r
    assert b.tolist() == [0] * 32 + [1] * 32 + [0] * 64
    torch = nb.LSTM(6, 64, init="torch", rng=0)
    assert all(0.9 / 8 < np.abs(p).max() <= 1 / 8 for p in torch.params.values())


def test_gates_and_directions_start_out_different():
    for init in ("orthogonal", "torch"):
        params = nb.BiLSTM(6, 32, init=init, rng=0).params
        blocks = [gate.ravel() for name, p in params.items() if "W" in name for gate in np.split(p, 4, axis=1)]
        assert len({block.tobytes() for block in blocks}) == 16


def test_orthogonal_matrices_are_drawn_evenly_over_all_rotations():
    """Without its signs mended, QR prefers some: then the diagonal would not be centred."""
    rng = np.random.default_rng(0)
    diagonals = [np.diag(orthogonal(rng, 3, 3)) for _ in range(2000)]
    assert np.abs(np.mean(diagonals, axis=0)).max() < 0.05


def test_upstream_gradients_may_be_complex():
    layer = make_layer(2, bidirectional=True)
    x, lengths, state, dy, dstate = make_inputs(layer)
    _, _, cache = layer.forward(x, lengths, state, training=True)
    dx, grads, _ = layer.backward(1j * dy, cache, (1j * dstate[0], 1j * dstate[1]))
    real, real_grads, _ = layer.backward(dy, cache, dstate)
    assert_all_close((dx, grads), (1j * real, {name: 1j * g for name, g in real_grads.items()}))


def test_the_same_seed_gives_the_same_weights():
    one, same, other = (nb.BiLSTM(D, H, 2, rng=seed).params for seed in (0, 0, 1))
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not any(np.array_equal(one[name], other[name]) for name in one if not name.endswith(".b"))


def test_inference_keeps_nothing_that_grows_with_T():
    import tracemalloc

    layer = nb.LSTM(4, 32, rng=0)
    peaks = []
    for steps in (100, 1000):
        x = np.zeros((4, steps, 4), np.float32)
        layer.forward(x)
        tracemalloc.start()
        y, _, cache = layer.forward(x)
        peaks.append(tracemalloc.get_traced_memory()[1] - y.nbytes)
        tracemalloc.stop()
        assert not cache.levels
    # what is left that grows is the order of steps, a few words each, far below a row of states
    assert peaks[1] - peaks[0] < 900 * 32 * 4 * 4


@given(st.integers(1, 8), st.booleans(), st.integers(0, 2**32 - 1))
def test_storing_states_at_intervals_changes_nothing_but_memory(store_every, bidirectional, seed):
    rng = np.random.default_rng(seed)
    x, lengths = rng.standard_normal((3, 6, 4)), rng.integers(0, 7, 3)
    results = []
    for k in (None, store_every):
        layer = nb.LSTM(4, 5, 2, bidirectional=bidirectional, store_every=k, dtype=np.float64, rng=seed)
        y, state, cache = layer.forward(x, lengths, training=True)
        results.append((y, state, layer.backward(np.ones_like(y), cache, state)))
    assert_all_close(results[1], results[0])


@pytest.mark.parametrize("store_every", [0, -1])
def test_an_interval_below_one_is_refused(store_every):
    with pytest.raises(ValueError, match=f"store_every is {store_every}; it needs to be at least 1"):
        nb.LSTM(2, 3, store_every=store_every)

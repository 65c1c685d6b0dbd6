"""What every recurrent layer must do, for every option."""

import threading

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.layers.initialisation import orthogonal
from npbilstm.textbook import flip
from tests.cases import assert_all_close, assert_close
from tests.layers.recurrent_cases import (
    KINDS,
    MERGES,
    D,
    H,
    N,
    T,
    as_list,
    by_textbook,
    kind_of,
    layers,
    make_inputs,
    make_layer,
    of_each,
    parts_of,
    run,
)

every_kind = pytest.mark.parametrize("kind", KINDS)


@given(layers(), st.lists(st.integers(0, T), min_size=1, max_size=4))
def test_the_layer_equals_the_textbook_for_every_option(layer, lengths):
    inputs = make_inputs(layer, lengths)
    assert_all_close(run(layer, inputs), by_textbook(layer, inputs))


@given(layers(), st.integers(0, 99))
def test_recurrent_dropout_is_the_textbooks_with_one_mask_a_row_layer_and_direction(layer, seed):
    layer.recurrent_dropout = 0.4
    inputs = make_inputs(layer)
    _, _, cache = layer.forward(*inputs[:3], training=True, rng=np.random.default_rng(seed))
    masks = [stack_layer.engine.layer.mask for stack_layer in cache.stack]
    shape = (len(layer.directions), N, layer.output_size)
    assert all(mask.shape == shape and set(np.unique(mask)) <= {0, 1 / 0.6} for mask in masks)
    assert_all_close(run(layer, inputs, rng=np.random.default_rng(seed)), by_textbook(layer, inputs, masks))


def test_recurrent_dropout_keeps_the_mean_and_draws_every_mask_anew():
    layer = nb.GRU(D, 50, 2, bidirectional=True, recurrent_dropout=0.25, rng=0)
    caches = [layer.forward(np.ones((50, 1, D), np.float32), training=True)[2] for _ in range(2)]
    masks = np.stack([stack_layer.engine.layer.mask for cache in caches for stack_layer in cache.stack])
    assert set(np.unique(masks)) == {0, np.float32(1 / 0.75)}
    assert abs(masks.mean() - 1) < 0.02
    assert len({mask.tobytes() for mask in masks.reshape(8, 50, 50)}) == 8
    state = layer.forward(np.ones((2, 4, D), np.float32))[1]
    assert_close(state, layer.with_params(layer.params).forward(np.ones((2, 4, D), np.float32))[1], 0)


@given(layers())
def test_one_sequence_without_its_batch_is_a_batch_of_one(layer):
    x, _, state, dy, dstate = make_inputs(layer, (5,))
    (y, final), (dx, grads, dstate_0) = run(layer, (x, None, state, dy, dstate))
    dy_alone = [part[0] for part in dy] if isinstance(dy, list) else dy[0]
    alone = (x[0], None, of_each(state, lambda part: part[:, 0]), dy_alone, of_each(dstate, lambda part: part[:, 0]))
    (y_1, final_1), (dx_1, grads_1, dstate_1) = run(layer, alone)
    for part, part_1 in zip(as_list(y), as_list(y_1)):
        assert_close(part_1, part[0], 0)
    assert_close(dx_1, dx[0], 0)
    assert_all_close(grads_1, grads, 0)
    assert_all_close(final_1, of_each(final, lambda part: part[:, 0]), 0)
    assert_all_close(dstate_1, of_each(dstate_0, lambda part: part[:, 0]), 0)
    assert_all_close(layer.forward(x[0])[0], layer.forward(x[0], state=None)[0], 0)


@given(layers(), st.lists(st.integers(0, T), min_size=2, max_size=3), st.integers(1, T))
def test_windows_with_the_state_carried_on_are_the_whole_where_nothing_is_cut(layer, lengths, size):
    """Of one direction: truncated BPTT with each gradient handed on is BPTT."""
    layer = make_layer(layer.num_layers, kind=kind_of(layer), bias=layer.bias)
    x, lengths, state, dy, dstate = inputs = make_inputs(layer, lengths)
    (y, final), (dx, grads, dstate_0) = run(layer, inputs)
    windows, ys = [], []
    for steps, window_lengths in nb.windows(T, size, lengths):
        y_window, state, cache = layer.forward(x[:, steps], window_lengths, state, training=True)
        windows.append((steps, cache))
        ys.append(y_window)
    assert_all_close((np.concatenate(ys, axis=1), state), (y, final))
    dxs, totals = [], dict.fromkeys(grads, 0)
    for steps, cache in reversed(windows):
        dx_window, grads_window, dstate = layer.backward(dy[:, steps], cache, dstate)
        dxs.insert(0, dx_window)
        totals = {name: totals[name] + g for name, g in grads_window.items()}
    assert_all_close((np.concatenate(dxs, axis=1), totals, dstate), (dx, grads, dstate_0))


@pytest.mark.few(1)
@every_kind
def test_a_cut_between_windows_takes_the_state_as_a_constant(kind):
    layer = make_layer(2, kind=kind)
    x, lengths, state_0, dy, _ = make_inputs(layer, (5, 3, 1))
    states, totals = [state_0], dict.fromkeys(layer.params, 0)
    for steps, window_lengths in nb.windows(T, 2, lengths):
        _, state, cache = layer.forward(x[:, steps], window_lengths, states[-1], training=True)
        _, grads, cut = layer.backward(dy[:, steps], cache)
        assert all(part.any() for part in parts_of(cut))  # what the cut leaves out
        totals = {name: totals[name] + g for name, g in grads.items()}
        states.append(state)

    def loss(params):
        used, total = layer.with_params(params), 0
        for (steps, window_lengths), state in zip(nb.windows(T, 2, lengths), states):
            total += (used.forward(x[:, steps], window_lengths, state)[0] * dy[:, steps]).sum()
        return total

    report = nb.check_gradients(loss, layer.params, totals, entries=10)
    assert report.ok, report
    _, grads, _ = layer.backward(dy, layer.forward(x, lengths, state_0, training=True)[2])
    assert not nb.check_gradients(loss, layer.params, grads, entries=3).ok


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
    x, lengths, state, dy, dstate = make_inputs(layer, lengths)
    (y, final), (dx, grads, dstate_0) = run(layer, (x, lengths, state, dy, dstate))
    total = dict.fromkeys(grads, 0)
    for n, length in enumerate(lengths):
        row, steps = slice(n, n + 1), slice(0, length)
        alone = (
            x[row, steps],
            None,
            of_each(state, lambda part: part[:, row]),  # noqa: B023
            [part[row, steps] for part in dy] if isinstance(dy, list) else dy[row, steps],
            of_each(dstate, lambda part: part[:, row]),  # noqa: B023
        )
        (y_1, final_1), (dx_1, grads_1, dstate_1) = run(layer, alone)
        for part, part_1 in zip(as_list(y), as_list(y_1)):
            assert_close(part[row, steps], part_1)
        assert_close(dx[row, steps], dx_1)
        for whole, one in [(final, final_1), (dstate_0, dstate_1)]:
            assert_all_close([part[:, row] for part in parts_of(whole)], parts_of(one))
        total = {name: total[name] + g for name, g in grads_1.items()}
    assert_all_close(grads, total)


@every_kind
@pytest.mark.parametrize("merge", MERGES)
def test_tied_weights_on_reversed_input_swap_the_directions(merge, kind):
    layer = make_layer(bidirectional=True, merge=merge, kind=kind)
    tied = layer.with_params({name: layer.params[name.replace("reverse", "forward")] for name in layer.params})
    x, lengths, state, *_ = make_inputs(layer)
    y, final, _ = tied.forward(x, lengths, state)
    y_r, final_r, _ = tied.forward(flip(x, lengths), lengths, of_each(state, lambda part: part[::-1]))
    if merge == "concat":
        y = np.concatenate([y[:, :, H:], y[:, :, :H]], axis=2)
    back = [flip(part, lengths) for part in as_list(y_r)]
    assert_all_close(back[::-1] if merge is None else back, as_list(y))
    assert_all_close(final_r, of_each(final, lambda part: part[::-1]))


@every_kind
def test_one_step_one_row_and_equal_lengths(kind):
    layer = make_layer(2, bidirectional=True, kind=kind)
    for lengths in [(1,), (5, 5, 5), (1, 1)]:
        inputs = make_inputs(layer, lengths)
        assert_all_close(run(layer, inputs), by_textbook(layer, inputs))
    x, lengths, state, dy, dstate = make_inputs(layer, (5, 5))
    assert_all_close(run(layer, (x, None, state, dy, dstate)), run(layer, (x, lengths, state, dy, dstate)), 0)


@given(layers())
def test_inputs_are_unchanged_and_both_passes_repeat_exactly(layer):
    x, lengths, state, dy, dstate = make_inputs(layer)
    arrays = [x, lengths, *parts_of(state), *(dy if isinstance(dy, list) else [dy]), *parts_of(dstate)]
    arrays += layer.params.values()
    copies = [array.copy() for array in arrays]
    y, final, cache = layer.forward(x, lengths, state, training=True)
    first, second = layer.backward(dy, cache, dstate), layer.backward(dy, cache, dstate)
    assert_all_close(second, first, 0)
    assert_all_close(layer.forward(x, lengths, state, training=True)[:2], (y, final), 0)
    assert all(np.array_equal(array, copy) for array, copy in zip(arrays, copies))


@pytest.mark.few(2)
@every_kind
def test_two_threads_at_once_on_one_layer(kind):
    layer = make_layer(2, bidirectional=True, kind=kind)
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


@every_kind
def test_two_caches_may_be_alive_at_once(kind):
    layer = make_layer(2, bidirectional=True, kind=kind)
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
    masks = deep.forward(np.ones((500, T, D), np.float32), training=True)[2].stack[1].scaled_mask
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


@every_kind
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_work_is_done_in_the_dtype_of_the_params(dtype, kind):
    make, own = KINDS[kind]
    layer = make(
        D, H, 2, bidirectional=True, dropout=0.1, input_dropout=0.1, recurrent_dropout=0.1, dtype=dtype, rng=0, **own
    )
    (y, final), (dx, grads, dstate_0) = run(layer, make_inputs(layer))
    arrays = [y, *parts_of(final), dx, *grads.values(), *parts_of(dstate_0)]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


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


@every_kind
def test_upstream_gradients_may_be_complex(kind):
    layer = make_layer(2, bidirectional=True, kind=kind)
    x, lengths, state, dy, dstate = make_inputs(layer)
    _, _, cache = layer.forward(x, lengths, state, training=True)
    dx, grads, _ = layer.backward(1j * dy, cache, of_each(dstate, lambda part: 1j * part))
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
        assert not cache.stack
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

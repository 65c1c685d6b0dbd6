"""Where PyTorch, Keras, ONNX and this package differ: each row of tutorials/guides/peers.md, run.

The numbers come from one unit, h = relu(x + h / 2 + b), so that they can be followed by hand.
"""

import re
from pathlib import Path

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.interop import from_keras, from_pytorch, to_keras, to_pytorch
from npbilstm.interop.onnx_weights import to_node
from tests.cases import assert_all_close, assert_close
from tests.interop.drawing import with_random_weights
from tests.oracles.peers import arrays, keras_of, onnx_node, torch_peer, valid

torch = pytest.importorskip("torch", reason="torch is not installed (group oracles)")
keras = pytest.importorskip("keras", reason="keras is not installed (group oracles)")
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # how Keras reads PyTorch's tensors

PAGE = Path(__file__).parents[2] / "tutorials" / "guides" / "peers.md"

X = np.array([[[1], [2], [4]]], np.float32)  # (1, 3, 1)
PADDED = np.array([[[1], [2], [4], [0], [0]]], np.float32)  # the same, padded to 5 steps
FORWARD, REVERSE = [1, 2.5, 5.25], [3, 4, 4]
"""What one unit makes of X without a bias, see the page."""


def one_unit(bias=0.0, bidirectional=True):
    """h = relu(x + h / 2 + bias), the same in both directions."""
    layer = nb.RNN(1, 1, nonlinearity="relu", bidirectional=bidirectional)
    values = {"Wx": 1, "Wh": 0.5, "b": bias}
    return layer.with_params({name: np.full_like(p, values[name.split(".")[-1]]) for name, p in layer.params.items()})


def packed(x, lengths, **options):
    return pack_padded_sequence(torch.tensor(x), torch.tensor(lengths), batch_first=True, **options)


def unpacked(y, **options):
    return arrays(pad_packed_sequence(y, batch_first=True, **options)[0])


def test_the_reverse_directions_final_state_is_not_in_the_last_output():
    layer = one_unit()
    y, h_n, _ = layer.forward(X)
    assert_close(y[0], np.transpose([FORWARD, REVERSE]))
    assert_close(h_n[:, 0, 0], [5.25, 3])
    assert_close(y[0, -1], [5.25, 4])
    assert_all_close(arrays(torch_peer(layer)(torch.tensor(X))), [y, h_n])
    assert_all_close(arrays(keras_of(layer)(torch.tensor(X))), [y, *h_n])


def test_states_are_stacked_in_pytorch_and_here_and_one_by_one_in_keras():
    layer = with_random_weights(nb.BiLSTM(3, 4, rng=0), 0)
    x = np.random.default_rng(0).standard_normal((5, 7, 3)).astype("f4")
    y, (h_n, c_n), _ = layer.forward(x)
    assert h_n.shape == (2, 5, 4)  # whatever batch_first says of x
    assert_all_close(arrays(torch_peer(layer)(torch.tensor(x))), [y, [h_n, c_n]], 1e-6)
    assert_all_close(arrays(keras_of(layer)(torch.tensor(x))), [y, h_n[0], c_n[0], h_n[1], c_n[1]], 1e-6)


def test_keras_returns_the_final_h_alone_unless_asked_for_sequences():
    layer = one_unit()
    assert_close(arrays(keras_of(layer, return_sequences=False, return_state=False)(torch.tensor(X))), [[5.25, 3]])


def test_keras_go_backwards_is_not_put_back_in_time_order():
    layer = one_unit(bidirectional=False)
    y = keras_of(layer, go_backwards=True, return_state=False)(torch.tensor(X))
    assert_close(arrays(y)[0, :, 0], REVERSE[::-1])
    reverse = from_keras(to_keras(layer), "rnn", activation="relu", reverse=True)
    assert_close(reverse.forward(X)[0][0, :, 0], REVERSE)


def test_pytorch_takes_the_first_axis_for_time_unless_told():
    layer = one_unit(bidirectional=False)
    y, _ = torch_peer(layer, batch_first=False)(torch.tensor(X.repeat(2, axis=0)))
    assert_close(arrays(y)[:, :, 0], [[1, 2, 4], [1.5, 3, 6]])  # two time steps of three rows, and no error
    y, _, _ = layer.forward(X.repeat(2, axis=0))
    assert_close(y[:, :, 0], [FORWARD, FORWARD])


def test_keras_refuses_one_sequence_without_its_batch():
    layer = one_unit()
    y, h_n, _ = layer.forward(X[0])
    assert (y.shape, h_n.shape) == ((3, 2), (2, 1))
    assert_all_close(arrays(torch_peer(layer)(torch.tensor(X[0]))), [y, h_n])
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        keras_of(layer)(torch.tensor(X[0]))


def test_no_time_steps_at_all_pass_here_alone():
    layer, nothing = one_unit(), X[:, :0]
    y, h_n, _ = layer.forward(nothing, state=np.array([[[7]], [[8]]], "f4"))
    assert (y.shape, h_n.ravel().tolist()) == ((1, 0, 2), [7, 8])
    with pytest.raises(RuntimeError, match="Expected sequence length to be larger than 0"):
        torch_peer(layer)(torch.tensor(nothing))
    with pytest.raises(IndexError, match="index 0 is out of bounds"):
        keras_of(layer)(torch.tensor(nothing))


def test_a_reverse_pass_reads_the_padding_first_where_nobody_gives_lengths():
    layer = one_unit(bias=1.0)
    expected = [4.9375, 5.875, 5.75, 1.5, 1]
    for y in (layer.forward(PADDED)[0], *(arrays(f(layer)(torch.tensor(PADDED))[0]) for f in (torch_peer, keras_of))):
        assert_close(y[0, :, 1], expected)
    true = [4.75, 5.5, 5, 0, 0]
    assert_close(layer.forward(PADDED, [3])[0][0, :, 1], true)
    assert_close(arrays(keras_of(layer)(torch.tensor(PADDED), mask=valid([3], 5))[0])[0, :, 1], true)
    assert_close(unpacked(torch_peer(layer)(packed(PADDED, [3]))[0], total_length=5)[0, :, 1], true)


def test_zero_biases_and_zero_padding_hide_a_reverse_pass_over_padding():
    for make, hidden in ((nb.LSTM, True), (nb.GRU, True), (nb.RNN, True), (lambda *_, **__: one_unit(bias=1.0), False)):
        layer = make(1, 1, bidirectional=True, rng=0)
        with_lengths = layer.forward(PADDED, [3])[0][:, :3, 1]
        for y in (layer.forward(PADDED)[0], arrays(keras_of(layer)(torch.tensor(PADDED)))[0]):
            assert np.allclose(y[:, :3, 1], with_lengths, atol=1e-6) is hidden


def test_keras_repeats_the_last_output_at_padded_steps_of_one_direction():
    layer, both = one_unit(bidirectional=False), one_unit()
    mask = valid([3], 5)
    y, _ = arrays(keras_of(layer)(torch.tensor(PADDED), mask=mask))
    assert_close(y[0, :, 0], [1, 2.5, 5.25, 5.25, 5.25])
    y, h = arrays(keras_of(layer, zero_output_for_mask=True)(torch.tensor(PADDED), mask=mask))
    zeros = [1, 2.5, 5.25, 0, 0]
    assert_close(y[0, :, 0], zeros)
    assert h == 5.25
    assert_close(arrays(keras_of(both)(torch.tensor(PADDED), mask=mask))[0][0, :, 0], zeros)
    assert_close(layer.forward(PADDED, [3])[0][0, :, 0], zeros)
    assert_close(unpacked(torch_peer(layer)(packed(PADDED, [3]))[0], total_length=5)[0, :, 0], zeros)


def test_pytorch_refuses_a_row_of_length_0_and_keras_and_we_hold_its_state():
    layer, x, lengths = one_unit(), X.repeat(2, axis=0), [3, 0]
    with pytest.raises(RuntimeError, match="Length of all samples has to be greater than 0"):
        packed(x, lengths)
    h_0 = np.array([[[1], [7]], [[2], [8]]], "f4")  # (S, N, H)
    y, h_n, _ = layer.forward(x, lengths, h_0)
    assert not y[1].any()
    assert_close(h_n[:, 1], h_0[:, 1])
    theirs = keras_of(layer)(torch.tensor(x), mask=valid(lengths, 3), initial_state=list(torch.tensor(h_0)))
    assert_all_close(arrays(theirs), [y, *h_n])


def test_pytorch_cuts_its_output_to_the_longest_row_unless_told():
    layer, lengths = one_unit(), [3, 2]
    x = PADDED.repeat(2, axis=0)
    y = torch_peer(layer)(packed(x, lengths))[0]
    assert unpacked(y).shape == (2, 3, 2)
    assert unpacked(y, total_length=5).shape == (2, 5, 2)
    assert layer.forward(x, lengths)[0].shape == (2, 5, 2)


def test_pytorch_wants_the_rows_sorted_by_length_unless_told():
    layer, lengths = one_unit(bias=1.0), [2, 3]
    x = X.repeat(2, axis=0)
    with pytest.raises(RuntimeError, match="must be sorted in decreasing order"):
        packed(x, lengths)
    y, h_n = torch_peer(layer)(packed(x, lengths, enforce_sorted=False))
    expected, h, _ = layer.forward(x, lengths)
    assert_all_close([unpacked(y), arrays(h_n)], [expected, h])


def test_a_keras_mask_may_have_holes():
    layer = one_unit(bidirectional=False)
    holed = np.array([[[1], [9], [2], [4]]], "f4")
    y, h = arrays(keras_of(layer)(torch.tensor(holed), mask=torch.tensor([[True, False, True, True]])))
    assert_close(y[0, :, 0], [1, 1, 2.5, 5.25])  # as if the 9 were not there
    assert h == 5.25


def test_nan_in_the_padding_reaches_keras_gradients_alone():
    layer, x = nb.BiLSTM(1, 2, rng=0), PADDED.copy()
    x[:, 3:] = np.nan
    y, _, cache = layer.forward(x, [3], training=True)
    dx, grads, _ = layer.backward(np.ones_like(y), cache)
    assert all(np.isfinite(g).all() for g in (dx, *grads.values()))
    peer = torch_peer(layer)
    pad_packed_sequence(peer(packed(x, [3]))[0])[0].sum().backward()
    assert all(p.grad.isfinite().all() for p in peer.parameters())
    peer = keras_of(layer, return_state=False)
    y = peer(torch.tensor(x), mask=valid([3], 5))
    assert y.isfinite().all()
    y.sum().backward()
    assert not any(w.value.grad.isfinite().all() for w in peer.weights)


def test_keras_mask_zero_takes_symbol_0_for_padding_wherever_it_stands():
    ids = torch.tensor([[3, 0, 1, 0]])
    assert keras.layers.Embedding(5, 2, mask_zero=True).compute_mask(ids).tolist() == [[True, False, True, False]]
    assert keras.layers.Embedding(5, 2).compute_mask(ids) is None


def gru(**options):
    return with_random_weights(nb.GRU(3, 4, rng=0, **options), 0)


def test_an_update_gate_of_1_keeps_the_old_state_in_all_four():
    layer = gru()
    layer.params["0.forward.b"][4:8] = 100.0  # z, of the blocks r, z, n
    x = np.random.default_rng(0).standard_normal((2, 5, 3)).astype("f4")
    h_0 = np.random.default_rng(1).standard_normal((1, 2, 4)).astype("f4")
    assert_close(layer.forward(x, state=h_0)[1], h_0, 1e-6)
    assert_close(arrays(torch_peer(layer)(torch.tensor(x), torch.tensor(h_0))[1]), h_0, 1e-6)
    assert_close(arrays(keras_of(layer)(torch.tensor(x), initial_state=torch.tensor(h_0[0]))[1]), h_0[0], 1e-6)
    theirs = onnx_node(layer, x.transpose(1, 0, 2), h_0=h_0, linear_before_reset=1)[1]
    assert_close(theirs, h_0, 1e-6)


def test_pytorch_and_keras_reset_after_the_product_and_onnx_before_it_unless_told():
    x = np.random.default_rng(0).standard_normal((2, 5, 3)).astype("f4")
    after = gru()
    y, h_n, _ = after.forward(x)
    assert torch.nn.GRU(3, 4).bias_hh_l0.shape == (12,)
    assert keras.layers.GRU(4).reset_after
    assert_all_close(arrays(torch_peer(after)(torch.tensor(x))), [y, h_n], 1e-6)
    assert_close(onnx_node(after, x.transpose(1, 0, 2), linear_before_reset=1)[1], h_n, 1e-6)
    assert np.abs(onnx_node(after, x.transpose(1, 0, 2))[1] - h_n).max() > 0.01  # PyTorch's weights, ONNX's default
    before = gru(reset_after=False)
    y, h_n, _ = before.forward(x)
    assert_close(onnx_node(before, x.transpose(1, 0, 2))[1], h_n, 1e-6)
    assert_close(arrays(keras_of(before)(torch.tensor(x))[0]), y, 1e-5)


def test_the_second_bias_matters_in_n_of_the_gru_alone():
    peer, x = torch_peer(gru()), torch.tensor(np.random.default_rng(0).standard_normal((2, 5, 3)).astype("f4"))
    expected = arrays(peer(x)[0])
    with torch.no_grad():
        for blocks, same in ((slice(0, 8), True), (slice(8, 12), False)):  # r and z, then n
            peer.bias_ih_l0[blocks] += peer.bias_hh_l0[blocks] + 1
            peer.bias_hh_l0[blocks] = -1
            assert np.allclose(arrays(peer(x)[0]), expected, atol=1e-6) is same


def test_a_projection_is_for_pytorchs_lstm_and_smaller_there():
    assert torch.nn.LSTM(3, 4, proj_size=2).weight_hr_l0.shape == (2, 4)
    assert nb.LSTM(3, 4, projection_size=6).forward(np.ones((1, 2, 3), "f4"))[0].shape == (1, 2, 6)
    with pytest.raises(ValueError, match="proj_size has to be smaller than hidden_size"):
        torch.nn.LSTM(3, 4, proj_size=4)
    with pytest.raises(ValueError, match="only supported for LSTM"):
        torch.nn.GRU(3, 4, proj_size=2)
    with pytest.raises((TypeError, ValueError), match="proj_size"):
        keras.layers.LSTM(4, proj_size=2)


def test_peepholes_and_coupled_gates_are_in_onnx_and_here():
    x = np.random.default_rng(0).standard_normal((2, 5, 3)).astype("f4")
    layer = with_random_weights(nb.LSTM(3, 4, peepholes=True, coupled=True, rng=0), 0)
    y, (h_n, _), _ = layer.forward(x)
    assert_all_close(onnx_node(layer, x.transpose(1, 0, 2), input_forget=1), [y.transpose(1, 0, 2)[:, None], h_n], 1e-6)
    for make, sizes in ((torch.nn.LSTM, (3, 4)), (keras.layers.LSTM, (4,))):
        with pytest.raises((TypeError, ValueError), match="peepholes"):
            make(*sizes, peepholes=True)


def test_onnx_is_time_first_and_keeps_the_directions_apart():
    y, h_n = onnx_node(one_unit(), X.transpose(1, 0, 2), activations=["Relu", "Relu"])
    assert y.shape == (3, 2, 1, 1)  # (T, S, N, H)
    assert_close(y[:, :, 0, 0], np.transpose([FORWARD, REVERSE]))
    assert_close(h_n[:, 0, 0], [5.25, 3])


def test_onnxruntime_forgets_the_initial_state_of_a_row_of_length_0():
    layer, h_0 = one_unit(), np.array([[[1], [7]], [[2], [8]]], "f4")
    x = X.repeat(2, axis=0)
    _, h_n = onnx_node(layer, x.transpose(1, 0, 2), [3, 0], h_0, activations=["Relu", "Relu"])
    assert not h_n[:, 1].any()
    assert_close(layer.forward(x, [3, 0], h_0)[1][:, 1], [[7], [8]])
    assert_close(layer.forward(x, [3, 0], h_0)[1][:, 0], h_n[:, 0])


def test_onnxruntime_runs_these_nodes_in_float32_alone():
    layer = nb.LSTM(3, 4, dtype=np.float64, rng=0)
    with pytest.raises(Exception, match="does not support double yet"):
        onnx_node(layer, np.ones((5, 2, 3)))


def test_keras_on_pytorch_falls_back_to_float32_under_a_mask():
    layer = with_random_weights(nb.LSTM(3, 4, dtype=np.float64, rng=0), 0)
    x = np.random.default_rng(0).standard_normal((2, 5, 3))
    y, peer = layer.forward(x)[0], keras_of(layer, dtype="float64", return_state=False)
    assert_close(arrays(peer(torch.tensor(x))), y, 1e-14)
    masked = arrays(peer(torch.tensor(x), mask=valid([5, 5], 5)))
    simple = with_random_weights(nb.RNN(3, 4, dtype=np.float64, rng=0), 0)
    unmasked = arrays(keras_of(simple, dtype="float64", return_state=False)(torch.tensor(x)))
    assert masked.dtype == unmasked.dtype == np.float64
    assert 1e-9 < np.abs(masked - y).max() < 1e-5
    assert 1e-9 < np.abs(unmasked - simple.forward(x)[0]).max() < 1e-5


def test_keras_and_we_open_a_fresh_forget_gate_and_pytorch_does_not():
    H = 50
    theirs = keras.layers.LSTM(H)
    theirs.build((None, None, 3))
    for b in (nb.LSTM(3, H).params["0.forward.b"], theirs.get_weights()[2]):
        assert_close(b, np.repeat([0, 1, 0, 0], H))
    torch.manual_seed(0)
    peer = torch.nn.LSTM(3, H)
    b = arrays(peer.bias_ih_l0 + peer.bias_hh_l0)
    assert 0 < np.abs(b).max() <= 2 / np.sqrt(H)
    assert abs(b[H : 2 * H].mean()) < 0.1


def test_keras_draws_all_gates_as_one_matrix_and_we_draw_each():
    H, D = 64, 10
    keras.utils.set_random_seed(0)
    peer = keras.layers.LSTM(H)
    peer.build((None, None, D))
    kernel, recurrent, _ = peer.get_weights()
    own = nb.LSTM(D, H, rng=0).params
    wide, narrow = np.sqrt(6 / (D + 4 * H)), np.sqrt(6 / (D + H))
    assert 0.95 * wide < np.abs(kernel).max() <= wide
    assert 0.95 * narrow < np.abs(own["0.forward.Wx"]).max() <= narrow
    assert_close(recurrent @ recurrent.T, np.eye(H), 1e-5)
    block = np.linalg.svd(recurrent[:, :H])[1]  # how much the input gate's own matrix stretches, and shrinks
    assert block[0] < 0.95
    assert block[-1] < 0.1
    assert_close(np.linalg.svd(own["0.forward.Wh"][:, :H])[1], np.ones(H), 1e-5)


def test_two_functions_are_called_hard_sigmoid():
    """At 1: 1/5 + 1/2 and 1/6 + 1/2. ONNX's slope is its node's attribute alpha, 0.2 unless told."""
    one = torch.tensor(1.0)
    assert_close(float(keras.activations.hard_sigmoid(one)), 2 / 3, 1e-6)
    assert_close(float(torch.nn.functional.hardsigmoid(one)), 2 / 3, 1e-6)
    assert_close(nb.textbook.hard_sigmoid_sixth(np.array(1.0)), 2 / 3)
    onnx = pytest.importorskip("onnx", reason="onnx is not installed (group oracles)")
    assert_close(onnx.defs.get_schema("HardSigmoid").attributes["alpha"].default_value.f, 0.2, 1e-7)
    assert_close(nb.textbook.hard_sigmoid(np.array(1.0)), 0.7)


def test_with_sgd_two_biases_move_twice_as_far():
    layer, (lr, dy) = one_unit(bidirectional=False), (0.125, np.ones((1, 3, 1), "f4"))
    peer = torch_peer(layer)
    optimizer = torch.optim.SGD(peer.parameters(), lr)
    peer(torch.tensor(X))[0].sum().backward()
    optimizer.step()
    _, _, cache = layer.forward(X, training=True)
    _, grads, _ = layer.backward(dy, cache)
    step = -lr * grads["0.forward.b"]
    assert len(keras_of(layer).get_weights()) == 3  # one bias, one step
    assert np.abs(step) > 0.1
    assert_close(arrays(peer.bias_ih_l0 + peer.bias_hh_l0), 2 * step)
    assert_close(from_pytorch(peer.state_dict(), nonlinearity="relu").params["0.forward.b"], 2 * step)


def passes_on(num_layers, **options):
    """Layers that put out what they read: h = relu(x)."""
    layer = nb.RNN(1, 1, num_layers, nonlinearity="relu", bias=False, **options)
    return layer.with_params({name: np.full_like(p, name.endswith("Wx")) for name, p in layer.params.items()})


def test_keras_drops_its_input_the_same_at_all_steps_and_pytorch_and_we_between_layers_step_by_step():
    x = np.ones((50, 6, 1), "f4")
    theirs = arrays(keras_of(passes_on(1), dropout=0.5, return_state=False)(torch.tensor(x), training=True))
    of_input, _, _ = passes_on(1, input_dropout=0.5, rng=0).forward(x, training=True)
    for y in (theirs, of_input):
        assert set(np.unique(y)) == {0, 2}
        assert (y == y[:, :1]).all()
    torch.manual_seed(0)
    deep = passes_on(2, dropout=0.5, rng=0)
    for y in (deep.forward(x, training=True)[0], arrays(torch_peer(deep, dropout=0.5)(torch.tensor(x))[0])):
        assert set(np.unique(y)) == {0, 2}
        assert not (y == y[:, :1]).all()
    assert_close(passes_on(1, dropout=0.5).forward(x, training=True)[0], x)  # what leaves the last layer stays whole


def test_a_dropped_input_is_dropped_for_both_directions_here_and_for_each_alone_in_keras():
    x = np.ones((50, 1, 1), "f4")
    layer = passes_on(1, bidirectional=True, input_dropout=0.5, rng=0)
    theirs = arrays(keras_of(layer, dropout=0.5, seed=0)(torch.tensor(x), training=True)[0])
    own, _, _ = layer.forward(x, training=True)
    for y, shared in ((own, True), (theirs, False)):
        forward, reverse = np.moveaxis(y, 2, 0)
        assert 0.2 < (forward == 0).mean() < 0.8
        assert (forward == reverse).all() == shared


def test_pytorch_warns_of_dropout_on_one_layer_and_we_do_not():
    with pytest.warns(UserWarning, match="non-zero dropout expects num_layers greater than 1"):
        torch.nn.LSTM(3, 4, dropout=0.5)
    nb.LSTM(3, 4, dropout=0.5)  # a warning would be an error in these tests


def test_a_fresh_pytorch_module_is_training_and_a_pass_of_ours_or_keras_is_not():
    x = np.ones((50, 6, 1), "f4")
    deep = passes_on(2, dropout=0.5, rng=0)
    peer = torch_peer(deep, dropout=0.5)
    assert (arrays(peer(torch.tensor(x))[0]) == 0).any()
    assert_close(arrays(peer.eval()(torch.tensor(x))[0]), x)
    assert_close(deep.forward(x)[0], x)
    plain = keras_of(passes_on(1), dropout=0.5, return_state=False, use_bias=False)
    assert_close(arrays(plain(torch.tensor(x))), x)


def test_recurrent_dropout_has_a_mask_for_each_gate_in_keras_and_one_for_all_here():
    """One step from h = 1, c = 0, with i and o open where h is kept, half closed where it is dropped, and g = 1."""
    N, h_0, c_0 = 64, np.ones((1, 64, 1), "f4"), np.zeros((1, 64, 1), "f4")
    layer = nb.LSTM(1, 1, recurrent_dropout=0.5, rng=0)
    weights = {"Wx": [[0, 0, 0, 0]], "Wh": [[5, 0, 0, 5]], "b": [0, 0, 50, 0]}
    layer = layer.with_params({f"0.forward.{name}": np.array(w, "f4") for name, w in weights.items()})
    x = np.zeros((N, 1, 1), "f4")
    _, own, _ = layer.forward(x, state=(h_0, c_0), training=True)
    peer = keras_of(layer, recurrent_dropout=0.5, seed=0)
    _, *theirs = peer(torch.tensor(x), initial_state=[torch.tensor(h_0[0]), torch.tensor(c_0[0])], training=True)
    for (h, c), shared in ((own, True), (arrays(theirs), False)):
        i_kept, o_kept = c.ravel() > 0.75, (h / np.tanh(c)).ravel() > 0.75
        assert 0.2 < i_kept.mean() < 0.8
        assert (i_kept == o_kept).all() == shared
    with pytest.raises((TypeError, ValueError), match="recurrent_dropout"):
        torch.nn.LSTM(1, 1, recurrent_dropout=0.5)


def test_the_gates_stand_in_another_order_in_onnx_and_in_kerass_gru():
    """Each gate's bias a number of its own: where do they go?"""
    lstm, of_gru = nb.LSTM(1, 1), nb.GRU(1, 1)
    lstm.params["0.forward.b"][:] = i, f, g, o = 1, 2, 3, 4
    of_gru.params["0.forward.b"][:] = r, z, n = 5, 6, 7
    assert to_pytorch(lstm)["bias_ih_l0"].tolist() == to_keras(lstm)[2].tolist() == [i, f, g, o]
    assert to_node(lstm, 0)["B"][0, :4].tolist() == [i, o, f, g]
    assert to_pytorch(of_gru)["bias_ih_l0"].tolist() == [r, z, n]
    assert to_keras(of_gru)[2][0].tolist() == to_node(of_gru, 0)["B"][0, :3].tolist() == [z, r, n]


def test_every_row_of_the_page_names_a_test_and_every_test_is_on_it():
    here = [name for name in globals() if name.startswith("test_") and "the_page" not in name]
    page = PAGE.read_text(encoding="utf-8")
    table = [row for row in page.split("## Where they differ")[1].splitlines() if row.startswith("|")]
    named = [re.findall(r"test_differences\.py::(test_\w+)", row) for row in table[2:]]
    assert sorted(named) == sorted([name] for name in here)

"""A layer says which gates its parameters are made of, so that a gradient check can name the gate."""

import numpy as np
import pytest

import npbilstm as nb


@pytest.mark.parametrize(
    ("layer", "gates"),
    [
        (nb.BiLSTM(2, 3, rng=0), {"Wx": "ifgo", "Wh": "ifgo", "b": "ifgo"}),
        (nb.LSTM(2, 3, peepholes=True, rng=0), {"Wx": "ifgo", "Wh": "ifgo", "b": "ifgo", "p": "ifo"}),
        (nb.LSTM(2, 3, coupled=True, peepholes=True, rng=0), {"Wx": "igo", "Wh": "igo", "b": "igo", "p": "io"}),
        (nb.GRU(2, 3, rng=0), {"Wx": "rzn", "Wh": "rzn", "b": "rzn"}),
        (nb.RNN(2, 3, rng=0), {}),
    ],
)
def test_the_blocks_divide_the_last_axis_into_gates_of_h_units(layer, gates):
    assert layer.blocks == {
        f"0.{way}.{name}": tuple(names) for way in layer.directions for name, names in gates.items()
    }
    for name, names in layer.blocks.items():
        assert layer.params[name].shape[-1] == len(names) * layer.hidden_size


def test_a_check_with_the_layers_blocks_names_the_gate_that_is_wrong():
    rng = np.random.default_rng(0)
    layer = nb.BiLSTM(2, 3, dtype=np.float64, rng=rng)
    x, dy = rng.standard_normal((2, 4, 2)), rng.standard_normal((2, 4, 6))
    _, _, cache = layer.forward(x, training=True)
    _, grads, _ = layer.backward(dy, cache)
    grads["0.reverse.Wh"][:, 3:6] *= 2  # the forget gate

    def loss(params):
        return (layer.with_params(params).forward(x, training=True)[0] * dy).sum()

    report = nb.check_gradients(loss, layer.params, grads, blocks=layer.blocks)
    wrong = [(row.name, row.block, row.flags) for row in report.rows if not row.ok]
    assert wrong == [("0.reverse.Wh", "f", ("constant ratio 2",))]

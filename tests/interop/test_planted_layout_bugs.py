"""Every mistake planted in a layout is seen, those that writer and reader share included."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.interop import keras, onnx_weights, parts, pytorch
from tests.interop.drawing import with_random_weights
from tests.interop.layouts import check_keras, check_onnx, check_pytorch
from tests.planting import planted, planted_below

PLAIN = [
    (nb.LSTM, {}),
    (nb.LSTM, {"bias": False}),
    (nb.GRU, {}),
    (nb.RNN, {"nonlinearity": "relu"}),
]
KINDS = {
    pytorch: (check_pytorch, [*PLAIN, (nb.LSTM, {"projection_size": 2})]),
    keras: (check_keras, [*PLAIN, (nb.GRU, {"reset_after": False})]),
    onnx_weights: (
        check_onnx,
        [
            *PLAIN,
            (nb.GRU, {"reset_after": False}),
            (nb.LSTM, {"peepholes": True}),
            (nb.LSTM, {"coupled": True, "peepholes": True}),
        ],
    ),
}

BUGS = {
    "PyTorch: Wx not transposed": (pytorch, '= transposed_copy(own["Wx"])', '= own["Wx"].copy()'),
    "PyTorch: half of the bias is lost": (
        pytorch,
        'state[f"bias_ih{end}"] = own["b"].copy()',
        'state[f"bias_ih{end}"] = own["b"] / 2',
    ),
    "PyTorch: the zero bias is another b": (pytorch, '= np.zeros_like(own["b"])', '= own["b"].copy()'),
    "PyTorch: b_hn added to the wrong block": (
        pytorch,
        '[2 * layer.hidden_size :] = own["b_hn"]',
        '[: layer.hidden_size] = own["b_hn"]',
    ),
    "PyTorch: b_hn not written": (pytorch, '[2 * layer.hidden_size :] = own["b_hn"]', "[2 * layer.hidden_size :] = 0"),
    "PyTorch: only bias_ih is read": (pytorch, "else b_ih + b_hh", "else b_ih.copy()"),
    "PyTorch: only bias_hh is read": (pytorch, "else b_ih + b_hh", "else b_hh.copy()"),
    "PyTorch: the GRU's n gets both biases": (pytorch, "params[name][2 * H :] = b_ih[2 * H :]", "pass"),
    "PyTorch: b_hn read off bias_ih": (pytorch, "b_hh[2 * H :].copy() if", "b_ih[2 * H :].copy() if"),
    "PyTorch: b_hn read off the first block": (pytorch, "b_hh[2 * H :].copy() if", "b_hh[:H].copy() if"),
    "PyTorch: directions share a name's end": (
        pytorch,
        '"_reverse" if direction == "reverse"',
        '"" if direction == "reverse"',
    ),
    "PyTorch: directions swapped": (
        pytorch,
        '"_reverse" if direction == "reverse"',
        '"_reverse" if direction == "forward"',
    ),
    "PyTorch: weights swapped": (
        pytorch,
        '{"Wx": "weight_ih", "Wh": "weight_hh"',
        '{"Wx": "weight_hh", "Wh": "weight_ih"',
    ),
    "PyTorch: the projection not transposed": (pytorch, '= transposed_copy(own["Wp"])', '= own["Wp"].copy()'),
    "Keras: the GRU's blocks as ours": (keras, '"gru": (1, 0, 2)', '"gru": (0, 1, 2)'),
    "Keras: the GRU's order is another": (keras, '"gru": (1, 0, 2)', '"gru": (2, 1, 0)'),
    "Keras: the LSTM's c and o swapped": (keras, '"lstm": (0, 1, 2, 3)', '"lstm": (0, 1, 3, 2)'),
    "Keras: the bias keeps our order": (keras, 'b = reordered(own["b"], order)', 'b = own["b"]'),
    "Keras: the two biases swapped": (keras, "np.stack([b, recurrent])", "np.stack([recurrent, b])"),
    "Keras: b_hn in the first block": (
        keras,
        'recurrent[2 * layer.hidden_size :] = own["b_hn"]',
        'recurrent[: layer.hidden_size] = own["b_hn"]',
    ),
    "Keras: recurrent biases of z and r forgotten": (keras, "bias[: 2 * H] + recurrent[: 2 * H]", "bias[: 2 * H]"),
    "Keras: b_hn read off the input bias": (keras, "= recurrent[2 * H :].copy()", "= bias[2 * H :].copy()"),
    "Keras: kernels swapped": (
        keras,
        '[reordered(own["Wx"], order), reordered(own["Wh"], order)]',
        '[reordered(own["Wh"], order), reordered(own["Wx"], order)]',
    ),
    "ONNX: the LSTM's blocks as ours": (onnx_weights, '"lstm": (0, 3, 1, 2)', '"lstm": (0, 1, 2, 3)'),
    "ONNX: the LSTM's order the wrong way round": (onnx_weights, '"lstm": (0, 3, 1, 2)', '"lstm": (0, 2, 3, 1)'),
    "ONNX: the LSTM's order not inverted": (
        onnx_weights,
        "w = reordered(w, BACK[cell])",
        "w = reordered(w, ORDER[cell])",
    ),
    "ONNX: the GRU's blocks as ours": (onnx_weights, '"gru": (1, 0, 2)', '"gru": (0, 1, 2)'),
    "ONNX: peepholes in our order": (
        onnx_weights,
        'own["p"], 2) if coupled else own["p"], (0, 2, 1))',
        'own["p"], 2) if coupled else own["p"], (0, 1, 2))',
    ),
    "ONNX: peepholes read in our order": (onnx_weights, 'node["P"][s], (0, 2, 1)', 'node["P"][s], (0, 1, 2)'),
    "ONNX: the coupled forget gate in the wrong place": (
        onnx_weights,
        "concatenate([i, -i, *others]",
        "concatenate([-i, i, *others]",
    ),
    "ONNX: another gate taken out": (onnx_weights, "i, _, *others = np.split", "i, *others, _ = np.split"),
    "ONNX: the two halves of B swapped": (onnx_weights, "np.concatenate([b, b_hh])", "np.concatenate([b_hh, b])"),
    "ONNX: only Wb is read": (onnx_weights, "b = b_ih + b_hh", "b = b_ih.copy()"),
    "ONNX: the GRU's h gets both biases": (onnx_weights, "b[-H:] = b_ih[-H:]", "pass"),
    "ONNX: b_hn in the first block": (onnx_weights, "b_hh[-layer.hidden_size :] =", "b_hh[: layer.hidden_size] ="),
    "ONNX: b_hn read off Wb": (onnx_weights, "= b_hh[-H:].copy()", "= b_ih[-H:].copy()"),
    "ONNX: every direction is the first": (onnx_weights, 'node["R"][s].T', 'node["R"][0].T'),
}


def is_right(module, changed):
    """Whether the checks of a layout pass for every kind of layer."""
    check, kinds = KINDS[module]
    try:
        for make, options in kinds:
            layer = make(3, 4, bidirectional=True, dtype=np.float64, rng=0, **options)
            check(changed, with_random_weights(layer, 1))
    except (AssertionError, ValueError, KeyError):
        return False
    return True


@pytest.mark.parametrize("module", KINDS)
def test_every_layout_as_it_is_is_right(module):
    assert is_right(module, module)


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_seen(bug):
    module, old, new = BUGS[bug]
    assert not is_right(module, planted(module, old, new))


@pytest.mark.parametrize("module", [keras, onnx_weights])
def test_blocks_in_the_wrong_order_are_seen_wherever_they_are_reordered(module):
    assert not is_right(module, *planted_below([module], parts, "[blocks[k] for k in order]", "blocks"))

"""Recurrent layers of every kind with weights that hide nothing, and the same stacks put together from the textbook."""

import numpy as np
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm import textbook
from npbilstm.layers.options import ACTIVATIONS, SIGMOIDS
from npbilstm.textbook import flip

N, T, D, H = 3, 5, 3, 4
MERGES: list = ["concat", "sum", "mul", "ave", None]
WAYS: list = [{}, {"reverse": True}, {"bidirectional": True}]
"""The options of one direction, of the other, and of both."""

STEPS = {
    "LSTM": ("lstm_variant_step", textbook.LSTMVariantParams),
    "GRU": ("gru_step", textbook.GRUParams),
    "GRU reset before": ("gru_reset_before_step", textbook.GRUResetBeforeParams),
    "RNN tanh": ("rnn_step", textbook.RNNParams),
    "RNN relu": ("rnn_relu_step", textbook.RNNParams),
}
"""The textbook's steps of each kind of layer, and their params."""

KINDS: dict = {
    "LSTM": (nb.LSTM, {}),
    "GRU": (nb.GRU, {}),
    "GRU reset before": (nb.GRU, {"reset_after": False}),
    "RNN tanh": (nb.RNN, {}),
    "RNN relu": (nb.RNN, {"nonlinearity": "relu"}),
}


def make_layer(num_layers=1, seed=0, kind="LSTM", **options) -> nb.layers.Recurrent:
    """Weights of about 0.5, biases included: fresh ones are too kind to mistakes."""
    make, own = KINDS[kind]
    layer = make(D, H, num_layers, dtype=np.float64, rng=seed, **own, **options)
    rng = np.random.default_rng(seed)
    return layer.with_params({name: 0.5 * rng.standard_normal(p.shape) for name, p in layer.params.items()})


def parts_of(state):
    return list(state) if isinstance(state, tuple) else [state]


def state_of(parts):
    return tuple(parts) if len(parts) == 2 else parts[0]


def of_each(state, change):
    """The state with a change made to each of its parts."""
    return state_of([change(part) for part in parts_of(state)])


def make_inputs(layer, lengths=(5, 2, 0), seed=1):
    rng = np.random.default_rng(seed)
    n = len(lengths)

    def draw(*shape):
        return 0.5 * rng.standard_normal(shape)

    x = draw(n, T, D)
    state, dstate = (state_of([draw(*shape) for shape in layer.state_shapes(n)]) for _ in range(2))
    dy = [draw(n, T, layer.output_size) for _ in range(2)]
    if layer.merge is not None or len(layer.directions) == 1:
        dy = draw(n, T, layer.features(layer.num_layers - 1))
    return x, np.array(lengths), state, dy, dstate


def run(layer, inputs, **options):
    x, lengths, state, dy, dstate = inputs
    y, final, cache = layer.forward(x, lengths, state, training=True, **options)
    return (y, final), layer.backward(dy, cache, dstate)


def as_list(y):
    return list(y) if isinstance(y, tuple) else [y]


@st.composite
def layers(draw):
    options, kind = dict(draw(st.sampled_from(WAYS))), draw(st.sampled_from(sorted(KINDS)))
    merge = draw(st.sampled_from(MERGES)) if "bidirectional" in options else "concat"
    if not kind.startswith("RNN"):
        names = st.sampled_from(ACTIVATIONS)
        gates = names.filter(lambda name: name != "relu")  # without a bound, a few steps leave the range of numbers
        options |= {"activation": draw(names), "recurrent_activation": draw(gates)}
    if kind == "LSTM":
        coupled = options["recurrent_activation"] in SIGMOIDS and draw(st.booleans())
        options |= {"peepholes": draw(st.booleans()), "coupled": coupled}
        options["projection_size"] = draw(st.none() | st.integers(1, 5))
    return make_layer(
        draw(st.integers(1, 3)),
        seed=draw(st.integers(0, 99)),
        kind=kind,
        merge=merge,
        bias=draw(st.booleans()),
        **options,
    )


def kind_of(layer):
    if isinstance(layer, nb.GRU):
        return "GRU" if layer.reset_after else "GRU reset before"
    return f"RNN {layer.nonlinearity}" if isinstance(layer, nb.RNN) else "LSTM"


def steps_of(layer):
    """The textbook's step, forward and backward, with the layer's activations; and the class of its params."""
    step, params = STEPS[kind_of(layer)]
    names = getattr(layer, "activation", "tanh"), getattr(layer, "recurrent_activation", "sigmoid")
    both = [getattr(textbook, f"{step}_{way}") for way in ("forward", "backward")]
    if names != ("tanh", "sigmoid"):
        both = [textbook.with_activations(one, *names) for one in both]
    return *both, params


def by_textbook(layer, inputs, masks=None, input_masks=None):
    """The stack put together from the textbook's cells: merges and their gradients by their definition. input_masks: of
    what each layer of the stack reads."""
    x, lengths, state, dy, dstate = inputs
    S, merge = len(layer.directions), layer.merge
    forward, backward, params = steps_of(layer)
    outs, caches, finals, dropped = [], [], [], []
    for k in range(layer.num_layers):
        halves = []
        if input_masks is not None:
            x, cache = textbook.dropout_over_time_forward(x, input_masks[k])
            dropped.append(cache)
        for s, direction in enumerate(layer.directions):
            prefix = f"{k}.{direction}."
            own = {name[len(prefix) :]: p for name, p in layer.params.items() if name.startswith(prefix)}
            zeros = {n: np.zeros(z) for n, z in layer._weight_shapes(x.shape[-1]).items() if n in ("b", "b_hn")}
            way = (lambda a: flip(a, lengths)) if direction == "reverse" else (lambda a: a)
            h, final, cache = textbook.recurrent_forward(
                forward,
                way(x),
                tuple(part[k * S + s] for part in parts_of(state)),
                params(**{**zeros, **own}),
                lengths,
                None if masks is None else masks[k][s],
            )
            halves.append(way(h))
            caches.append((cache, way))
            finals.append(final)
        outs.append(halves)
        x = joined(halves, merge, last=k == layer.num_layers - 1)
    y = x
    grads, dstates = {}, [None] * len(finals)
    for k in reversed(range(layer.num_layers)):
        dx = 0
        for s, direction in enumerate(layer.directions):
            cache, way = caches[k * S + s]
            dh = split(dy, outs[k], s, merge, last=k == layer.num_layers - 1)
            dfinal = tuple(part[k * S + s] for part in parts_of(dstate))
            dx_s, dstates[k * S + s], g = textbook.recurrent_backward(backward, way(dh), dfinal, cache)
            dx = dx + way(dx_s)
            grads.update({f"{k}.{direction}.{n}": v for n, v in g._asdict().items()})
        dy = textbook.dropout_over_time_backward(dx, dropped[k]) if dropped else dx
    grads = {name: grads[name] for name in layer.params}
    final, dstate_0 = (state_of([np.stack(part) for part in zip(*each)]) for each in (finals, dstates))
    return (y, final), (dy, grads, dstate_0)


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
    R = halves[0].shape[-1]
    by_definition = {"sum": lambda: dy, "mul": lambda: dy * halves[1 - s], "ave": lambda: dy / 2}
    return by_definition.get(merge, lambda: dy[:, :, s * R : (s + 1) * R])()

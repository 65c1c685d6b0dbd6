"""What happened at each step of a stack of layers, forward and back, against the steps of the textbook."""

import numpy as np
import pytest

from npbilstm import textbook
from npbilstm.layers.steps import backward_by_steps, forward_by_steps
from tests.cases import assert_all_close, assert_close
from tests.layers.recurrent_cases import KINDS, STEPS, WAYS, make_inputs, make_layer, parts_of

every_kind = pytest.mark.parametrize("kind", KINDS)
every_way = pytest.mark.parametrize("way", WAYS[1:], ids=["reverse", "both"])
every_lengths = pytest.mark.parametrize("lengths", [None, (5, 2, 0)])


def of_the_textbook(layer, kind, cache, x, state, lengths):
    """For each layer of the stack and each direction: the textbook's cache of its pass, and the flip that reads it."""
    step, params = STEPS[kind]
    for k, stack_layer in enumerate(cache.stack):
        directions = []
        for s, direction in enumerate(layer.directions):
            prefix = f"{k}.{direction}."
            own = {name.removeprefix(prefix): p for name, p in layer.params.items() if name.startswith(prefix)}
            way = (lambda a: textbook.flip(a, lengths)) if direction == "reverse" else (lambda a: a)
            start = tuple(part[k * len(layer.directions) + s] for part in parts_of(state))
            *_, steps = textbook.recurrent_forward(
                getattr(textbook, f"{step}_forward"), way(x), start, params(**own), lengths
            )
            directions.append((steps, way))
        yield directions
        x = stack_layer.y.reshape(*stack_layer.y.shape[:2], -1)


@every_kind
@every_lengths
@every_way
def test_every_layers_steps_are_those_of_the_textbook(way, kind, lengths):
    layer = make_layer(2, kind=kind, **way)
    x, _, state, *_ = make_inputs(layer)
    *_, cache = layer.forward(x, lengths, state, training=True)
    found = forward_by_steps(cache)
    for k, directions in enumerate(of_the_textbook(layer, kind, cache, x, state, lengths)):
        assert_close(found[k]["h"], cache.stack[k].y.transpose(2, 0, 1, 3), 0)
        for s, (book, way) in enumerate(directions):
            for name in set(found[k]) & set(book.steps[0]._fields):
                by_step = np.stack([getattr(step, name) for step in book.steps], axis=1)
                assert_close(found[k][name][s], way(np.where(book.valid[..., None], by_step, 0)))


@every_kind
@every_lengths
@every_way
def test_what_arrives_at_each_step_gives_the_gradients_by_the_textbooks_step(way, kind, lengths):
    layer = make_layer(2, kind=kind, **way)
    x, _, state, dy, dstate = make_inputs(layer)
    *_, cache = layer.forward(x, lengths, state, training=True)
    dx, found = backward_by_steps(layer, dy, cache, dstate)
    assert_all_close(dx, layer.backward(dy, cache, dstate)[0], 0)
    below = [dx, np.concatenate([*found[0]["dy"]], axis=2)]
    step_backward = getattr(textbook, f"{STEPS[kind][0]}_backward")
    for k, directions in enumerate(of_the_textbook(layer, kind, cache, x, state, lengths)):
        total = 0
        for s, (book, way) in enumerate(directions):
            arrived = {name: way(array[s]) for name, array in found[k].items()}
            dh, *others = (arrived[f"d{part}_next"] for part in layer.state_parts)
            dh = dh + arrived["dy"]
            dxs = [
                step_backward(dh[:, t], *(part[:, t] for part in others), step)[0] for t, step in enumerate(book.steps)
            ]
            total = total + way(np.stack(dxs, axis=1))
        assert_close(total, below[k])


@every_kind
def test_what_arrives_from_above_is_the_upstream_gradient_but_in_the_padding(kind):
    layer = make_layer(kind=kind)
    x, lengths, state, dy, _ = make_inputs(layer)
    *_, cache = layer.forward(x, lengths, state, training=True)
    _, (steps,) = backward_by_steps(layer, dy, cache)
    valid = textbook.valid_steps(lengths, x.shape[1])
    assert_close(steps["dy"], np.where(valid[..., None], dy, 0)[None], 0)
    assert set(steps) == {"dy", *(f"d{part}_next" for part in layer.state_parts)}

"""What is unpacked from a pass: the numbers of the textbook's step caches, under their names."""

import numpy as np
import pytest

from npbilstm import engine, textbook
from npbilstm.layers.steps import forward_steps
from tests.cases import assert_all_close
from tests.engine.cells import ENGINE_CELLS, make_case, twin, weights_of


def by_the_textbook(case, s):
    """All that direction s computed at each step, name -> (N, T, .) in input order, 0 in the padding."""
    cell = twin(case.name, 1, 1, 1)
    params = getattr(textbook, cell.params)(**case.params[s])
    way = (lambda a: textbook.flip(a, case.lengths)) if case.directions[s] else (lambda a: a)
    mask = None if case.mask is None else case.mask[s]
    h_0 = case.state[0][s]
    y, _, cache = textbook.recurrent_forward(
        cell.passes()[0],
        way(case.x),
        [part[s] for part in case.state],
        params,
        case.lengths,
        mask,
    )
    steps = {"h": y, "h_prev": np.concatenate([h_0[:, None], y], axis=1)[:, :-1]}
    for name in cache.steps[0]._fields:
        if name not in ("x", "h", "h_prev", "h_in", "mask", "tanh_c", "params"):
            steps[name] = np.stack([getattr(step, name) for step in cache.steps], axis=1)
    if case.name.startswith("GRU, reset before"):  # s stands in the textbook's equations, not in its cache
        steps["s"] = steps["r"] * steps["h_prev"] * (1 if mask is None else mask[:, None])
    return {name: way(np.where(cache.valid[:, :, None], array, 0)) for name, array in steps.items()}


@pytest.mark.parametrize("name", ENGINE_CELLS)
@pytest.mark.parametrize(
    "shape",
    [
        {"N": 1, "T": 1, "D": 1, "H": 1, "R": 1},
        {"N": 3, "T": 5, "lengths": [5, 0, 2]},
        {"N": 3, "T": 5, "lengths": [3, 5, 1], "masked": True},
        {"N": 3, "T": 5, "lengths": [5, 0, 2], "directions": (1,)},
    ],
    ids=["all sizes 1", "ragged", "masked", "reverse alone"],
)
def test_the_names_and_values_of_every_step_are_those_of_the_textbooks_step_cache(name, shape):
    case = make_case(name, **shape)
    y, _, cache = engine.recurrent_forward(
        *(ENGINE_CELLS[name](), case.x, case.state, weights_of(case), case.lengths),
        directions=case.directions,
        mask=case.mask,
    )
    steps = forward_steps(cache, y)
    for s in range(len(case.directions)):
        assert_all_close({key: array[s] for key, array in steps.items()}, by_the_textbook(case, s))

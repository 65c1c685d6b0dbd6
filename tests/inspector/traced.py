"""What a trace must hold, computed in two ways that know nothing of it: step by step by the textbook, and by nudging
one number of a run in the complex plane."""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm import textbook
from npbilstm.inspector.cell_equations import weight_block
from npbilstm.inspector.equations import Dot, Symbol, evaluate, parse
from npbilstm.textbook import flip
from tests.layers.recurrent_cases import parts_of, steps_of


def numbers_by_textbook(layer: Any, kind: str, inputs: Any) -> list[dict[str, np.ndarray]]:
    """For each layer of a stack that concatenates its directions: what the textbook's caches hold at each step, and
    what its step_backward was given, (S, N, T, .) by name."""
    x, lengths, state, dy, dstate = inputs
    step_forward, step_backward, params_class = steps_of(layer)
    S = len(layer.directions)
    by_direction = {"forward": lambda a: a, "reverse": lambda a: flip(a, lengths)}
    ways = [by_direction[direction] for direction in layer.directions]
    levels: list[Any] = []
    for k in range(layer.num_layers):
        runs = []
        for s, way in enumerate(ways):
            prefix = f"{k}.{layer.directions[s]}."
            params = params_class(**{n[len(prefix) :]: p for n, p in layer.params.items() if n.startswith(prefix)})
            own = tuple(part[k * S + s] for part in parts_of(state))
            y, _, cache = textbook.recurrent_forward(step_forward, way(x), own, params, lengths)
            runs.append((way, y, cache))
        x = np.concatenate([way(y) for way, y, _ in runs], axis=2)
        levels.append(runs)
    found: list[dict[str, np.ndarray]] = []
    for k in reversed(range(layer.num_layers)):
        dys, dxs, numbers = np.split(dy, S, axis=2), [], []
        for s, (way, y, cache) in enumerate(levels[k]):
            given: list[Any] = []

            def record(*arguments: Any, given: list[Any] = given) -> Any:
                given.insert(0, arguments[:-1])
                return step_backward(*arguments)

            own = tuple(part[k * S + s] for part in parts_of(dstate))
            dx, _, _ = textbook.recurrent_backward(record, way(dys[s]), own, cache)
            dxs.append(way(dx))
            fields = {"h": list(y.swapaxes(0, 1)), "dh": [g[0] for g in given]}
            if len(layer.state_parts) == 2:
                fields["dc_next"] = [g[1] for g in given]
            for name in cache.steps[0]._fields:
                if name not in ("x", "mask", "params", "tanh_c"):
                    # without a mask h_in is h_prev
                    fields[name.replace("h_in", "h_prev")] = [getattr(one, name) for one in cache.steps]
            valid = np.arange(y.shape[1]) < lengths[:, None]
            in_order = {name: way(np.stack(steps, axis=1)) for name, steps in fields.items()}
            numbers.append({name: np.where(valid[..., None], a, 0) for name, a in in_order.items()})
        found.insert(0, {name: np.stack([each[name] for each in numbers]) for name in numbers[0]})
        dy = sum(dxs)
    return found


def gradients_by_nudging(layer: Any, trace: Any, inputs: Any, s: int, names: list[str]) -> dict[str, np.ndarray]:
    """dL/d(name) of row 0 in direction s of a single layer, (T, .): complex step on each number by itself, the run
    computed once more from there by the forward equations. L = sum(dy * y) + sum(dstate * final state)."""
    x, lengths, state, dy, dstate = inputs
    T = int(lengths[0])
    R = layer.output_size
    sizes = {name: trace[name].shape[-1] for name in names}
    nudges = [(name, t, u) for name in names for t in range(T) for u in range(sizes[name])]
    direction = layer.directions[s]
    order = np.argsort(trace.order[s, 0, :T])
    parts = {
        f"{part}_prev": np.tile(array[s, :1], (len(nudges), 1)).astype(complex)
        for part, array in zip(layer.state_parts, parts_of(state))
    }
    loss = np.zeros(len(nudges), complex)
    for t in order:
        now = {**parts, "x": np.tile(x[:1, t], (len(nudges), 1))}

        def value(symbol: Symbol, now: Any = now) -> Any:
            return now[symbol.name] if symbol.name in now else weight_block(layer, 0, direction, symbol.name)

        def dot(node: Dot, value: Any = value) -> Any:
            return value(node.vector) @ weight_block(layer, 0, direction, node.weight)

        for equation in map(parse, trace.equations.forward):
            computed = np.array(evaluate(equation.sum, value, dot), complex)
            for n, (name, at, unit) in enumerate(nudges):
                if name == equation.name and at == t:
                    computed[n, unit] += 1e-30j
            now[equation.name] = computed
        loss += now["h"] @ dy[0, t, s * R : (s + 1) * R]
        parts = {f"{part}_prev": now[part] for part in layer.state_parts}
    for part, d in zip(layer.state_parts, parts_of(dstate)):
        loss += parts[f"{part}_prev"] @ d[s, 0]
    found = {name: np.zeros((T, size)) for name, size in sizes.items()}
    for (name, t, u), total in zip(nudges, loss):
        found[name][t, u] = total.imag / 1e-30
    return found

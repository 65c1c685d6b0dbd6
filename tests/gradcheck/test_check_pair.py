"""check_pair: the numbers of a pair of passes, and what else can be wrong with it."""

import functools
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npbilstm import textbook
from npbilstm.gradcheck import check_pair

rng = np.random.default_rng(0)
X, W, b = rng.standard_normal((4, 3)), rng.standard_normal((3, 2)), rng.standard_normal(2)
INPUTS = {"x": X, "W": W, "b": b}


def forward(x, W, b):
    y = np.tanh(x @ W + b)
    return y, (x, W, y)


def backward(dy, cache):
    x, W, y = cache
    da = dy * (1 - y**2)
    return da @ W.T, x.T @ da, da.sum(axis=0)


class Params(NamedTuple):
    W: np.ndarray
    b: np.ndarray


def findings(report):
    assert not report.ok
    assert all(row.ok for row in report.rows), report
    return " ".join(report.findings)


def test_a_right_pair_passes_and_a_wrong_one_does_not():
    report = check_pair(forward, backward, INPUTS)
    assert report.ok, report
    assert (report.findings, report.notes, report.method) == ((), (), "complex step")
    assert [row.name for row in report.rows] == ["x", "W", "b"]
    report = check_pair(forward, lambda dy, cache: (*backward(dy, cache)[:2], backward(dy, cache)[2] / 4), INPUTS)
    assert [row.ok for row in report.rows] == [True, True, False]
    assert report.rows[2].flags == ("constant ratio 0.25 (1/4)",)


@pytest.mark.slow
@settings(max_examples=15)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.booleans(), st.integers(0, 99))
def test_nested_arguments_lengths_and_several_outs(N, T, D, H, ragged, seed):
    rng = np.random.default_rng(seed)
    shapes = [(D, 4 * H), (H, 4 * H), (4 * H,)]
    params = textbook.BiLSTMParams(
        *(textbook.LSTMParams(*(0.5 * rng.standard_normal(s) for s in shapes)) for _ in "fr")
    )
    state = 0.5 * rng.standard_normal((2, 2, N, H))
    lengths = rng.integers(0, T + 1, N) if ragged else None
    inputs = {"x": rng.standard_normal((N, T, D)), "h0": state[0], "c0": state[1], "params": params, "lengths": lengths}
    options = {"outputs": ["y", "h_T", "c_T"], "entries": 2, "seed": seed, "time": {"x": 1}}
    blocks = {f"params.{way}.{part}": "ifgo" for way in ("forward", "reverse") for part in ("Wx", "Wh", "b")}
    report = check_pair(textbook.bilstm_forward, textbook.bilstm_backward, inputs, blocks=blocks, **options)
    assert report.ok, report
    assert [row.block for row in report.rows[-4:]] == ["i", "f", "g", "o"]
    assert report.rows[-1].name == "params.reverse.b"

    def swapped(*given):
        dx, dh0, dc0, grads = textbook.bilstm_backward(*given)
        return dx, dh0, 0.9 * dc0, grads

    report = check_pair(textbook.bilstm_forward, swapped, inputs, **options)
    assert {row.name for row in report.rows if not row.ok} == {"c0"}


@pytest.mark.parametrize("kind", [lambda W, b: (W, b), lambda W, b: [W, b], lambda W, b: {"W": W, "b": b}, Params])
def test_a_nested_argument_has_a_gradient_of_its_own_structure(kind):
    def nested(x, params):
        W, b = params.values() if isinstance(params, dict) else params
        y, cache = forward(x, W, b)
        return [y, {"twice": 2 * y}], cache

    def nested_back(douts, cache):
        dx, dW, db = backward(douts[0] + 2 * douts[1]["twice"], cache)
        return dx, kind(dW, db)

    inputs = {"x": X, "params": kind(W, b)}
    report = check_pair(nested, nested_back, inputs)
    assert report.ok, report
    assert [row.name for row in report.rows][1:] in (["params.W", "params.b"], ["params.0", "params.1"])
    only = check_pair(nested, lambda d, cache: nested_back(d, cache)[1], inputs, gradients=["params"])
    assert only.ok, only
    assert not check_pair(nested, lambda d, cache: kind(*backward(d[0], cache)[1:]), inputs, gradients=["params"]).ok


def test_gradients_may_come_by_name_and_for_some_inputs_only():
    def named(dy, cache):
        _, dW, db = backward(dy, cache)
        return {"b": db, "W": dW}

    assert check_pair(forward, named, INPUTS, gradients=["W", "b"]).ok
    assert check_pair(forward, lambda dy, cache: backward(dy, cache)[0], INPUTS, gradients=["x"]).ok
    assert check_pair(forward, lambda dy, cache: backward(dy, cache)[:1], INPUTS, gradients=["x"]).ok


def test_what_is_no_array_of_floating_point_is_passed_as_it_is():
    def picked(x, ids, how, rate, nothing):
        assert (how, rate, nothing) == ("sum", 0.5, None)
        assert ids.dtype == int
        return rate * x[ids], (ids, x.shape)

    def picked_back(dout, cache):
        ids, shape = cache
        dx = np.zeros(shape)
        np.add.at(dx, ids, 0.5 * dout)
        return dx

    inputs = {"x": X, "ids": np.array([2, 0, 2]), "how": "sum", "rate": 0.5, "nothing": None}
    assert check_pair(picked, picked_back, inputs).ok

    def assigned(dout, cache):
        dx = np.zeros(cache[1])
        dx[cache[0]] = 0.5 * dout
        return dx

    assert not check_pair(picked, assigned, inputs).ok


def test_a_loss_is_a_scalar_out():
    targets = np.array([0, 2, 1, 1])
    inputs = {"logits": X, "targets": targets}
    back = textbook.softmax_cross_entropy_backward
    assert check_pair(textbook.softmax_cross_entropy_forward, back, inputs).ok
    report = check_pair(textbook.softmax_cross_entropy_forward, lambda d, cache: 4 * back(d, cache), inputs)
    assert report.rows[0].flags == ("constant ratio 4",)


class Layer:
    """A layer that keeps what it should not."""

    def __init__(self):
        self.x = None
        self.total = np.zeros((3, 2))
        self.buffer = np.zeros((4, 2))

    def forward_kept(self, x, W):
        self.x = x
        return x @ W, (x, W)

    def backward_kept(self, dy, cache):
        return dy @ cache[1].T, self.x.T @ dy

    def backward_added(self, dy, cache):
        self.total = self.total + cache[0].T @ dy
        return dy @ cache[1].T, self.total

    def forward_buffered(self, x, W):
        if np.iscomplexobj(x):
            return x @ W, (x, W)
        self.buffer[...] = x @ W
        return self.buffer, (x, W)


def linear(x, W):
    return x @ W, (x, W)


def linear_back(dy, cache):
    return dy @ cache[1].T, cache[0].T @ dy


XW = {"x": X, "W": W}


def test_gradients_that_add_up_from_call_to_call_are_found():
    layer = Layer()
    report = check_pair(linear, lambda dy, cache: layer.backward_added(dy, cache), XW)
    assert not report.ok
    assert "Two backward calls on one cache disagree on W" in report.findings[0]


def test_state_shared_between_calls_is_found():
    layer = Layer()
    report = check_pair(layer.forward_kept, layer.backward_kept, XW)
    assert "A second forward with other numbers changes the gradient of W that the first cache gives" in findings(
        report
    )
    assert report.verdict.startswith("NOT right, though all 18 entries checked agree with complex step: A second")
    assert str(report).count("A second forward") == 1


def test_an_out_that_is_a_buffer_of_the_layer_is_found():
    report = check_pair(Layer().forward_buffered, linear_back, XW)
    assert "A second forward changes the out that the first returned: both are one buffer" in findings(report)


def spoils_input(x, W):
    y = x @ W
    cache = (x.copy(), W)
    x *= 0.5
    return y, cache


def spoils_input_later(dy, cache):
    grads = linear_back(dy, cache)
    cache[1][...] = 0
    return grads


def spoils_upstream(dy, cache):
    grads = linear_back(dy, cache)
    dy *= 2
    return grads


class Cache:
    def __init__(self, x, W):
        self.parts = {"x": x.copy(), "W": W}


def spoils_cache(dy, cache):
    grads = linear_back(dy, (cache.parts["x"], cache.parts["W"]))
    cache.parts["x"] += 1
    return grads


def test_arrays_changed_in_place_are_named():
    report = check_pair(spoils_input, linear_back, XW)
    assert "forward changes its input x in place" in findings(report)
    assert report.notes == ()
    report = check_pair(linear, spoils_input_later, XW)
    assert "backward changes W in place" in " ".join(report.findings)
    assert "backward changes its upstream gradient of out in place" in findings(check_pair(linear, spoils_upstream, XW))
    report = check_pair(lambda x, W: (x @ W, Cache(x, W)), spoils_cache, XW)
    assert "backward changes cache.parts['x'] in place" in " ".join(report.findings)
    nothing = np.full(2, np.nan)
    assert check_pair(lambda x, W: (x @ W, (x, W, nothing)), linear_back, XW).findings == ()


def by_differences(dy, cache, run=linear):
    grads = []
    for p in cache:
        grad = np.zeros_like(p)
        for k in range(p.size):
            original = p.flat[k]
            values = []
            for step in (1e-6, -1e-6):
                p.flat[k] = original + step
                values.append((run(*cache)[0] * dy).sum())
            p.flat[k] = original
            grad.flat[k] = (values[0] - values[1]) / 2e-6
        grads.append(grad)
    return tuple(grads)


def test_a_backward_that_calls_forward_as_differences_do_is_found():
    for run in (linear, functools.partial(linear)):
        report = check_pair(run, by_differences, XW, tolerance=1e-6)
        assert "backward calls forward 36 times, as finite differences do" in findings(report)


def test_a_backward_that_runs_the_forward_once_more_is_fine():
    def recomputing(dy, cache):
        return linear_back(dy, linear(*cache)[1])

    assert check_pair(linear, recomputing, XW).ok


def test_a_forward_that_differs_from_call_to_call_is_an_error():
    random = np.random.default_rng(0)

    def dropout(x):
        mask = random.random(x.shape) < 0.5
        return x * mask, mask

    with pytest.raises(ValueError, match=r"forward gave another out .* deterministic \(is a dropout mask drawn anew"):
        check_pair(dropout, lambda dy, mask: dy * mask, {"x": X})


def test_an_upstream_gradient_of_ones_is_named_and_random_ones_see_more():
    """softmax's outputs sum to 1: with ones from above the gradient is 0, and every wrong one of that kind is right."""

    def softmax(x):
        y = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
        return y, y

    def careless(dy, y):
        return 5 * y * (dy - (dy * y).sum(axis=1, keepdims=True))

    blind = check_pair(softmax, careless, {"x": X}, upstream={"out": np.ones(X.shape)})
    assert blind.ok
    assert "The upstream gradient of out is 1 everywhere, which hides mistakes" in " ".join(blind.notes)
    assert not check_pair(softmax, careless, {"x": X}).ok


def test_an_out_that_depends_on_nothing_and_an_out_that_is_a_view_are_named():
    report = check_pair(lambda x: (0 * x, None), lambda dy, _: 0 * dy, {"x": X})
    assert report.ok, report
    assert "out does not change with any input" in report.notes[0]
    report = check_pair(lambda x: (x.reshape(-1), x.shape), lambda dy, shape: dy.reshape(shape), {"x": X})
    assert report.ok, report
    assert "out is a view of x" in report.notes[0]


def test_float32_inside_is_named_and_judged_as_it_allows():
    def single(x, W):
        y = np.tanh(x.astype(np.float32) @ W.astype(np.float32))
        return y, (x.astype(np.float32), W.astype(np.float32), y)

    def single_back(dy, cache):
        return backward(dy.astype(np.float32), cache)[:2]

    report = check_pair(single, single_back, XW)
    assert report.ok, report
    assert "float32 inside the code" in " ".join(report.notes)
    assert not check_pair(single, lambda *given: (single_back(*given)[0], 1.01 * single_back(*given)[1]), XW).ok


class Stores:
    """A layer that keeps its gradients in its own attributes, as a cache."""

    def __init__(self, x, W):
        self.x, self.W, self.dW = x, W, np.zeros_like(W)


def stores(dy, layer):
    layer.dW[...] = layer.x.T @ dy
    layer.dx = dy @ layer.W.T
    return layer.dx, layer.dW.copy()


def adds_up(dy, layer):
    layer.dW += layer.x.T @ dy
    return dy @ layer.W.T, layer.dW.copy()


def uses_up(dy, cache):
    W, x = cache.pop(), cache.pop()
    return linear_back(dy, (x, W))


def test_a_backward_may_store_its_gradients_in_its_cache_and_may_not_add_to_them():
    def forward(x, W):
        return x @ W, Stores(x, W)

    assert check_pair(forward, stores, XW).ok
    report = check_pair(forward, adds_up, XW)
    assert not report.ok
    assert report.findings == (
        "Two backward calls on one cache disagree on W: backward changes cache.dW in place, which is kept for it.",
    )


def test_a_cache_that_is_used_up_is_a_finding_and_no_traceback():
    report = check_pair(lambda x, W: (x @ W, [x, W]), uses_up, XW)
    assert findings(report) == "A second backward call on one cache stops (IndexError: pop from empty list)."


def test_a_subclass_whose_comparisons_always_pass_fools_nobody():
    class Sly(np.ndarray):
        def __sub__(self, other):
            return np.zeros(self.shape)

        def __eq__(self, other):
            return np.ones(self.shape, bool)

    assert not check_pair(forward, lambda dy, cache: [(2 * g).view(Sly) for g in backward(dy, cache)], INPUTS).ok
    sly = {name: array.view(Sly) for name, array in INPUTS.items()}
    assert check_pair(forward, backward, sly).ok
    assert not check_pair(forward, lambda dy, cache: [2 * g for g in backward(dy, cache)], sly).ok


def third(dy, cache):
    return backward(dy, cache)[2]


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"forward": lambda x, W, b: x}, ValueError, r"forward returned one ndarray; it needs \(out, cache\)"),
        ({"forward": lambda x, W, b: (x,)}, ValueError, "forward returned a tuple of 1"),
        ({"forward": lambda x, W, b: (None, x)}, ValueError, "forward returned no out of floating-point numbers"),
        (
            {"backward": lambda dy, c: backward(dy, c)[:2]},
            ValueError,
            "backward returned 2 gradients; it needs 3, of x, W, b",
        ),
        ({"backward": third}, ValueError, "backward returned 1 gradient; it needs 3, of x, W, b"),
        ({"backward": lambda dy, c: {"x": X}}, ValueError, "backward returned x; it needs the gradients of x, W, b"),
        ({"backward": lambda dy, c: (X, W, None)}, ValueError, "backward's gradient of b is of type NoneType"),
        ({"backward": lambda dy, c: (X, W, b.astype(int))}, ValueError, "gradient of b is an array of dtype int64"),
        ({"backward": lambda dy, c: (X, W.T, b)}, ValueError, r"gradient of W has shape \(2, 3\); W has \(3, 2\)"),
        ({"backward": lambda dy, c: (X, W, 1j * b)}, ValueError, "gradient of b has dtype complex128; it needs real"),
        ({"inputs": [X, W, b]}, TypeError, "inputs is a list; it needs a dict"),
        ({"inputs": {"ids": np.arange(3)}}, ValueError, "inputs holds no array of floating-point numbers"),
        (
            {"inputs": {**INPUTS, "b": b.astype("f4")}},
            TypeError,
            r"inputs\['b'\] has dtype float32; .* round-off alone",
        ),
        ({"gradients": ["V"]}, ValueError, "gradients names 'V', which needs an array .* there is x, W, b"),
        ({"gradients": "x"}, TypeError, "gradients is 'x'; it needs a list of names"),
        ({"outputs": ["h", "c"]}, ValueError, r"forward returned 1 outs and a cache; outputs names 2: \['h', 'c'\]"),
        ({"upstream": {"h": X}}, ValueError, r"upstream\['h'\] needs to be .* like an out; the outs are out"),
        ({"upstream": {"out": X}}, ValueError, r"upstream\['out'\] has shape \(4, 3\); out has \(4, 2\)"),
        ({"upstream": {"out": np.full((4, 2), np.inf)}}, ValueError, "holds numbers that are not finite"),
        ({"upstream": [X]}, TypeError, "upstream is a list; it needs a dict"),
        ({"method": "exact"}, ValueError, "method is 'exact'"),
        ({"blocks": {"V": "if"}}, ValueError, "blocks names 'V'; there is x, W, b"),
        ({"time": {"x": 2}}, ValueError, r"time\['x'\] is 2; the array has shape \(4, 3\)"),
    ],
)
def test_what_is_not_of_the_form_is_an_error_that_names_it(change, error, sentence):
    with pytest.raises(error, match=sentence):
        check_pair(**{"forward": forward, "backward": backward, "inputs": INPUTS, **change})

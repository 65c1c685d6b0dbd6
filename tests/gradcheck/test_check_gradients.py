import html

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb

METHODS = ["complex", "central", "richardson"]


def loss(p):
    return (np.sin(p["a"]) ** 2).sum() + (p["a"][0] * p["b"]).sum() ** 3


def gradient(p):
    inner = 3 * (p["a"][0] * p["b"]).sum() ** 2
    da = 2 * np.sin(p["a"]) * np.cos(p["a"])
    da[0] += inner * p["b"]
    return {"a": da, "b": inner * p["a"][0]}


@pytest.fixture
def params():
    rng = np.random.default_rng(0)
    return {"a": rng.standard_normal((2, 3)), "b": rng.standard_normal(3)}


@pytest.mark.parametrize("method", METHODS)
def test_a_right_gradient_passes(params, method):
    report = nb.check_gradients(loss, params, gradient(params), method)
    assert report.ok, report
    assert [row.checked for row in report.rows] == [6, 3]


@given(st.sampled_from(METHODS), st.integers(0, 5), st.floats(1e-4, 10) | st.floats(-10, -1e-4))
def test_one_wrong_entry_is_found_and_said_where(method, k, by):
    rng = np.random.default_rng(0)
    params = {"a": rng.standard_normal((2, 3)), "b": rng.standard_normal(3)}
    grads = gradient(params)
    right = grads["a"].flat[k]
    grads["a"].flat[k] += by
    report = nb.check_gradients(loss, params, grads, method)
    worst = report.rows[0]
    assert not report.ok
    assert not worst.ok
    assert not report.direction.ok
    assert worst.index == np.unravel_index(k, (2, 3))
    assert worst.got == grads["a"].flat[k]
    assert abs(worst.expected - right) < 1e-6
    assert abs(worst.absolute - abs(by)) < 1e-6
    assert report.rows[1].ok


def test_the_report_says_the_verdict_first_and_names_the_place(params):
    grads = gradient(params)
    good = nb.check_gradients(loss, params, grads)
    assert str(good).startswith("The gradients agree with complex step: all 9 entries checked, largest")
    grads["b"][1] *= 2
    bad = nb.check_gradients(loss, params, grads)
    assert str(bad).startswith(
        "The gradient is WRONG for b (complex step, all 9 entries checked). Worst: b[1] should be "
    )
    assert repr(bad) == str(bad)
    assert "WRONG  b" in str(bad)
    page = bad._repr_html_()
    assert html.escape(bad.verdict) in page
    assert page.count("<tr") == 4


def test_names_are_escaped_in_a_notebook():
    name = "<script>alert(1)</script>"
    report = nb.check_gradients(lambda p: p[name].sum(), {name: np.ones(1)}, {name: np.zeros(1)})
    assert "<script>" not in report._repr_html_()


def test_a_sample_is_seeded_and_the_random_direction_sees_the_rest(params):
    grads = gradient(params)
    report = nb.check_gradients(loss, params, grads, entries=2, seed=5)
    assert [row.checked for row in report.rows] == [2, 2]
    assert report == nb.check_gradients(loss, params, grads, entries=2, seed=5)
    grads["a"][1, 2] += 1
    outcomes = [nb.check_gradients(loss, params, grads, entries=1, seed=seed) for seed in range(20)]
    assert not any(report.direction.ok for report in outcomes)
    missed = [report for report in outcomes if report.rows[0].ok]
    assert missed, "no sample of one entry missed the wrong one"
    assert str(missed[0]).startswith(
        "The gradient is WRONG along a random direction, though 2 of 9 entries checked agree: check them all"
    )


def test_entries_0_checks_the_whole_gradient_along_one_direction(params):
    calls = []

    def counted(p):
        calls.append(1)
        return loss(p)

    report = nb.check_gradients(counted, params, gradient(params), entries=0)
    assert report.direction.ok
    assert len(calls) <= 50  # twice at the point, a row of steps along the direction, three for each parameter
    wrong = gradient(params)
    wrong["b"] *= 1.001
    assert not nb.check_gradients(loss, params, wrong, entries=0).direction.ok


@pytest.mark.parametrize("method", METHODS)
def test_params_are_left_alone_whatever_the_loss_does_to_its_copies(params, method):
    before = {name: p.copy() for name, p in params.items()}
    grads = gradient(params)

    def vandal(p):
        value = loss(p)
        for array in p.values():
            array[...] = 1e9
        p.clear()
        return value

    assert nb.check_gradients(vandal, params, grads, method).ok
    assert all(np.array_equal(params[name], before[name]) for name in before)


def test_a_failing_loss_leaves_params_alone_too(params):
    before = {name: p.copy() for name, p in params.items()}
    calls = []

    def failing(p):
        calls.append(1)
        if len(calls) == 5:
            raise RuntimeError("half way")
        return loss(p)

    with pytest.raises(RuntimeError, match="half way"):
        nb.check_gradients(failing, params, gradient(params))
    assert all(np.array_equal(params[name], before[name]) for name in before)


@pytest.mark.parametrize(
    ("dtype", "why"),
    [
        (np.float32, "in float32 round-off alone makes right gradients differ"),
        (np.float16, "in float16 round-off"),
        (np.int64, "a small step added to a whole number is lost"),
        (bool, "a small step added to a whole number is lost"),
        (np.complex128, "a gradient check needs float64"),
    ],
)
def test_params_and_grads_that_are_not_float64_are_refused_with_the_reason(params, dtype, why):
    grads = gradient(params)
    for label, arguments in [
        ("params", ({**params, "b": params["b"].astype(dtype)}, grads)),
        ("grads", (params, {**grads, "b": grads["b"].astype(dtype)})),
    ]:
        with pytest.raises(TypeError, match=rf"{label}\['b'\] has dtype {np.dtype(dtype)}; .*{why}"):
            nb.check_gradients(loss, *arguments)


def test_nan_in_a_gradient_is_wrong(params):
    grads = gradient(params)
    grads["a"][0, 0] = np.nan
    report = nb.check_gradients(loss, params, grads)
    assert not report.ok
    assert report.rows[0].index == (0, 0)


def test_a_zero_gradient_of_a_constant_passes_and_a_tiny_wrong_one_beside_it_does_not():
    params = {"used": np.array([2.0]), "unused": np.zeros(2)}

    def quadratic(p):
        return p["used"][0] ** 2 + 0 * p["unused"].sum()

    right = {"used": np.array([4.0]), "unused": np.zeros(2)}
    for method in METHODS:
        assert nb.check_gradients(quadratic, params, right, method).ok
    wrong = {**right, "unused": np.array([0.0, 1e-6])}
    assert not nb.check_gradients(quadratic, params, wrong).ok


def test_round_off_in_a_huge_loss_is_no_false_alarm_of_differences():
    def offset(p):
        return 1e6 + (p["a"] ** 2).sum()

    params = {"a": np.full(3, 1e-2)}
    assert nb.check_gradients(offset, params, {"a": 2 * params["a"]}, "central").ok
    assert not nb.check_gradients(offset, params, {"a": 3 * params["a"]}, "central").ok


def test_a_loss_that_ignores_its_argument_is_named(params):
    report = nb.check_gradients(lambda p: loss(params) + 0 * p["a"].sum(), params, gradient(params), "central")
    assert not report.ok
    assert "does it use the dict it is given, or arrays of its own?" in str(report)


def test_the_complex_step_names_a_lost_imaginary_part(params):
    with pytest.raises(
        ValueError, match=r"when 'a' becomes complex.*imaginary part is lost .* or use method=\"central\""
    ):
        nb.check_gradients(
            lambda p: np.abs(p["a"]).sum(), params, {n: np.zeros_like(p) for n, p in params.items()}, "complex"
        )


def test_a_loss_that_draws_anew_at_every_call_is_named(params):
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="needs to be deterministic"):
        nb.check_gradients(lambda p: loss(p) * rng.random(), params, gradient(params))


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [(np.zeros(2), r"loss returned an array of shape \(2,\)"), (np.nan, "loss is nan"), ("x", "needs one number")],
)
def test_a_loss_that_is_not_one_finite_number_is_named(params, returned, sentence):
    with pytest.raises(ValueError, match=sentence):
        nb.check_gradients(lambda p: returned, params, gradient(params))


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"method": "forward"}, ValueError, "method is 'forward'; it needs one of 'complex', 'richardson', 'central'"),
        ({"entries": -1}, ValueError, "entries is -1; it needs a whole number from 0, or None for all"),
        ({"entries": 1.5}, ValueError, "entries is 1.5"),
        ({"step": 0.0}, ValueError, "step is 0.0; it needs a positive number"),
        ({"tolerance": np.nan}, ValueError, "tolerance is nan"),
        ({"params": [1.0]}, TypeError, "params is a list; it needs a dict"),
        ({"params": {}, "grads": {}}, ValueError, "params is empty"),
        ({"grads": {"a": np.zeros((2, 3))}}, ValueError, r"it lacks \['b'\] and has \[\] besides"),
        (
            {"grads": {"a": np.zeros(6), "b": np.zeros(3)}},
            ValueError,
            r"grads\['a'\] has shape \(6,\); params\['a'\] has",
        ),
    ],
)
def test_a_wrong_setting_is_an_error_and_no_verdict(params, change, error, sentence):
    with pytest.raises(error, match=sentence):
        nb.check_gradients(**{"loss": loss, "params": params, "grads": gradient(params), **change})


def test_an_ndarray_subclass_cannot_fool_it(params):
    class Sly(np.ndarray):
        def __sub__(self, other):
            return np.zeros(self.shape)

    grads = {name: (2 * g).view(Sly) for name, g in gradient(params).items()}
    assert not nb.check_gradients(loss, params, grads).ok


def test_a_non_contiguous_parameter_is_checked_whole():
    whole = np.random.default_rng(0).standard_normal((3, 4))
    params = {"a": whole.T[::2]}
    report = nb.check_gradients(lambda p: (p["a"] ** 2).sum(), params, {"a": 2 * params["a"]})
    assert report.ok, report
    assert report.rows[0].checked == 6


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_a_gradient_that_is_not_finite_is_wrong_and_hides_nothing_beside_it(method, value):
    params = {"w": np.array([1.0, 2.0, 3.0]), "v": np.array([1.0])}
    grads = {"w": np.array([2.0, value, 6.0]), "v": np.array([-7.0])}
    report = nb.check_gradients(lambda p: (p["w"] ** 2).sum() + (p["v"] ** 2).sum(), params, grads, method)
    assert [row.ok for row in report.rows] == [False, False]
    assert not report.direction.ok
    assert report.rows[0].index == (1,)


@pytest.mark.parametrize("lose", [np.abs, np.linalg.norm, lambda b: np.maximum(b.real, b.real)])
def test_an_imaginary_part_lost_for_one_parameter_only_is_named(lose):
    params = {"a": np.ones(2), "b": np.ones(2)}
    with pytest.raises(ValueError, match="loss does not change when 'b' becomes complex, though it depends on it"):
        nb.check_gradients(
            lambda p: (p["a"] ** 2).sum() + np.sum(lose(p["b"])),
            params,
            {"a": 2 * np.ones(2), "b": np.zeros(2)},
            "complex",
        )


def test_a_buffer_that_drops_the_imaginary_part_is_named():
    def buffered(p):
        out = np.zeros(2)
        out[:] = p["b"] ** 2
        return (p["a"] ** 2).sum() + out.sum()

    with pytest.raises(ValueError, match="when 'b' becomes complex"):
        nb.check_gradients(
            buffered, {"a": np.ones(2), "b": np.ones(2)}, {"a": 2 * np.ones(2), "b": np.zeros(2)}, "complex"
        )


@pytest.mark.parametrize("method", ["central", "richardson"])
def test_a_gradient_drowned_in_round_off_is_no_verdict(method):
    params = {"w": np.full(3, 1e-5)}

    def offset(p):
        return 1e10 + (p["w"] ** 2).sum()

    with pytest.raises(ValueError, match=r"differences cannot judge grads\['w'\]: round-off in the loss blurs them"):
        nb.check_gradients(offset, params, {"w": -2 * params["w"]}, method)
    assert nb.check_gradients(offset, params, {"w": 2 * params["w"]}).ok
    assert not nb.check_gradients(offset, params, {"w": -2 * params["w"]}).ok


def test_a_gradient_that_is_zero_up_to_round_off_is_right():
    """A number added to all logits changes no softmax: its gradient is a sum that cancels."""
    logits, targets = np.random.default_rng(0).standard_normal((50, 7)), np.arange(50) % 7

    def softmax_loss(p):
        return nb.softmax_cross_entropy_forward(p["logits"] + p["shift"], targets)[0]

    _, cache = nb.softmax_cross_entropy_forward(logits, targets)
    dlogits = nb.softmax_cross_entropy_backward(1.0, cache)
    params = {"logits": logits, "shift": np.zeros(1)}
    for method in METHODS:
        assert nb.check_gradients(
            softmax_loss, params, {"logits": dlogits, "shift": dlogits.sum(keepdims=True)[0]}, method
        ).ok


@pytest.mark.slow
def test_a_sample_is_judged_on_the_whole_parameters_scale():
    rng = np.random.default_rng(0)
    w, X = rng.standard_normal(50), rng.standard_normal((200, 50))
    y = X @ w + 1e-9 * rng.standard_normal(200)

    def squares(p):
        return ((X @ p["w"] - y) ** 2).sum() + 1e6 * p["w"][0]

    grads = {"w": 2 * X.T @ (X @ w - y)}
    grads["w"][0] += 1e6
    for seed in range(20):
        assert nb.check_gradients(squares, {"w": w}, grads, entries=1, seed=seed).ok


def test_large_parameters_are_no_trouble_for_differences():
    far = np.array([1e5, -3e6])
    for method in METHODS:
        assert nb.check_gradients(lambda p: (p["p"] - far).sum(), {"p": far + 2}, {"p": np.ones(2)}, method).ok


def test_a_loss_that_does_not_depend_on_anything_is_said_to_be_so():
    report = nb.check_gradients(lambda p: 3.0 + 0 * p["a"].sum(), {"a": np.ones(2)}, {"a": np.zeros(2)})
    assert report.ok
    assert "a gradient of zeros was all there was to check" in str(report)


def test_richardson_is_more_exact_than_central_differences():
    params = {"p": np.linspace(0.2, 2, 5)}
    grads = {"p": np.exp(params["p"]) * np.cos(3 * np.exp(params["p"])) * 3}

    def curved(p):
        return np.sin(3 * np.exp(p["p"])).sum()

    assert nb.check_gradients(curved, params, grads, "complex").worst < 1e-13
    assert nb.check_gradients(curved, params, grads, "richardson", step=1e-3).worst < 1e-7
    assert nb.check_gradients(curved, params, grads, "central", step=1e-3).worst > 1e-6


def test_scalars_reach_the_loss_as_arrays():
    seen = set()

    def typed(p):
        seen.add(type(p["s"]))
        return p["s"] ** 2

    assert nb.check_gradients(typed, {"s": np.array(3.0)}, {"s": np.array(6.0)}, entries=np.int64(1)).ok
    assert seen == {np.ndarray}


def test_a_wrong_parameter_far_smaller_than_its_neighbours_is_seen_by_the_complex_step():
    params = {"large": np.array([1.0]), "small": np.array([1.0])}

    def uneven(p):
        return 1e6 * p["large"][0] + 1e-7 * p["small"][0] ** 2

    right = {"large": np.array([1e6]), "small": np.array([2e-7])}
    assert nb.check_gradients(uneven, params, right).ok
    report = nb.check_gradients(uneven, params, {**right, "small": np.array([1e-7])})
    assert [row.ok for row in report.rows] == [True, False]


def test_a_buffer_made_like_another_parameter_is_no_false_alarm():
    """All parameters are complex at once, so a buffer made like one holds what comes of another."""

    def buffered(p):
        out = np.zeros_like(p["x"])
        out[:] = p["x"] * p["w"]
        return (out**2).sum()

    x, w = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    assert nb.check_gradients(buffered, {"x": x, "w": w}, {"x": 2 * x * w**2, "w": 2 * x**2 * w}).ok

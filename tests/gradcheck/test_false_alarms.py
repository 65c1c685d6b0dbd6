"""What looks like a wrong gradient and is none is recognised and named; the wrong one beside it is still caught."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb

rng = np.random.default_rng(0)
A = rng.standard_normal((3, 2))
B = rng.standard_normal((3, 2))


def notes(report):
    return " ".join(report.notes)


def buffered(p):
    out = np.zeros(6)
    out[:] = p["a"].ravel() ** 2
    return out.sum()


LOST = {
    "abs": (lambda p: np.abs(p["a"]).sum(), np.sign(A)),
    "abs in one term": (lambda p: (p["a"] ** 2).sum() + np.abs(p["a"]).sum(), 2 * A + np.sign(A)),
    "abs of one entry": (
        lambda p: (p["a"] ** 3).sum() + abs(p["a"][0, 0]),
        3 * A**2 + np.sign(A) * np.eye(3, 2, 0) * [1, 0],
    ),
    "norm": (lambda p: np.linalg.norm(p["a"]), A / np.linalg.norm(A)),
    "vdot": (lambda p: np.vdot(p["a"], B).real + (p["a"] ** 2).sum(), B + 2 * A),
    "conjugate": (lambda p: (p["a"].conj() * B).sum(), B),
    "real": (lambda p: (p["a"].real ** 2).sum(), 2 * A),
    "maximum of real parts": (lambda p: np.maximum(p["a"].real, -9).sum(), np.ones((3, 2))),
    "a zeros buffer": (buffered, 2 * A),
    "math": (lambda p: sum(math.exp(a) for a in p["a"].ravel().tolist()), np.exp(A)),
    "float": (lambda p: (p["a"] ** 2).sum() + float(p["a"][0, 0]), 2 * A + np.eye(3, 2) * [1, 0]),
    "float32 cast": (lambda p: (p["a"].astype(np.float32) ** 2).sum(), 2 * A),
}


@pytest.mark.parametrize("name", LOST)
def test_where_the_imaginary_part_is_lost_auto_uses_differences_and_says_why(name):
    loss, right = LOST[name]
    report = nb.check_gradients(loss, {"a": A}, {"a": right})
    assert report.ok, report
    assert report.method == "Richardson's extrapolation"
    assert not any("NotAnalyticError" in note for note in report.notes)
    assert "The complex step is impossible here: " in notes(report)
    assert "imaginary part is lost" in notes(report) or "cannot work on complex numbers (TypeError" in notes(report)
    wrong = right.copy()
    wrong[1, 1] += 0.1
    assert not nb.check_gradients(loss, {"a": A}, {"a": wrong}).ok


@pytest.mark.parametrize("name", LOST)
def test_the_complex_step_asked_for_by_name_and_impossible_is_an_error(name):
    loss, right = LOST[name]
    with pytest.raises(ValueError, match=r'(imaginary part is lost|complex numbers).*or use method="central"'):
        nb.check_gradients(loss, {"a": A}, {"a": right}, "complex")


def test_a_gradient_that_forgets_what_the_complex_step_forgets_is_wrong():
    loss, right = LOST["abs in one term"]
    for entries in (None, 0):
        assert not nb.check_gradients(loss, {"a": A}, {"a": 2 * A}, entries=entries).direction.ok
        assert nb.check_gradients(loss, {"a": A}, {"a": right}, entries=entries).direction.ok
    assert nb.check_gradients(loss, {"a": A}, {"a": right}).ok


def test_a_part_lost_beside_numbers_far_larger_is_found_entry_by_entry():
    def uneven(p):
        return 1e7 * (p["a"] ** 2).sum() + (p["b"] ** 2).sum() + abs(p["b"][0, 0])

    grads = {"a": 2e7 * A, "b": 2 * B + np.eye(3, 2) * [np.sign(B[0, 0]), 0]}
    report = nb.check_gradients(uneven, {"a": A, "b": B}, grads)
    assert report.ok, report
    assert "The complex step is impossible here: at b[0, 0] it gives" in notes(report)


def test_a_cast_to_real_numbers_counts_wherever_it_is():
    def counting(p):
        size = np.zeros(1)
        size[:] = 0 * p["a"].sum()
        return (p["a"] ** 2).sum() + size[0]

    report = nb.check_gradients(counting, {"a": A}, {"a": 2 * A})
    assert report.ok, report
    assert "loss casts a complex number to a real one" in notes(report)


def test_auto_is_the_complex_step_where_that_works():
    report = nb.check_gradients(lambda p: (p["a"] ** 3).sum(), {"a": A}, {"a": 3 * A**2})
    assert (report.ok, report.method, report.notes) == (True, "complex step", ())


def test_a_loss_that_refuses_complex_numbers_in_its_own_way_is_judged_by_differences():
    def picky(p):
        assert p["a"].dtype == np.float64, "real numbers only"
        return (p["a"] ** 2).sum()

    report = nb.check_gradients(picky, {"a": np.array([1.0, 2.0])}, {"a": np.array([2.0, 4.0])})
    assert report.ok
    assert any("AssertionError: real numbers only" in note for note in report.notes)


@pytest.mark.parametrize("method", ["auto", "complex", "richardson", "central"])
def test_a_gradient_at_a_kink_lies_between_its_sides(method):
    p = {"a": np.array([0.0, 1.3, -0.7, 0.0])}

    def relu(p):
        return (np.array([0.5, 2.0, 3.0, -1.5]) * np.maximum(p["a"], 0)).sum()

    for at_kinks in [(0.0, 0.0), (0.5, -1.5), (0.2, -0.1)]:
        report = nb.check_gradients(relu, p, {"a": np.array([at_kinks[0], 2.0, 0.0, at_kinks[1]])}, method)
        assert report.ok, report
    assert "kink" in report.rows[0].flags
    assert "derivatives from the two sides are 0 and 0.5; what was got lies between them" in notes(report)
    report = nb.check_gradients(relu, p, {"a": np.array([0.6, 2.0, 0.0, 0.0])}, method)
    assert not report.ok
    assert "got 0.6 lies outside" in notes(report)
    assert report.rows[0].index == (0,)
    assert not nb.check_gradients(relu, p, {"a": np.array([0.2, 2.1, 0.0, 0.0])}, method).ok
    assert not nb.check_gradients(relu, p, {"a": np.array([np.nan, 2.0, 0.0, 0.0])}, method).ok


@given(st.floats(-12, -1.2), st.sampled_from(["richardson", "central"]))
def test_a_kink_near_the_point_is_no_wrong_gradient(exponent, method):
    distance = 10.0**exponent
    p = {"a": np.array([distance, 1.0])}

    def bent(p):
        return np.abs(p["a"]).sum() + np.sin(p["a"]).sum()

    right = 1 + np.cos(p["a"])
    report = nb.check_gradients(bent, p, {"a": right}, method)
    assert report.ok, report
    assert "float32" not in notes(report)
    for wrong in (right + np.array([0.05, 0]), right * [1, 1.01]):
        assert not nb.check_gradients(bent, p, {"a": wrong}, method).ok


@given(st.floats(-2, 5), st.sampled_from(["auto", "richardson", "central"]), st.booleans())
def test_a_parameter_of_another_scale_is_no_wrong_gradient(exponent, method, flat_from_afar):
    scale = 10.0**exponent
    p = {"a": np.array([0.3, -0.8, 0.5]) / scale}

    def scaled(p):
        z = scale * p["a"]
        return (z * np.exp(-(z**2)) if flat_from_afar else np.tanh(z)).sum()

    z = scale * p["a"]
    right = scale * ((1 - 2 * z**2) * np.exp(-(z**2)) if flat_from_afar else 1 - np.tanh(z) ** 2)
    assert nb.check_gradients(scaled, p, {"a": right}, method).ok
    for wrong in (right * 1.01, right * [1, 1, 0.99], 0 * right):
        assert not nb.check_gradients(scaled, p, {"a": wrong}, method).rows[0].ok


def in_float32(p):
    return np.tanh(p["a"].astype(np.float32)).sum()


@pytest.mark.parametrize("loss", [in_float32, lambda p: float(in_float32(p)), lambda p: 3.0 + in_float32(p)])
@pytest.mark.parametrize("method", ["auto", "richardson", "central"])
def test_float32_inside_the_code_is_named_and_judged_as_it_allows(loss, method):
    right = 1 - np.tanh(A) ** 2
    for point in (A, A.astype(np.float32).astype(float)):
        report = nb.check_gradients(loss, {"a": point}, {"a": right}, method)
        assert report.ok, report
        assert "blurred as float32 inside the code blurs it" in notes(report)
        assert report.tolerance == 1e-3
    assert not nb.check_gradients(loss, {"a": A}, {"a": 1.01 * right}, method).ok


def test_complex64_inside_the_code_is_judged_as_it_allows():
    def single(p):
        kind = np.complex64 if np.iscomplexobj(p["a"]) else np.float32
        return np.tanh(p["a"].astype(kind)).sum(dtype=np.result_type(kind, np.float64))

    right = 1 - np.tanh(A) ** 2
    report = nb.check_gradients(single, {"a": A}, {"a": right}, "complex")
    assert report.ok, report
    assert report.tolerance == 1e-3
    assert not nb.check_gradients(single, {"a": A}, {"a": 1.01 * right}, "complex").ok


def test_float64_is_not_taken_for_float32():
    for loss in (lambda p: 1e8 + np.tanh(p["a"]).sum(), lambda p: (1e3 * p["a"]).sum() - 999 * p["a"].sum()):
        report = nb.check_gradients(loss, {"a": A}, {"a": np.zeros_like(A)}, "central")
        assert "float32" not in notes(report)


def test_arrays_changed_in_place_are_named():
    def spoiling(p):
        p["a"] *= 2
        return (p["a"] ** 2).sum()

    report = nb.check_gradients(spoiling, {"a": A}, {"a": 8 * A})
    assert report.ok, report
    assert "loss changes a in place" in notes(report)
    assert "in place" not in notes(nb.check_gradients(lambda p: (p["a"] ** 2).sum(), {"a": A}, {"a": 2 * A}))


def test_a_view_that_the_loss_returns_fools_nobody():
    report = nb.check_gradients(lambda p: p["a"].ravel()[2:3], {"a": A}, {"a": np.eye(3, 2, -1) * [1, 0]})
    assert report.ok, report
    assert not nb.check_gradients(lambda p: p["a"].ravel()[2:3], {"a": A}, {"a": 0 * A}).ok


def test_arrays_that_share_memory_are_named_and_moved_alone():
    base = np.arange(1.0, 7)
    params = {"a": base[:4], "b": base[2:]}
    loss = lambda p: (p["a"] ** 2).sum() + (p["b"] ** 3).sum()  # noqa: E731
    report = nb.check_gradients(loss, params, {"a": 2 * params["a"], "b": 3 * params["b"] ** 2})
    assert report.ok, report
    assert "params['a'] and params['b'] share memory" in notes(report)
    halves = {"a": base[:3], "b": base[3:]}
    report = nb.check_gradients(loss, halves, {"a": 2 * halves["a"], "b": 3 * halves["b"] ** 2})
    assert report.notes == ()


def test_a_parameter_whose_ravel_is_a_copy_is_named():
    params = {"a": A.T, "b": A}
    report = nb.check_gradients(
        lambda p: (p["a"] ** 2).sum() + p["b"].sum(), params, {"a": 2 * A.T.copy(), "b": 1 + 0 * A}
    )
    assert report.ok, report
    assert len(report.notes) == 1 or "share memory" in report.notes[1]
    assert "params['a'] is not contiguous: its ravel() is a copy" in report.notes[0]


def test_a_loss_that_jumps_has_no_verdict():
    with pytest.raises(ValueError, match=r"differences cannot judge grads\['a'\].*does the loss jump here"):
        nb.check_gradients(lambda p: (np.sign(p["a"]) + p["a"]).real.sum(), {"a": np.zeros(1)}, {"a": np.ones(1)})


def test_a_step_of_ones_own_decides_alone():
    p, right = {"a": np.array([0.4])}, {"a": 10 * np.cos([4.0])}

    def wave(p):
        return np.sin(10 * p["a"]).sum()

    assert nb.check_gradients(wave, p, right, "central").ok
    assert not nb.check_gradients(wave, p, right, "central", step=0.03).rows[0].ok
    with pytest.raises(ValueError, match=r"step is 0.1, at which differences are .* away .*; it needs to be shorter"):
        nb.check_gradients(wave, p, right, "central", step=0.1)


def test_a_tolerance_that_lets_everything_pass_is_refused():
    with pytest.raises(ValueError, match="tolerance is 2; it needs less than 1"):
        nb.check_gradients(lambda p: p["a"].sum(), {"a": np.ones(1)}, {"a": np.zeros(1)}, tolerance=2)


def test_arrays_without_numbers_are_refused():
    with pytest.raises(ValueError, match="hold no numbers at all"):
        nb.check_gradients(lambda p: p["a"].sum(), {"a": np.ones(0)}, {"a": np.ones(0)})


def test_a_tie_in_a_maximum_is_noted_though_each_entry_passes_by_itself():
    x = {"x": np.array([[2.0, 2.0, 1.0]])}
    everywhere = {"x": (x["x"] == x["x"].max()).astype(float)}
    report = nb.check_gradients(lambda p: p["x"].max(axis=1).sum(), x, everywhere, "complex")
    assert any("kink" in note for note in report.notes)

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.training import constant, linear
from tests.cases import assert_close


def test_sgd_with_momentum_by_hand():
    params, sgd = {"p": np.array([1.0])}, nb.SGD(0.1, momentum=0.5)
    sgd.step(params, {"p": np.array([2.0])})
    assert_close(params["p"], [1 - 0.1 * 2])
    sgd.step(params, {"p": np.array([4.0])})
    assert_close(params["p"], [0.8 - 0.1 * (0.5 * 2 + 4)])


def test_adam_by_hand():
    params, adam = {"p": np.array([1.0])}, nb.Adam(0.1)
    adam.step(params, {"p": np.array([3.0])})
    assert_close(params["p"], [1 - 0.1 * 3 / (3 + 1e-8)])
    m, v = 0.9 * 0.3 + 0.1 * -1, 0.999 * 0.009 + 0.001 * 1
    expected = params["p"] - 0.1 * (m / (1 - 0.81)) / (np.sqrt(v / (1 - 0.999**2)) + 1e-8)
    adam.step(params, {"p": np.array([-1.0])})
    assert_close(params["p"], expected)
    slow = nb.Adam(0.1, beta1=0.5, beta2=0.75, epsilon=0.25)
    params = {"p": np.array([1.0])}
    slow.step(params, {"p": np.array([3.0])})  # corrected for its start, the first step knows no beta
    assert_close(params["p"], [1 - 0.1 * 3 / (3 + 0.25)])


def test_a_step_is_one_step_however_many_parameters_there_are():
    one, two = {"p": np.ones(2)}, {"p": np.ones(2), "q": np.ones(3)}
    adam, other = nb.Adam(0.1), nb.Adam(0.1)
    for _ in range(3):
        adam.step(one, {"p": np.array([1.0, -2.0])})
        other.step(two, {"p": np.array([1.0, -2.0]), "q": np.ones(3)})
    assert np.array_equal(one["p"], two["p"])
    assert other.steps == 3


def test_every_setting_of_an_optimizer_matters_and_comes_back_in_its_settings():
    def walk(optimizer):
        params = {"p": np.ones(2)}
        for k in range(4):
            optimizer.step(params, {"p": np.array([1.0 + k, -2.0])}, 0.5)
        return params["p"]

    for make, usual, changes in [
        (nb.Adam, {"learning_rate": 0.1}, {"learning_rate": 0.2, "beta1": 0.5, "beta2": 0.9, "epsilon": 0.1}),
        (nb.SGD, {"learning_rate": 0.1}, {"learning_rate": 0.2, "momentum": 0.5}),
    ]:
        for name, value in changes.items():
            changed = make(**{**usual, name: value})
            assert not np.allclose(walk(changed), walk(make(**usual)))
            assert changed.settings[name] == value
            assert np.array_equal(walk(make(**changed.settings)), walk(make(**{**usual, name: value})))
    assert type(nb.Adam(np.float32(0.5)).learning_rate) is float


def test_where_nothing_is_said_the_settings_are_the_usual_ones():
    assert nb.Adam().settings == {"learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    assert nb.SGD().settings == {"learning_rate": 0.1, "momentum": 0.9}


def test_what_an_optimizer_remembers_stands_under_the_names_that_files_have():
    for optimizer, memory in [(nb.Adam(0.1), {"m": 0.1 * 3, "v": 0.001 * 9}), (nb.SGD(0.1), {"velocity": 3})]:
        optimizer.step({"p": np.ones(1)}, {"p": np.array([3.0])})
        assert list(optimizer.state) == [f"{slot}/p" for slot in memory]
        for slot, value in memory.items():
            assert_close(optimizer.state[f"{slot}/p"], [value])


def test_without_momentum_a_step_knows_nothing_of_the_one_before():
    params, sgd = {"p": np.array([1.0])}, nb.SGD(0.5, momentum=0)
    for g in (1.0, -2.0):
        before = params["p"].copy()
        sgd.step(params, {"p": np.array([g])})
        assert_close(params["p"], before - 0.5 * g)


def test_without_betas_adam_goes_by_the_sign():
    params, adam = {"p": np.zeros(2)}, nb.Adam(0.5, beta1=0, beta2=0, epsilon=1e-30)
    for g in ([3.0, -0.1], [-7.0, -2.0]):
        before = params["p"].copy()
        adam.step(params, {"p": np.array(g)})
        assert_close(params["p"], before - 0.5 * np.sign(g))


@pytest.mark.parametrize("optimizer", [nb.SGD, nb.Adam])
def test_the_scale_multiplies_the_learning_rate(optimizer):
    scaled, slower = {"p": np.ones(2)}, {"p": np.ones(2)}
    one, other = optimizer(0.4), optimizer(0.1)
    for g in ([1.0, 2.0], [3.0, -1.0]):
        one.step(scaled, {"p": np.array(g)}, 0.25)
        other.step(slower, {"p": np.array(g)})
    assert_close(scaled["p"], slower["p"])
    assert one.learning_rate == 0.4


@pytest.mark.parametrize("optimizer", [nb.SGD, nb.Adam])
def test_gradients_that_do_not_fit_change_nothing(optimizer):
    params, made = {"p": np.ones(2), "q": np.ones(2)}, optimizer(0.1)
    with pytest.raises(ValueError, match="grads"):
        made.step(params, {"p": np.ones(2), "q": np.ones(3)})
    assert params["p"].tolist() == [1, 1]
    assert made.steps == 0
    assert made.state == {}


@pytest.mark.parametrize("optimizer", [nb.SGD(0.05), nb.Adam(0.1)])
def test_an_optimizer_finds_the_bottom_of_a_bowl_in_place(optimizer):
    p = np.array([3.0, -2.0])
    params = {"p": p}
    for _ in range(300):
        optimizer.step(params, {"p": 2 * p})
    assert params["p"] is p
    assert np.abs(p).max() < 1e-2


def test_gradients_are_unchanged_and_float32_stays_float32():
    for optimizer in (nb.SGD(0.1), nb.Adam(0.1)):
        params, grads = {"p": np.ones(3, np.float32)}, {"p": np.ones(3, np.float32)}
        optimizer.step(params, grads)
        assert params["p"].dtype == np.float32
        assert {memory.dtype for memory in optimizer.state.values()} == {np.dtype(np.float32)}
        assert np.array_equal(grads["p"], np.ones(3))


def test_the_schedules():
    assert [constant(k, 4) for k in range(4)] == [1, 1, 1, 1]
    assert [linear(k, 4) for k in range(4)] == [1, 0.75, 0.5, 0.25]


def test_clipping_keeps_direction_and_limits_length():
    grads = {"a": np.array([3.0, 0.0]), "b": np.array([[4.0]])}
    clipped, norm = nb.clip_by_global_norm(grads, 1.0)
    assert norm == 5.0
    assert_close(clipped["a"], [0.6, 0.0])
    assert_close(clipped["b"], [[0.8]])
    assert grads["a"][0] == 3.0
    same, norm = nb.clip_by_global_norm(grads, 5.0)
    assert norm == 5.0
    assert all(np.array_equal(same[name], grads[name]) for name in grads)


def test_clipping_keeps_float32_and_does_not_overflow_in_it():
    clipped, norm = nb.clip_by_global_norm({"a": np.full(4, 1e30, np.float32)}, 1.0)
    assert clipped["a"].dtype == np.float32
    assert_close(clipped["a"], np.full(4, 0.5), 1e-6)
    assert_close(norm / 2e30, 1.0, 1e-6)
    for value in (np.inf, np.nan):
        with pytest.raises(FloatingPointError, match="clipping needs finite gradients"):
            nb.clip_by_global_norm({"a": np.array([1.0, value])}, 1.0)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: nb.SGD(0), "learning_rate is 0; it needs to be above 0"),
        (lambda: nb.SGD(np.inf), "learning_rate is inf; it needs to be above 0 and finite"),
        (lambda: nb.Adam(np.nan), "learning_rate is nan"),
        (lambda: nb.SGD(0.1, momentum=1), "momentum is 1; it needs to be from 0"),
        (lambda: nb.SGD(0.1, momentum=-0.1), "momentum is -0.1"),
        (lambda: nb.Adam(0.1, beta1=1), "beta1 is 1; it needs to be from 0 up to, but not including, 1"),
        (lambda: nb.Adam(0.1, beta1=-0.1), "beta1 is -0.1"),
        (lambda: nb.Adam(0.1, beta2=1.5), "beta2 is 1.5"),
        (lambda: nb.Adam(0.1, epsilon=0), "epsilon is 0"),
        (lambda: nb.clip_by_global_norm({}, np.nan), "max_norm is nan"),
        (lambda: nb.clip_by_global_norm({}, 0), "max_norm is 0; it needs to be above 0"),
        (lambda: nb.Adam().step({"p": np.zeros(2)}, {"q": np.zeros(2)}), "grads lacks 'p'"),
        (
            lambda: nb.Adam().step({"p": np.zeros(2)}, {"p": np.zeros(3)}),
            r"grads\['p'\] has shape \(3,\); it needs \(2,\)",
        ),
        (lambda: nb.Settings(epochs=0), "epochs is 0; it needs to be at least 1"),
        (
            lambda: nb.Settings(schedule="cosine"),  # type: ignore[arg-type]
            "schedule is 'cosine'; it needs one of 'constant', 'linear'",
        ),
        (lambda: nb.Settings(max_norm=-1.0), "max_norm is -1.0"),
    ],
)
def test_settings_that_make_no_sense_are_named(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()

"""The floor counts the products and the tanh of a shape, no more and no fewer, and makes them."""

import pytest

from tests.benchmarks import floor, race
from tests.benchmarks.shapes import SHAPES, Shape

ONE_LAYER = [shape for shape in SHAPES if shape.layers == 1]
ODD = [Shape(7, 3, 5, 6), Shape(7, 3, 5, 6, cell="GRU"), Shape(700, 3, 5, 6), Shape(2, 1000, 5, 6)]


def operations(products):
    return sum(product.operations for product in products)


@pytest.mark.parametrize("shape", ONE_LAYER + ODD, ids=lambda shape: shape.name)
def test_the_products_have_the_operations_of_the_equations(shape):
    T, N, D, H, *_, cell = shape
    gates = {"LSTM": 4, "GRU": 3}[cell]
    one = 2 * 2 * T * N  # a multiplication and an addition, in two directions, for each step and row
    together, apart = floor.forward_products(shape, D)
    assert operations(apart) == one * (H + 1 + D) * gates * H
    zeros = (1 + D) * H if cell == "GRU" else 0  # n_h is a product with h alone
    assert operations(together) == one * ((H + 1 + D) * gates * H + zeros)
    dh, dx = H * gates * H, D * gates * H
    dW = (H + 1 + D) * gates * H + (gates * H if cell == "GRU" else 0)  # a bias on both sides of the reset gate
    assert operations(floor.backward_products(shape, D)) == one * (dh + dW + dx)


def test_the_layers_above_the_first_read_two_directions_and_the_linear_layer_both():
    shape = Shape(40, 32, 10, 20, layers=2, outputs=5)
    assert floor.input_sizes(shape) == [10, 40]
    forward, backward = floor.linear_products(shape)
    assert operations(forward) == 2 * 40 * 32 * 40 * 5
    assert operations(backward) == 2 * operations(forward)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_form_of_a_product_has_its_shape(shape):
    together, apart = floor.forward_products(shape, shape.D)
    for product in [*together, *apart, *floor.backward_products(shape, shape.D)]:
        for w, r in floor.forms(product, shape.H):
            assert product.columns % w == 0
            assert product.transposed or product.rows % r == 0
            assert r <= product.rows + 3  # the last tile of Z^T is filled up
        assert (product.columns, product.rows) in floor.forms(product, shape.H)


def test_a_run_makes_all_calls_of_its_product(monkeypatch):
    made = []
    monkeypatch.setattr(floor, "matmul", lambda left, right, out: made.append((left.shape, right.shape, out.shape)))
    product = floor.Product(3, 8, 5, 12)
    floor.multiplied(product, 6, 4, 2)(product.times)
    assert made == [((2, 1, 2, 4, 5), (2, 2, 1, 5, 6), (2, 2, 2, 4, 6))] * 3
    for run in floor.in_one_thread(lambda P: floor.multiplied(product, 12, 8, P)):
        made.clear()
        run(1)
        assert sum(left[0] for left, *_ in made) == 2


@pytest.mark.parametrize("choose", [floor.one_thread, floor.thread_a_direction])
def test_all_products_are_made_in_both_directions(monkeypatch, choose):
    made = []
    monkeypatch.setattr(floor, "fastest", lambda runs, times: (1.0, next(iter(runs))))
    monkeypatch.setattr(floor, "matmul", lambda left, right, out: made.append(2 * out.size * right.shape[-2]))
    wanted = [floor.Product(3, 8, 5, 12), floor.Product(2, 4, 8, 12)]
    choose(wanted, 4)[1](1)
    assert sum(made) == operations(wanted)


@pytest.mark.parametrize(("cell", "per_step"), [("LSTM", 5), ("GRU", 3)])
def test_the_tanh_passes_take_every_gate_of_every_step_and_of_an_lstm_the_cell(monkeypatch, cell, per_step):
    T, N, H = 7, 3, 6
    numbers = []
    monkeypatch.setattr(floor, "fastest", lambda runs, times: (0.0, next(iter(runs))))
    monkeypatch.setattr(floor, "tanh", lambda a, out: numbers.append(a.size))
    for run in floor.tanh_passes(Shape(T, N, 5, H, cell=cell)):
        numbers.clear()
        run()
        assert sum(numbers) == per_step * 2 * T * N * H


def test_the_fastest_form_is_taken(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(floor.time, "perf_counter", lambda: clock[0])

    def run_of(seconds):
        def run(calls):
            clock[0] += calls * seconds

        return run

    slow, quick = run_of(3.0), run_of(2.0)
    assert floor.fastest(iter([slow, quick, slow]), 1000) == (2000.0, quick)


@pytest.mark.parametrize(
    "shape", [Shape(3, 4, 3, 4), Shape(3, 1, 3, 4, layers=2, outputs=2), Shape(3, 4, 3, 4, 1, 0, "GRU")]
)
def test_the_floor_of_any_shape_runs(monkeypatch, shape):
    tried = []
    monkeypatch.setattr(floor, "fastest", lambda runs, times, least=0: (1.0, tried.append(times) or list(runs)[-1]))
    train, infer = floor.products(shape)
    train(), infer()
    assert len(tried) > 5 * shape.layers


def test_the_ratio_to_the_floor_is_of_direct_neighbours():
    products, tanh, both = (("one thread", "(1, 1, 1, 1)", name, "training") for name in ("products", "tanh", "floor"))
    ((ours, floors),) = race.with_floor({products: [(3.0, 2.0)], tanh: [(6.0, 1.0)]})[both]
    assert floors == 2 + 1
    assert ours / floors == pytest.approx(1 / (2 / 3 + 1 / 6))


def test_a_run_without_the_tanh_passes_has_no_floor():
    found = {("one thread", "(1, 1, 1, 1)", "products", "training"): [(3.0, 2.0)]}
    assert race.with_floor(found) == found

"""What the engine holds in memory, and that lent memory is never in two hands."""

import gc
import tracemalloc
from itertools import permutations
from unittest import mock

import numpy as np
import pytest

from npbilstm.engine import buffers, passes, recurrent_backward, recurrent_forward, tiles, workspace
from tests.cases import assert_all_close
from tests.engine.cells import ENGINE_CELLS, by_engine, make_case, weights_of


def idle_bytes():
    """How much memory waits to be lent."""
    return sum(block.nbytes for block in buffers._idle)


@pytest.fixture(scope="module", autouse=True)
def the_rest_out_of_sight():
    """The full collections of these tests need not look through what others have left."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_idle():
    gc.collect()
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.collect()


def forward(case, **options):
    return recurrent_forward(ENGINE_CELLS[case.name](), case.x, case.state, weights_of(case), case.lengths, **options)


def backward(case, y, cache):
    return recurrent_backward(case.dy, case.dstate_T, cache)


def peak_of(action) -> int:
    """The most memory held during the action, in bytes, beyond what was held before; what is idle is dropped first."""
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    action()
    return tracemalloc.get_traced_memory()[1] - before


KINDS = ["GRU", "GRU, reset before", "RNN, relu", "LSTM, coupled, peepholes, projection"]


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        *(("LSTM", shape) for shape in [(40, 32, 10, 20), (100, 32, 64, 64), (100, 32, 128, 128), (400, 64, 32, 32)]),
        *((name, (100, 32, 64, 64)) for name in KINDS),
    ],
)
def test_a_training_step_takes_at_most_8_floats_a_unit_direction_and_step(name, shape):
    T, N, D, H = shape
    case = make_case(name, N, T, D, H, dtype=np.float32, scale=0.05)

    def step():
        y, _, cache = forward(case)
        backward(case, y, cache)

    weights = 2 * (D + H + 1) * 4 * H
    outputs = 2 * N * T * H + N * T * D + weights  # y, dx and the gradients of the weights
    copies = 4 * weights  # in tiles, transposed: they do not grow with T
    assert peak_of(step) - 4 * (outputs + copies) <= 8 * 4 * 2 * N * T * H


@pytest.mark.slow
@pytest.mark.parametrize("name", ["LSTM", *KINDS])
def test_inference_takes_memory_that_does_not_grow_with_T(name):
    def beyond_y(T):
        case = make_case(name, 8, T, 6, 10, lengths=range(T - 7, T + 1))
        y = forward(case, keep=False)[0].nbytes
        # the least of three: what another thread, pytest's say, takes for itself at that moment is counted too
        return min(peak_of(lambda: forward(case, keep=False)) for _ in range(3)) - y

    # what grows is Python's: it keeps up to 80 empty lists of 56 bytes for later, and a block needs a few; a full
    # collection gives them back. Five thousand steps are 40 blocks: beside those lists, not even 16 bytes each
    assert beyond_y(6000) <= beyond_y(1000) + 80 * 56 + 640


@pytest.mark.few(1)
@pytest.mark.parametrize("name", ["LSTM", *KINDS])
@pytest.mark.parametrize("shape", [(100, 32, 64, 64), (400, 64, 32, 32)])
def test_a_second_thread_takes_no_more_than_that(name, shape):
    with mock.patch.object(passes, "helper_pays", return_value=True):
        test_a_training_step_takes_at_most_8_floats_a_unit_direction_and_step(name, shape)


@pytest.mark.slow
def test_storing_states_at_intervals_takes_less_memory_for_the_same_gradients():
    case = make_case("LSTM", 4, 400, 3, 32)

    def step(store_every):
        y, _, cache = forward(case, store_every=store_every)
        return backward(case, y, cache)

    assert_all_close(step(20), step(None))
    outputs = 8 * (2 * 4 * 400 * 32 + 4 * 400 * 3)
    assert (peak_of(lambda: step(20)) - outputs) * 2 < peak_of(lambda: step(None)) - outputs


def test_idle_memory_is_lent_again_and_given_back_by_a_full_collection():
    case = make_case("LSTM", 16, 50, 20, 30)
    cache = forward(case)[2]
    held = cache.A[0]
    address = held.ctypes.data
    assert idle_bytes() < held.nbytes
    del held, cache
    assert idle_bytes() >= 51 * 5 * 2 * 16 * 30 * 8
    again = forward(case)[2]
    assert again.A[0].ctypes.data == address
    del again
    gc.collect()
    assert idle_bytes() == 0


@pytest.mark.slow
def test_passes_of_many_shapes_hoard_no_memory():
    def step(T):
        case = make_case("LSTM", 16, T, 20, 30)
        y, _, cache = forward(case)
        backward(case, y, cache)

    most = peak_of(lambda: step(150))

    def steps():
        for T in range(50, 151, 10):
            step(T)

    assert peak_of(steps) <= 1.1 * most


@pytest.mark.few(2)
@pytest.mark.parametrize("sizes", list(permutations([1 << 20, 2 << 20, 3 << 20])))
def test_one_buffer_of_each_of_three_sizes_in_turn_leaves_nothing_idle(sizes):
    """Smaller or larger, what was lent before is given back before fresh memory is made."""
    for size in sizes:
        (array,) = buffers.borrow(np.dtype(np.uint8), (size,))
        assert idle_bytes() == 0
        del array
        assert idle_bytes() == size


def test_as_much_idle_memory_is_given_back_as_fresh_memory_is_made_and_what_has_waited_longest_first():
    MB = 1 << 20
    lent = [buffers.borrow(np.dtype(np.uint8), (size,)) for size in (MB, MB, 3 * MB)]
    while lent:
        del lent[0]
    (array,) = buffers.borrow(np.dtype(np.uint8), (2 * MB,))
    assert idle_bytes() == 3 * MB
    del array


@pytest.mark.slow
def test_a_block_that_another_thread_took_is_not_lent_twice(monkeypatch):
    class Idle(list):
        def pop(self, k):
            return np.empty(7, np.uint8)  # what stands there now is another one

    monkeypatch.setattr(buffers, "_idle", Idle([np.empty(1 << 20, np.uint8)]))
    (array,) = buffers.borrow(np.dtype(np.uint8), (1 << 20,))
    assert array.nbytes == 1 << 20


def test_two_caches_may_be_alive_at_once():
    one, other = make_case(seed=1), make_case(seed=2)
    expected = [backward(case, *forward(case)[::2]) for case in (one, other)]
    (y_one, *_, cache_one), (y_other, *_, cache_other) = forward(one), forward(other)
    assert_all_close(backward(one, y_one, cache_one), expected[0], 0)
    assert_all_close(backward(other, y_other, cache_other), expected[1], 0)


def test_a_part_of_a_cache_outlives_the_cache():
    case = make_case("LSTM", 16, 50, 20, 30)
    cache = forward(case)[2]
    gates = cache.A[0][10:12, :4]
    expected = gates.copy()
    del cache
    for seed in range(3):
        forward(make_case("LSTM", 16, 50, 20, 30, seed=seed))
    assert np.array_equal(gates, expected)


def test_gradients_outlive_later_passes():
    case = make_case("LSTM", 16, 50, 20, 30)
    gradients = backward(case, *forward(case)[::2])
    expected = [gradients[0].copy(), gradients[2][1]["Wx"].copy()]
    for seed in range(3):
        other = make_case("LSTM", 16, 50, 20, 30, seed=seed)
        backward(other, *forward(other)[::2])
    assert_all_close([gradients[0], gradients[2][1]["Wx"]], expected, 0)


def test_lent_arrays_begin_at_whole_cache_lines_of_their_block():
    arrays = buffers.borrow(np.dtype(np.float32), (1000, 50), (3,), (200, 100))
    assert len({array.ctypes.data % 64 for array in arrays}) == 1
    assert all(array.flags.aligned for array in arrays)


def test_at_most_a_64th_more_is_lent_than_was_asked_for():
    for size in range(1 << 18, 1 << 19, 997):
        assert size <= buffers.rounded_up(size) <= size * 65 / 64


def test_a_small_collection_gives_nothing_back():
    buffers.borrow(np.dtype(np.float32), (1000, 1000))
    idle = idle_bytes()
    assert idle
    gc.collect(0)
    assert idle_bytes() == idle


@pytest.mark.few(1)
@pytest.mark.parametrize("name", ENGINE_CELLS)
@pytest.mark.parametrize("junk", [np.inf, 3e38])
def test_what_lent_memory_held_before_never_matters(name, junk, monkeypatch):
    case = make_case(name, N=3, T=7, H=4, lengths=[7, 3, 0], masked=True)
    expected = [by_engine(case, store_every=k) for k in (None, 2)]

    def junk_filled(dtype, *shapes):
        return [np.full(shape, junk, dtype) for shape in shapes]

    for module in (passes, tiles, workspace):
        monkeypatch.setattr(module, "borrow", junk_filled)
    assert_all_close([by_engine(case, store_every=k) for k in (None, 2)], expected, 0)


def test_lent_arrays_have_the_shape_and_dtype_asked_for_and_share_nothing():
    for dtype in (np.float32, np.float64, np.complex128):
        arrays = buffers.borrow(np.dtype(dtype), (3, 5), (0, 4), (7,), ())
        assert [(array.shape, array.dtype) for array in arrays] == [
            ((3, 5), dtype),
            ((0, 4), dtype),
            ((7,), dtype),
            ((), dtype),
        ]
        for k, array in enumerate(arrays):
            array[...] = k
        assert all((array == k).all() for k, array in enumerate(arrays))

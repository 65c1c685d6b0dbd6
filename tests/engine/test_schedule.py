"""What the engine chooses for a shape is always a way that exists."""

import threading
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npbilstm.engine import helper, schedule, tiles
from tests.engine.plans import PLANS, going

sizes = st.integers(1, 700)


@given(st.sampled_from(["as the shape wants", "whole matrices"]), sizes, sizes, sizes)
def test_tiles_fill_the_matrix(way, rows, depth, width):
    with going(way):
        w = tiles.tile_width(width)
        r = tiles.tile_rows(rows, depth, w)
        count, each = tiles.row_tiles(rows, depth, w)
    assert width % w == 0
    assert rows % r == 0
    assert rows <= count * each < rows + 4 * count


@given(sizes, sizes)
def test_tiles_are_small_enough_to_stay_unpacked_where_the_rows_allow_it(rows, depth):
    with going("as the shape wants"), mock.patch.object(tiles, "unpacked_limit", return_value=1_000_000):
        w = tiles.tile_width(64)
        assert w == 64
        assert tiles.tile_rows(4 * rows, depth, w) * depth * w <= 1_000_000
        assert tiles.row_tiles(rows, depth, w)[1] * depth * w <= 1_000_000


@given(sizes, st.integers(1_000_000 // (16 * 64) + 1, 5000))
def test_rows_stay_together_where_not_even_sixteen_would_stay_unpacked(rows, depth):
    with going("as the shape wants"), mock.patch.object(tiles, "unpacked_limit", return_value=1_000_000):
        assert tiles.row_tiles(rows, depth, 64) == (1, rows)
        assert tiles.row_tiles(33, 1_000_000 // (16 * 64), 64) == (3, 12)


def test_small_steps_go_together_and_large_ones_apart(monkeypatch):
    monkeypatch.setattr(schedule, "threads", lambda: 1)
    assert schedule.groups_of_directions(32, 64, 64, 2) == ([slice(0, 2)], False)
    assert schedule.groups_of_directions(64, 256, 256, 2) == ([slice(0, 1), slice(1, 2)], False)
    assert schedule.groups_of_directions(64, 256, 256, 1) == ([slice(0, 1)], False)


def test_large_directions_get_a_thread_each_only_where_products_start_no_threads_of_their_own(monkeypatch):
    monkeypatch.setattr(schedule, "threads", lambda: 2)
    for limit in (0, 1_000_000):
        monkeypatch.setattr(schedule, "unpacked_limit", lambda limit=limit: limit)
        monkeypatch.setattr(schedule, "tile_rows", lambda *_: 4)
        monkeypatch.setattr(schedule, "tile_width", lambda _: 64)
        assert schedule.groups_of_directions(64, 256, 256, 2)[1] == (limit > 0)


@pytest.mark.parametrize(("variables", "expected"), [({"OPENBLAS_NUM_THREADS": "1"}, 1), ({"OMP_NUM_THREADS": "3"}, 3)])
def test_threads_are_as_many_as_blas_was_told(monkeypatch, variables, expected):
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert schedule.threads() >= 1
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert schedule.threads() == expected


def test_kernels_asked_for_by_name_are_believed(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert tiles.unpacked_limit.__wrapped__() == 0


def test_jobs_at_once_run_in_threads_give_their_results_in_order_and_keep_errstate():
    together = threading.Barrier(2, timeout=60)  # none goes on before all have begun

    def job(k):
        together.wait()
        return k, threading.get_ident(), np.geterr()["over"]

    with np.errstate(over="raise"):
        results = helper.run_each(job, [0, 1], at_once=True)
    assert [k for k, *_ in results] == [0, 1]
    assert len({thread for _, thread, _ in results}) == 2
    assert {over for *_, over in results} == {"raise"}


def test_an_error_in_a_job_reaches_the_caller():
    for at_once in (True, False):
        with pytest.raises(ZeroDivisionError):
            helper.run_each(lambda k: 1 / k, [1, 0], at_once)


def test_every_way_is_one_that_this_engine_can_go():
    for name, changes in PLANS.items():
        with going(name):
            assert all(getattr(module, attribute) == value for (module, attribute), value in changes.items())


@given(st.integers(1, 3000), sizes)
def test_a_forward_block_has_512_rows_or_more_where_they_are_short(N, K):
    rows = schedule.forward_block(N, K) * N
    assert schedule.forward_block(N, K) >= 1
    assert rows <= max(N, 1024)
    assert rows + N > 512
    if K <= 64:
        assert rows + N > 1024

"""The second thread of a pass: the same bits as without it, and nothing of it is left when the pass has ended."""

import os
import signal
import threading
from contextlib import contextmanager
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npbilstm.engine import helper, passes, recurrent_backward, recurrent_forward, schedule, workspace
from tests.cases import assert_all_close
from tests.engine.cells import ENGINE_CELLS, by_engine, cases, make_case

ON, OFF = lambda *_: True, lambda *_: False
every_cell = pytest.mark.parametrize("name", ENGINE_CELLS)


class Late(helper.Helper):
    """A thread that is as slow as it may be: each job is done at the last moment."""

    jobs = ()

    def start(self):
        self._thread = mock.Mock()

    def give(self, *jobs):
        self.finish()
        self.jobs = jobs
        if self._thread is None:
            self.finish()

    def finish(self):
        for job in self.jobs:
            job()
        self.jobs = ()


@contextmanager
def blocks_of(steps, helped=ON, kind=helper.Helper):
    with (
        mock.patch.object(passes, "helper_pays", helped),
        mock.patch.object(helper, "Helper", kind),
        mock.patch.object(workspace, "backward_block", return_value=steps),
    ):
        yield


@settings(max_examples=10)
@given(cases(), st.integers(1, 4), st.none() | st.integers(1, 7), st.sampled_from([helper.Helper, Late]))
def test_with_a_second_thread_the_gradients_are_the_same_to_the_last_bit(case, steps, store_every, kind):
    with blocks_of(steps, OFF):
        expected = by_engine(case, store_every=store_every)
    with blocks_of(steps, kind=kind):
        assert_all_close(by_engine(case, store_every=store_every), expected, 0)


@every_cell
def test_no_block_overwrites_what_the_gradients_of_the_one_before_are_made_of(name):
    case = make_case(name, N=3, T=9, lengths=[9, 4, 0], masked=True)
    with blocks_of(2, OFF):
        expected = by_engine(case)
    with blocks_of(2, kind=Late):
        assert_all_close(by_engine(case), expected, 0)


def test_a_late_helper_sees_memory_that_two_blocks_share(monkeypatch):
    plain, projected = make_case(N=3, T=9), make_case("LSTM, projection", N=3, T=9)
    with blocks_of(2, OFF):
        expected, of_projected = by_engine(plain), by_engine(projected)
    monkeypatch.setattr(ENGINE_CELLS["LSTM, projection"](), "helped", True)
    with blocks_of(2, kind=Late), pytest.raises(AssertionError):
        assert_all_close(by_engine(projected), of_projected, 0)  # its m and dh are the loop's
    monkeypatch.setattr(Late, "blocks_at_once", 1)
    with blocks_of(2, kind=Late), pytest.raises(AssertionError):
        assert_all_close(by_engine(plain), expected, 0)  # one da for both


@pytest.fixture
def backward():
    """A backward pass of several blocks with a second thread."""
    case = make_case(N=3, T=8)
    _, _, cache = recurrent_forward(ENGINE_CELLS["LSTM"](), case.x, case.state, case.params)
    with blocks_of(2):
        yield lambda: recurrent_backward(case.dy, case.dstate_T, cache)


def failing_at(monkeypatch, name, error, calls=1):
    """workspace.BackwardWorkspace.`name` fails at this call and counts on; -> in which threads it was called."""
    real, threads = getattr(workspace.BackwardWorkspace, name), []

    def fail(*arguments):
        threads.append(threading.current_thread())
        if len(threads) == calls:
            raise error
        return real(*arguments)

    monkeypatch.setattr(workspace.BackwardWorkspace, name, fail)
    return threads


@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit])
@pytest.mark.parametrize("name", ["add_weight_gradient", "add_input_gradient", "read"])
def test_an_error_on_either_side_reaches_the_caller_and_leaves_no_thread(monkeypatch, backward, name, error):
    before = threading.enumerate()
    failing_at(monkeypatch, name, error("planted"), calls=2)
    with pytest.raises(error, match="planted"):
        backward()
    assert set(threading.enumerate()) <= set(before)  # another test's may have ended meanwhile


def test_of_two_errors_the_one_comes_that_came_first_in_one_thread(monkeypatch, backward):
    failing_at(monkeypatch, "add_weight_gradient", ZeroDivisionError("dW of the first block"))
    failing_at(monkeypatch, "add_input_gradient", ValueError("dx of the first block"))
    failing_at(monkeypatch, "read", OverflowError("the second block"), calls=2)
    with pytest.raises(ZeroDivisionError):
        backward()


@pytest.mark.parametrize("name", ["add_weight_gradient", "read"])
def test_an_interrupt_ends_the_pass_at_once_and_leaves_no_thread(monkeypatch, backward, name):
    before, begun = threading.enumerate(), threading.Event()
    real = getattr(workspace.BackwardWorkspace, name)

    def interrupted(*arguments):
        if not begun.is_set():
            begun.set()
            signal.raise_signal(signal.SIGINT)  # the main thread's, whichever thread is here
        return real(*arguments)

    monkeypatch.setattr(workspace.BackwardWorkspace, name, interrupted)
    with pytest.raises(KeyboardInterrupt):
        backward()
    assert set(threading.enumerate()) <= set(before)  # another test's may have ended meanwhile


@pytest.mark.parametrize("action", ["raise", "ignore"])
def test_the_second_thread_has_the_callers_errstate(monkeypatch, backward, action):
    seen, real = [], workspace.BackwardWorkspace.add_weight_gradient

    def looking(*arguments):
        seen.append((np.geterr()["under"], np.geterr()["over"]))
        real(*arguments)

    monkeypatch.setattr(workspace.BackwardWorkspace, "add_weight_gradient", looking)
    with np.errstate(under=action, over="call", call=print):
        backward()
    assert set(seen) == {(action, "call")}


def test_an_overflow_in_the_second_thread_is_an_error_where_the_caller_wants_one(backward):
    case = make_case(N=3, T=8, dtype=np.float32)
    _, _, cache = recurrent_forward(ENGINE_CELLS["LSTM"](), case.x, case.state, case.params)
    dy = np.full_like(case.dy, np.finfo(np.float32).max / 4)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        recurrent_backward(dy, case.dstate_T, cache)


def test_where_no_thread_can_be_started_one_does_all(monkeypatch, backward):
    expected = backward()
    monkeypatch.setattr(helper.Thread, "start", mock.Mock(side_effect=RuntimeError("can't start new thread")))
    assert_all_close(backward(), expected, 0)
    assert helper.run_each(lambda k: (k, threading.get_ident()), [0, 1], at_once=True) == [
        (k, threading.get_ident()) for k in (0, 1)
    ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is Unix's")
def test_a_process_forked_after_a_pass_goes_on(backward):
    dx = backward()[0]
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(backward()[0], dx) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_passes_in_two_threads_of_the_users_own_do_not_wait_for_each_other(backward):
    dx, found = backward()[0], []
    threads = [threading.Thread(target=lambda: found.extend(backward()[0] for _ in range(5))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 10
    assert all(np.array_equal(dx, other) for other in found)


def test_with_one_thread_none_is_started(monkeypatch):
    monkeypatch.setattr(schedule, "threads", lambda: 1)
    assert not schedule.helper_pays(32, 100, 512, 512, 2048, [slice(0, 1)], at_once=False)
    with mock.patch.object(helper, "Thread", mock.Mock(side_effect=AssertionError)), helper.second_thread(False) as one:
        one.give(lambda: None)


def test_gradients_get_a_second_thread_where_it_has_enough_to_do_and_a_processor(monkeypatch):
    monkeypatch.setattr(schedule, "unpacked_limit", lambda: 1_000_000)
    for threads, groups, at_once, expected in [
        (2, [slice(0, 2)], False, True),
        (1, [slice(0, 2)], False, False),
        (3, [slice(0, 1), slice(1, 2)], True, False),
        (4, [slice(0, 1), slice(1, 2)], True, True),
    ]:
        monkeypatch.setattr(schedule, "threads", lambda threads=threads: threads)
        assert schedule.helper_pays(32, 100, 64, 64, 256, groups, at_once) == expected
    assert not schedule.helper_pays(32, 40, 10, 20, 80, [slice(0, 2)], at_once=False)  # too little to do
    assert not schedule.helper_pays(128, 1, 64, 64, 256, [slice(0, 2)], at_once=False)  # no block to do it beside
    monkeypatch.setattr(schedule, "unpacked_limit", lambda: 0)  # BLAS has threads of its own
    assert not schedule.helper_pays(32, 100, 64, 64, 256, [slice(0, 2)], at_once=False)


@pytest.mark.parametrize(("locked", "threads", "at_once"), [(True, 2, False), (False, 2, True), (False, 1, False)])
def test_without_a_global_lock_directions_of_all_sizes_get_a_thread_each(monkeypatch, locked, threads, at_once):
    monkeypatch.setattr(schedule.sys, "_is_gil_enabled", lambda: locked, raising=False)
    monkeypatch.setattr(schedule, "threads", lambda: threads)
    monkeypatch.setattr(schedule, "unpacked_limit", lambda: 1_000_000)
    groups = [slice(0, 1), slice(1, 2)] if at_once else [slice(0, 2)]
    assert schedule.groups_of_directions(1, 2, 3, 2) == (groups, at_once)

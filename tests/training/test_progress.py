"""The progress bar, on a terminal and elsewhere, with tqdm and without."""

import io
import sys
import warnings
from threading import Thread
from types import SimpleNamespace

import pytest

from npbilstm.training import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def shown(monkeypatch):
    """Where standard error goes: a terminal, or what is no terminal."""

    def to(stream):
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return to


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_on_a_terminal_the_plain_bar_rewrites_its_line_at_most_five_times_a_second(shown, clock):
    terminal = shown(Terminal())
    with progress.PlainBar(8, 2, "epoch 1/3", True) as bar:
        for k in range(6):
            bar.set_postfix_str(f"loss {k}")
            bar.update(1)
            clock.now += 0.125
    lines = ["epoch 1/3: 3/8 loss 0", "epoch 1/3: 5/8 loss 2", "epoch 1/3: 7/8 loss 4", "epoch 1/3: 8/8 loss 5\n"]
    assert terminal.getvalue().split("\r\x1b[K") == ["", *lines]


def test_elsewhere_the_plain_bar_is_one_line_when_it_closes(shown, clock):
    stream = shown(io.StringIO())
    with progress.PlainBar(8, 0, "epoch 1/3", True) as bar:
        for _ in range(8):
            bar.set_postfix_str("loss 0.5")
            bar.update(1)
            clock.now += 1
    assert stream.getvalue() == "epoch 1/3: 8/8 loss 0.5\n"


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_a_bar_that_is_not_to_show_shows_nothing(shown, stream):
    stream = shown(stream())
    with progress.progress_bar(8, 0, "epoch 1/3", False) as bar:
        bar.update(1)
    assert stream.getvalue() == ""


def test_on_a_terminal_tqdms_bar_is_taken_and_told_where_the_run_stands(shown, monkeypatch):
    shown(Terminal())
    monkeypatch.setitem(sys.modules, "tqdm", SimpleNamespace(tqdm=lambda **told: told))
    told = progress.progress_bar(8, 2, "epoch 1/3", True)
    assert told == {"total": 8, "initial": 2, "desc": "epoch 1/3", "unit": "batch", "dynamic_ncols": True}


@pytest.mark.parametrize(
    ("stream", "show", "installed"), [(Terminal, True, False), (Terminal, False, True), (io.StringIO, True, True)]
)
def test_without_tqdm_a_terminal_or_anything_to_show_it_is_the_plain_bar(shown, monkeypatch, stream, show, installed):
    shown(stream())
    monkeypatch.setitem(sys.modules, "tqdm", SimpleNamespace(tqdm=dict) if installed else None)
    bar = progress.progress_bar(8, 2, "epoch 1/3", show)
    assert isinstance(bar, progress.PlainBar)
    assert (bar.total, bar.n, bar.desc, bar.show) == (8, 2, "epoch 1/3", show)


class Gone(io.StringIO):
    def write(self, text):
        raise BrokenPipeError


def closed():
    stream = Terminal()
    stream.close()
    return stream


@pytest.mark.parametrize("make", [lambda: None, closed, Gone])
def test_nobody_who_listens_is_no_trouble(shown, make):
    shown(make())
    progress.tell("to whom?")
    assert not progress.on_terminal()


def test_what_is_told_is_there_at_once(shown):
    stream = shown(io.TextIOWrapper(io.BytesIO(), write_through=False))
    progress.tell("now")
    assert stream.buffer.getvalue() == b"now"


def test_tqdm_says_nothing_where_no_thread_can_be_started(shown, monkeypatch):
    tqdm = pytest.importorskip("tqdm").tqdm

    def no_thread(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", no_thread)
    monkeypatch.setattr(tqdm, "monitor", None)
    monkeypatch.setattr(tqdm, "monitor_interval", 10)
    shown(Terminal())
    with warnings.catch_warnings(record=True) as warned, progress.progress_bar(8, 0, "epoch 1/3", True) as bar:
        warnings.simplefilter("always")
        bar.update(1)
    assert isinstance(bar, tqdm)
    assert tqdm.monitor_interval == 0
    assert warned == []

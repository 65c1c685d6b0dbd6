"""A progress bar on a terminal: tqdm's where it is installed (the extra `progress`), else one plain line."""

from __future__ import annotations

import sys
import time
import warnings
from contextlib import suppress
from types import TracebackType
from typing import Any


def tell(text: str) -> None:
    """Write to standard error, if anybody listens: a reader that went away is no reason to stop a training run."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(text)
        sys.stderr.flush()


def on_terminal() -> bool:
    """Whether standard error is a terminal."""
    return sys.stderr is not None and not sys.stderr.closed and sys.stderr.isatty()


class PlainBar:
    """One line on a terminal, rewritten at most five times a second; elsewhere, a line when it closes."""

    def __init__(self, total: int, initial: int, desc: str, show: bool) -> None:
        self.total, self.n, self.desc, self.text, self.show = total, initial, desc, "", show
        self.shown = 0.0

    def __enter__(self) -> PlainBar:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self.show:
            self.write("\n")

    def write(self, end: str) -> None:
        start = "\r\x1b[K" if on_terminal() else ""  # what was longer does not stand on behind it
        tell(f"{start}{self.desc}: {self.n}/{self.total} {self.text}{end}")

    def update(self, n: int) -> None:
        self.n += n
        if self.show and on_terminal() and time.monotonic() - self.shown > 0.2:
            self.shown = time.monotonic()
            self.write("")

    def set_postfix_str(self, text: str, refresh: bool = True) -> None:
        self.text = text


def progress_bar(total: int, initial: int, desc: str, show: bool) -> Any:
    """A context manager with update(n) and set_postfix_str(text), on standard error."""
    if show and on_terminal():
        try:
            from tqdm import tqdm

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # where no thread can be started it does without one, and warns
                return tqdm(total=total, initial=initial, desc=desc, unit="batch", dynamic_ncols=True)
        except ImportError:
            pass
    return PlainBar(total, initial, desc, show)

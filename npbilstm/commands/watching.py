"""When a file is saved, as `npbilstm check FILE.py --watch` asks: by the package watchfiles (the extra `watch`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

SETTLE = 100
"""Milliseconds of watching before the file is read the first time, and after that between two looks at Ctrl-C."""


def saves(path: str) -> Iterator[bool]:
    """False at once, and True after each save of the file, one during the work on the last included; without end.

    The folder is watched, since many editors put a new file in the old one's place; so is the folder of the file
    that a link leads to. A file that goes away is not saved yet.

    Raises ValueError where watchfiles is not installed, OSError where the system watches no more.
    """
    try:
        from watchfiles import Change, watch
    except ImportError as error:
        raise ValueError("--watch needs the package watchfiles: pip install 'npbilstm[watch]'") from error
    files = {Path(path).absolute(), Path(path).resolve()}
    names = {file.name for file in files}
    seen = watch(
        *{file.parent for file in files},
        watch_filter=lambda change, changed: change != Change.deleted and Path(changed).name in names,
        recursive=False,
        rust_timeout=SETTLE,
        yield_on_timeout=True,
    )
    next(seen)  # from here on no save is missed
    yield False
    yield from (True for changes in seen if changes)

"""What is told of an error in a submission: its own lines and the message, and no more than can be read.

An error's message may be 50 MB, or loop; it may have a million causes, and come from a hundred thousand calls below.
"""

from __future__ import annotations

import builtins
import errno
import os
import traceback
from collections import deque
from contextlib import suppress
from types import TracebackType

from npbilstm.printable import cut
from npbilstm.submission.containment import GIGABYTES
from npbilstm.submission.errors import SubmissionError

FRAMES = 20
"""How many of the submission's lines a traceback shows, the last ones."""
WIDTH, TRACE, MESSAGE = 200, 2000, 900
"""How many characters are told of a line, of these lines, and of what was raised."""
DEPTH = 1000
"""How many calls are looked through for them."""


def describe_error(error: BaseException, path: str, doing: str, contained: bool = True) -> str:
    """What is told of an error, whatever it does when it is looked at. contained: whether the limits that it names
    are there."""
    text = ""
    with suppress(BaseException):
        text = explain_error(error, path, doing, contained)
    return text if text.strip() else f"{doing} raised an error that cannot be shown"


def explain_error(error: BaseException, path: str, doing: str, contained: bool) -> str:
    """A sentence, or the traceback of the submission's lines and the message; of both no more than can be read."""
    if isinstance(error, SubmissionError):
        return cut_lines(str(error), path)
    traceback.clear_frames(error.__traceback__)  # what filled the memory, maybe
    calls = traceback.extract_tb(last_calls(error.__traceback__))
    frames = traceback.format_list([call for call in calls if call.filename == path][-FRAMES:])
    frames = [cut_lines(frame, path) for frame in frames]
    while sum(map(len, frames)) > TRACE:
        del frames[0]
    error.__cause__ = error.__context__ = None  # a chain is as long as somebody makes it
    if isinstance(error, SyntaxError) and len(error.text or "") > WIDTH:
        error.text = None
    if isinstance(error, getattr(builtins, "BaseExceptionGroup", ())):  # and a group as large
        message = f"{type(error).__name__}: {error}"
    else:
        message = "".join(traceback.format_exception_only(error))
    message = cut_lines(message.rstrip(), path)
    if isinstance(error, SystemExit):
        message = f"SystemExit: {doing} ends the program; it must not"
    elif isinstance(error, MemoryError) and contained:
        message += f" (the code may use {GIGABYTES} GB)"
    elif contained and isinstance(error, PermissionError) and message.endswith(os.strerror(errno.EPERM)):
        message += " (the code may start no other process, and do nothing to one)"
    if isinstance(error, SyntaxError) and error.filename == path:
        return message.lstrip()
    return "".join(frames) + message if frames else f"{doing}: {message}"


def last_calls(trace: TracebackType | None) -> TracebackType | None:
    """The last DEPTH calls of a traceback."""
    last: deque[TracebackType] = deque(maxlen=DEPTH)
    while trace is not None:
        last.append(trace)
        trace = trace.tb_next
    return last[0] if last else None


def cut_lines(text: str, path: str) -> str:
    """A text of so many characters, none of its lines longer than a file's name and some code."""
    width, most = len(path) + WIDTH, len(path) + MESSAGE
    lines = [line if len(line) <= width else f"{line[:width]} ..." for line in text[:most].split("\n")]
    return "\n".join(lines) + cut(text, most)[most:]

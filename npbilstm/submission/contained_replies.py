"""What is told of a reply from the sandbox that is no answer: what the submission raised, or returned instead.

What replies.py is for `check`. Here the code has been given hidden numbers, which its own words might carry out.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Collection, Mapping
from typing import Any

from npbilstm.printable import one_line
from npbilstm.submission.runner_client import QUOTED

KNOWN_MESSAGES = (
    "operands could not be broadcast together",
    "matmul: Input operand 1 has a mismatch in its core dimension",
    "shapes not aligned",
    "cannot reshape array",
    "non-broadcastable output operand",
    "all the input array dimensions except for the concatenation axis must match exactly",
    "array is not broadcastable to correct shape",
    "too many indices for array",
    "assignment destination is read-only",
    "not enough values to unpack",
    "too many values to unpack",
    "cannot unpack non-iterable",
    "missing required positional argument",
    "object is not callable",
    "object is not subscriptable",
    "object has no attribute",
    "is not defined",
    "referenced before assignment",
    "cannot access local variable",
    "out of bounds",
    "out of range",
    "unsupported operand type",
    "unexpected keyword argument",
    "positional argument",
    "maximum recursion depth exceeded",
    "Unable to allocate",
)
"""What Python and NumPy say; of a message that holds one of these it is told, and none of its numbers."""


def error_in(facts: Mapping[str, Any], doing: str, file: str, lines: int, own_words: bool) -> str:
    """The sentence for what the submission raised. file, lines: its name, and how many lines it has. own_words: whether
    its message may be quoted. Raises ValueError, TypeError or KeyError where the reply is not one."""
    kind, line, message = (facts["error"][key] for key in ("type", "line", "message"))
    if [type(kind), type(line), type(message)] != [str, int, str]:
        raise ValueError
    known = getattr(builtins, kind, None)
    kind = kind if isinstance(known, type) and issubclass(known, BaseException) else "an error of its own"
    if kind == "NotImplementedError":
        return "NotImplementedError: it is not written yet"
    at = f" at line {line} of {file}" if 0 < line <= lines else ""
    if own_words:
        said = one_line(message[:QUOTED], QUOTED)
        return f"{doing} raised {kind}{at}" + (f', and says "{said}"' if said.strip() else "")
    said = next((f": {each}" for each in KNOWN_MESSAGES if each in re.sub(r"\s+", " ", message)), "")
    return f"{doing} raised {kind}{at}{said}"


def misfit_in(facts: Mapping[str, Any], doing: str, asked: Collection[str]) -> str:
    """The sentence for what the submission returned in place of what was asked for; raises as error_in does. asked: the
    names in it. Others are told as none: a submission may say anything here, too, and so what it was given."""
    name, shape = facts["misfit"]
    if not isinstance(name, str) or not (shape is None or isinstance(shape, list)):
        raise ValueError
    name = name if name in asked else ""
    if shape is None:
        return f"{doing} returned something that is not what its docstring says" + (f" ({name})" if name else "")
    if len(shape) > 8 or not all(type(size) is int for size in shape):
        raise ValueError
    return f"{doing} returned an array of another shape for {name}: of {len(shape)} axes, or of other sizes"

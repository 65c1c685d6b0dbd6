"""Messages between two processes: facts as JSON and arrays as bytes. Nothing that is received is ever run or unpickled.

8 bytes         how long the facts are
8 bytes         how long the arrays are
the facts       JSON; "arrays" lists the name, dtype and shape of each array
the arrays      one after another

Both ends frame them by one function, the runner's. The process that judges trusts nobody. Before it reads on it knows
how much may come: HEAD bytes of facts, and of arrays those that it asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from json import loads
from math import prod
from typing import Any

import numpy as np

from npbilstm.submission.function_spec import Arrays
from npbilstm.submission.runner import FRAME, HEAD, framed

FLOAT = np.dtype(float).str

Shapes = Mapping[str, tuple[int, ...]]
"""The arrays that are asked for, all of float64: their shapes by name."""


def encode_message(facts: Mapping[str, Any], arrays: Mapping[str, Any] | None = None) -> bytes:
    """A message. Raises ValueError where the facts are too long."""
    return framed(facts, {name: np.asarray(array) for name, array in (arrays or {}).items()})


def receive(read: Callable[[int], bytes], asked: Shapes | None = None) -> tuple[dict[str, Any], Arrays]:
    """Read a message -> facts, arrays. read: gives so many bytes, no fewer.

    asked: the arrays that may come, each once, and no others; None takes whatever comes, from one who is trusted.
    Raises ValueError where it is no such message, and what `read` raises.
    """
    head, body = FRAME.unpack(read(FRAME.size))
    if head > HEAD:
        raise ValueError("it announces a message that is too long")
    facts = facts_in(read(head))
    listed = facts.pop("arrays", None)
    if asked is not None:
        listed = as_asked(listed, asked)
    if body != sum(np.dtype(dtype).itemsize * prod(shape) for _, dtype, shape in listed):
        raise ValueError("it announces arrays of one length and sends them in another")
    data = read(body)
    arrays, start = {}, 0
    for name, dtype, shape in listed:
        arrays[name] = np.frombuffer(data, np.dtype(dtype), prod(shape), start).reshape(shape).copy()
        start += arrays[name].nbytes
    return facts, arrays


def receive_reply(number: object, read: Callable[[int], bytes], asked: Shapes) -> tuple[dict[str, Any], Arrays]:
    """Read the reply to the request of this number; one with another number was sent before anybody asked."""
    facts, arrays = receive(read, asked)
    if facts.get("number") != number:
        raise ValueError("it answers what nobody has asked")
    return facts, arrays


def facts_in(head: bytes) -> dict[str, Any]:
    """The facts in the bytes of a message."""
    try:
        facts = loads(head)
    except (ValueError, RecursionError):  # nested too deeply
        facts = None
    if not isinstance(facts, dict):
        raise ValueError("it sends what is no answer")
    return facts


def as_asked(listed: Any, asked: Shapes) -> list[Any]:
    """The arrays that a message lists, as they were asked for. Raises ValueError for any other."""
    forms = [[name, FLOAT, list(shape)] for name, shape in asked.items()]
    if not isinstance(listed, list) or not all(form in forms for form in listed):
        raise ValueError("it sends arrays that were not asked for, or of another shape or dtype")
    known: list[Any] = [forms[forms.index(form)] for form in listed]  # 1.0 and True equal 1, and are no size
    if len({name for name, *_ in known}) < len(known):
        raise ValueError("it sends one array twice")
    return known

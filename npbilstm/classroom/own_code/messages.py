"""Messages between two processes: facts as JSON and arrays as bytes. Nothing that is received is ever run or unpickled.

8 bytes         how long the facts are
8 bytes         how long the arrays are
the facts       JSON; "arrays" lists the name, dtype and shape of each array
the arrays      one after another
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from json import dumps, loads
from math import prod
from typing import IO, Any

import numpy as np

from npbilstm.classroom.subjects import Arrays

LENGTHS = struct.Struct("<QQ")


def send(stream: IO[bytes], facts: Mapping[str, Any], arrays: Mapping[str, Any] | None = None) -> None:
    """Write a message."""
    kept = {name: np.asarray(array) for name, array in (arrays or {}).items()}
    listed = [[name, array.dtype.str, array.shape] for name, array in kept.items()]
    head = dumps({**facts, "arrays": listed}).encode()
    body = b"".join(array.tobytes() for array in kept.values())
    stream.write(LENGTHS.pack(len(head), len(body)) + head + body)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], Arrays]:
    """Read a message -> facts, arrays. Raises EOFError where the stream ends, ValueError where it is no message."""
    head_length, body_length = LENGTHS.unpack(read(stream, LENGTHS.size))
    facts = loads(read(stream, head_length))
    body = read(stream, body_length)
    arrays, start = {}, 0
    for name, dtype, shape in facts.pop("arrays"):
        count = prod(shape)
        arrays[name] = np.frombuffer(body, np.dtype(dtype), count, start).reshape(shape).copy()
        start += arrays[name].nbytes
    return facts, arrays


def read(stream: IO[bytes], count: int) -> bytes:
    """So many bytes of a stream, or EOFError."""
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data

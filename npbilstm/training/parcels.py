"""What goes to a worker and comes back: pickled; its arrays beside that, where there is memory that both see."""

from __future__ import annotations

import pickle
from typing import Any, NamedTuple


class Parcel(NamedTuple):
    """pickled: a thing without the arrays that are beside it. places: of each of those, where in the memory it is."""

    pickled: bytes
    places: list[slice]


def packed(thing: Any, memory: memoryview | None = None) -> Parcel:
    """A thing to be sent. Its arrays are in the memory, as many as find room, until the next is packed there."""
    places: list[slice] = []
    end = 0

    def goes_along(buffer: pickle.PickleBuffer) -> bool:
        """Whether an array is pickled with the rest; otherwise it is now in the memory."""
        nonlocal end
        given = buffer.raw()
        place = slice(end, end + given.nbytes)
        if memory is None or not given.nbytes or place.stop > memory.nbytes:
            return True
        memory[place] = given
        places.append(place)
        end = -(-place.stop // 64) * 64  # whole cache lines
        return False

    return Parcel(pickle.dumps(thing, pickle.HIGHEST_PROTOCOL, buffer_callback=goes_along), places)


def unpacked(parcel: Parcel, memory: memoryview | None = None) -> Any:
    """The thing; its arrays view the memory."""
    buffers = [] if memory is None else [memory[place] for place in parcel.places]
    return pickle.loads(parcel.pickled, buffers=buffers)


def room(memory: memoryview | None, k: int, count: int) -> memoryview | None:
    """The k-th of so many equal parts of a memory."""
    if memory is None:
        return None
    size = memory.nbytes // count // 64 * 64
    return memory[k * size : (k + 1) * size]

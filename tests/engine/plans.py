"""The ways the engine can go, whatever the shape: each must give the textbook's numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any
from unittest import mock

from npbilstm.engine import passes, schedule, tiles, workspace


def half_width(width: int) -> int:
    return width // 2 if width % 2 == 0 else width


def half_rows(rows: int, depth: int, width: int) -> int:
    return rows // 2 if rows % 2 == 0 and rows else max(rows, 1)


PLANS: dict[str, dict[tuple[ModuleType, str], Any]] = {
    "as the shape wants": {},
    "blocks of two steps": {
        (workspace, "forward_block"): lambda N, K: 2,
        (workspace, "backward_block"): lambda N, H, T: 2,
    },
    "the input's share with the rest": {(workspace, "FEW_ROWS"): 0},
    "the input's share by itself": {(workspace, "FEW_ROWS"): 1000},
    "a direction after the other": {(schedule, "SMALL_STEP"): 0, (schedule, "threads"): lambda: 1},
    "a thread for each direction": {
        (schedule, "SMALL_STEP"): 0,
        (schedule, "threads"): lambda: 2,
        (schedule, "unpacked_limit"): lambda: 10**9,  # else BLAS would have threads of its own
    },
    "gradients beside the next block": {(passes, "helper_pays"): lambda *_: True},
    "whole matrices": {(tiles, "unpacked_limit"): lambda: 0, (schedule, "unpacked_limit"): lambda: 0},
    "small tiles": {
        (workspace, "FEW_ROWS"): 0,
        (tiles, "tile_width"): half_width,
        (workspace, "tile_width"): half_width,
        (tiles, "tile_rows"): half_rows,
        (workspace, "row_tiles"): lambda rows, depth, width: (-(-rows // 2), 2),
    },
}


@contextmanager
def going(name: str) -> Iterator[None]:
    """The engine goes this way inside, and chooses anew after."""
    remembered = [tiles.tile_width, tiles.tile_rows, tiles.row_tiles]
    with ExitStack() as stack:
        for choice in remembered:
            choice.cache_clear()
            stack.callback(choice.cache_clear)
        for (module, attribute), value in PLANS[name].items():
            stack.enter_context(mock.patch.object(module, attribute, value))
        yield

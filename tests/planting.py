"""Planting a bug: a module of the package with one change in its own source, run as a module of its own."""

from __future__ import annotations

import inspect
from types import ModuleType


def planted(module: ModuleType, old: str, new: str) -> ModuleType:
    """The module with its one occurrence of `old` replaced by `new`."""
    source = inspect.getsource(module)
    assert source.count(old) == 1, (
        f"{old!r} stands {source.count(old)} times in {module.__name__}; a plant needs one place"
    )
    changed = ModuleType(module.__name__)
    changed.__dict__["__file__"] = module.__file__
    exec(compile(source.replace(old, new), f"<{module.__name__}, planted>", "exec"), changed.__dict__)
    return changed

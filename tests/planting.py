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
    return made_from(module, source.replace(old, new))


def planted_below(user: ModuleType, module: ModuleType, old: str, new: str) -> ModuleType:
    """A copy of `user` that uses `module` with its one occurrence of `old` replaced by `new`."""
    changed, copy = planted(module, old, new), made_from(user, inspect.getsource(user))
    names = [name for name in vars(copy) if getattr(vars(copy)[name], "__module__", None) == module.__name__]
    assert names, f"{user.__name__} uses nothing of {module.__name__}"
    vars(copy).update({name: vars(changed)[name] for name in names})
    return copy


def made_from(module: ModuleType, source: str) -> ModuleType:
    """A module of this source in the place of `module`, which stays as it is."""
    made = ModuleType(module.__name__)
    made.__dict__["__file__"] = module.__file__
    exec(compile(source, f"<{module.__name__}, planted>", "exec"), made.__dict__)
    return made

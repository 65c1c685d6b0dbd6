"""Planting a bug: a module of the package with one change in its own source, run as a module of its own."""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from unittest import mock


def planted(module: ModuleType, old: str, new: str) -> ModuleType:
    """The module with its one occurrence of `old` replaced by `new`."""
    source = inspect.getsource(module)
    assert source.count(old) == 1, (
        f"{old!r} stands {source.count(old)} times in {module.__name__}; a plant needs one place"
    )
    return made_from(module, source.replace(old, new))


def planted_below(users: list[ModuleType], module: ModuleType, old: str, new: str) -> list[ModuleType]:
    """Copies of `users`, each after those that it uses, which use one another and `module` with its one occurrence of
    `old` replaced by `new`."""
    made = {module.__name__: planted(module, old, new)}
    used = module in users
    for user in users:
        with mock.patch.dict(sys.modules, made):  # a class is made of its base when it is imported
            copy = made.setdefault(user.__name__, made_from(user, inspect.getsource(user)))
        for name, value in list(vars(copy).items()):
            home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            if home in made and home != user.__name__:
                vars(copy)[name] = made[home] if isinstance(value, ModuleType) else vars(made[home]).get(name, value)
                used = True
    assert used, f"nobody uses anything of {module.__name__}"
    return [made[user.__name__] for user in users]


def made_from(module: ModuleType, source: str) -> ModuleType:
    """A module of this source in the place of `module`, which stays as it is."""
    made = ModuleType(module.__name__)
    made.__dict__["__file__"] = module.__file__
    exec(compile(source, f"<{module.__name__}, planted>", "exec"), made.__dict__)
    return made

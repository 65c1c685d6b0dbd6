"""A package whose names are imported when one of them is first used, so that importing it costs next to nothing.

The stub beside its __init__.py lists them, `from npbilstm.layers import LSTM as LSTM`: type checkers and Python read
the same lines, as with the package lazy_loader. What this file needs is imported where it is used: it costs, too.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def lazy(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """What makes a package lazy, given its __name__ and its __file__. In its __init__.py:

    __getattr__, __dir__ = lazy(__name__, __file__)
    """
    homes: dict[str, str] = {}

    def listed() -> dict[str, str]:
        """Each name, and the module that it is imported from."""
        if not homes:
            import ast
            from pathlib import Path

            for node in ast.parse(Path(file).with_suffix(".pyi").read_text("utf-8")).body:
                if isinstance(node, ast.ImportFrom) and node.module is not None:
                    homes.update({each.asname: node.module for each in node.names if each.asname is not None})
        return homes

    def found(name: str) -> Any:
        import sys
        from importlib import import_module

        if name == "__all__":
            value: Any = [*listed()]
        elif name not in listed():
            raise AttributeError(f"{package} has no {name!r}; its public names are {', '.join(listed())}")
        elif listed()[name] == package:
            value = import_module(f"{package}.{name}")  # a room
        else:
            value = getattr(import_module(listed()[name]), name)
        setattr(sys.modules[package], name, value)  # and is not asked for again
        return value

    def names() -> list[str]:
        import sys

        own = [name for name in vars(sys.modules[package]) if name.startswith("__")]
        return sorted({*own, *listed()})

    return found, names

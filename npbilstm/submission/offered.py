"""What the runner has of this package for a checked file: what the file is offered, and what reads it; nothing else.

withheld.py is the other end. The rest of the package computes what a file is compared with, or tells it: importing that
is an error here, and on Linux its files cannot be opened (Landlock, from 5.13 on). Elsewhere a file that wants to cheat
itself can still read them, by their path.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import marshal
import sys
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from npbilstm.submission.containment import PACKAGE, ROOMS

if TYPE_CHECKING:
    from npbilstm.submission.checked_file import CheckedFile


class Offer:
    """Imports of this package. code: of modules by name, in the place of those that there are."""

    def __init__(self, code: dict[str, CodeType]) -> None:
        self.code = code

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """How a module is made; None where others are to be asked."""
        if name in self.code:
            within = any(other.startswith(f"{name}.") for other in self.code)
            return importlib.util.spec_from_loader(
                name,
                self,  # type: ignore[arg-type]
                is_package=within,
            )
        package, _, rest = name.partition(".")
        room = PACKAGE / rest.partition(".")[0]
        if package == "npbilstm" and room.is_dir() and room.name not in ROOMS:
            raise ModuleNotFoundError(
                f"{name} is not to be had here: it knows what the file is compared with", name=name
            )
        return None

    def create_module(self, _: object) -> None:
        """Have it made as usual."""

    def exec_module(self, module: ModuleType) -> None:
        """Make a module."""
        exec(self.code[module.__name__], vars(module))


def take_offer(offer: bytes) -> CheckedFile:
    """Be content with what is offered -> what answers. offer: the code of modules by name, as bytes."""
    sys.meta_path.insert(0, Offer(marshal.loads(offer)))
    from npbilstm.submission.checked_file import CheckedFile

    return CheckedFile()

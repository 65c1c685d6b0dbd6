"""Make each tutorial's notebook, executed, from its script:

    python -m tutorials.build                  all of them
    python -m tutorials.build one_cell         only those named
    python -m tutorials.build --out FOLDER     into another folder

A tutorial is a script in jupytext's percent format beside this file; its notebook bears the same name. The same script
gives the same notebook: cells are numbered, no times are kept, and the kernel runs the package this checkout holds.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
PACKAGES = ["ipykernel", "jupytext", "matplotlib", "nbclient"]
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def scripts() -> dict[str, Path]:
    """Every tutorial's name and script: the files here that are written in cells."""
    paths = sorted(FOLDER.glob("*.py"))
    return {path.stem: path for path in paths if re.search(r"^# %%", path.read_text(encoding="utf-8"), re.MULTILINE)}


def environment() -> dict[str, str]:
    """For the kernel: this checkout's package first, and figures drawn into the notebook."""
    places = [str(FOLDER.parent), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, places)),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }


def unexecuted(script: Path) -> Any:
    """The script's cells as a notebook, without outputs."""
    import jupytext
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    cells = []
    for k, cell in enumerate(jupytext.reads(script.read_text(encoding="utf-8"), fmt="py:percent").cells):
        new_cell = new_code_cell if cell.cell_type == "code" else new_markdown_cell
        cells.append(new_cell(cell.source, id=f"cell-{k}"))
    return new_notebook(cells=cells, metadata=METADATA)


def build(script: Path, out: Path) -> Path:
    """Execute a script's cells in a fresh kernel and write the notebook into the folder out -> its path.

    Raises nbclient.exceptions.CellExecutionError where a cell fails; then nothing is written.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = unexecuted(script)
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(FOLDER)}},
        extra_arguments=["--log-level=ERROR"],
    )
    client.execute(env=environment())
    notebook.metadata = METADATA  # the kernel has added its version
    target = out / f"{script.stem}.ipynb"
    partial = target.with_suffix(".ipynb.partial")
    try:
        partial.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def main(arguments: list[str] | None = None) -> int:
    """The command -> its exit code: 0, 1 where a cell fails, 2 where something needed is missing."""
    parser = argparse.ArgumentParser(prog="python -m tutorials.build", description="Execute tutorials into notebooks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(scripts())}; by default all")
    parser.add_argument("--out", type=Path, default=FOLDER, help="the folder to write to; by default the scripts' own")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in scripts():
            parser.error(f"there is no tutorial {name!r}; there are {', '.join(scripts())}")
    missing = [package for package in PACKAGES if find_spec(package) is None]
    if missing:
        needed = f"{', '.join(missing)}, from the extra tutorials"
        print(f'python -m tutorials.build needs {needed}: pip install -e ".[tutorials]"', file=sys.stderr)
        return 2
    from nbclient.exceptions import CellExecutionError

    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.names or scripts():
        try:
            path = build(scripts()[name], options.out)
        except CellExecutionError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

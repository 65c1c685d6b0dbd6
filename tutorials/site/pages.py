"""What the site has: the pages that there are, each at its place in the repository, and a page of every module.

A link on a page to a module or to a room of the package leads to that page of the API.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "npbilstm"
TUTORIALS = [
    "one_cell", "two_directions", "through_time", "training_loop", "checking_gradients", "inside_a_model",
    "textbook_to_fast", "three_frameworks", "taggers", "encoder_decoder",
]  # fmt: skip
GUIDES = {
    "Guides": [
        "derivation", "engine", "inside", "checking", "peers", "tagged", "series", "browser", "duality", "truncation",
    ],
    "Exercises": ["exercises", "museum", "forms", "teaching"],
    "Measured": ["speed", "diagnosis"],
    "The project": ["changes", "contributing"],
}  # fmt: skip
ROOMS = [
    "textbook", "layers", "models", "gradcheck", "diagnosis", "training", "datasets", "inspector", "interop",
    "classroom", "engine",
]  # fmt: skip
PAGES, PROGRAMS = {".md", ".ipynb"}, {".py", ""}
LINK = re.compile(r"\]\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)")


def gather(source: Path) -> None:
    """Write all that Sphinx is to read into a new folder."""
    written = [*api(source)]
    others: set[Path] = set()
    for page in sorted([ROOT / "README.md", *ROOT.glob("tutorials/*.md"), *ROOT.glob("tutorials/guides/*.md")]):
        others |= copy(page, source)
    for page in ROOT.glob("tutorials/*.ipynb"):
        others |= copy(page, source)
    for path in others:
        show(path, source)
    start = (source / "README.md").rename(source / "index.md")
    start.write_text(start.read_text("utf-8") + lists(written), encoding="utf-8")


def copy(page: Path, source: Path) -> set[Path]:
    """A page at its place, its links led to where the site has what they name -> the files among these."""
    place = source / page.relative_to(ROOT)
    place.parent.mkdir(parents=True, exist_ok=True)
    files = set()

    def led(link: re.Match[str]) -> str:
        target = (page.parent / link[1]).resolve()
        if target == ROOT / "README.md":
            target = ROOT / "index.md"
        elif target == ROOT / "tutorials":
            target = ROOT / "tutorials/README.md"
        elif name := module_name(target):
            target = ROOT / f"api/{name}.md"
        elif target.exists() and target.suffix not in PAGES:
            files.add(target)
            target = target.with_name(f"{target.name}.md") if target.suffix in PROGRAMS else target
        return f"]({os.path.relpath(target, page.parent)}{link[2] or ''})"

    place.write_text(LINK.sub(led, page.read_text("utf-8")), encoding="utf-8")
    return files


def show(path: Path, source: Path) -> None:
    """A file of another kind at its place; a program, or a folder of them, on a page."""
    place = source / path.relative_to(ROOT)
    place.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in PROGRAMS:
        programs = sorted(path.glob("*.py")) if path.is_dir() else [path]
        parts = [f"---\norphan: true\n---\n\n# {path.relative_to(ROOT)}\n"]
        parts += [
            f"## {each.name}\n" * path.is_dir() + f"```python\n{each.read_text('utf-8')}\n```\n" for each in programs
        ]
        place.with_name(f"{place.name}.md").write_text("\n".join(parts), encoding="utf-8")
    else:
        shutil.copyfile(path, place)


def module_name(path: Path) -> str:
    """The module or room of a path, by name; "" where it is none that has a page."""
    parts = path.relative_to(PACKAGE).parts if path.is_relative_to(PACKAGE) else ("",)
    if (parts and parts[0] not in ROOMS) or not (path.suffix == ".py" or path.is_dir()):
        return ""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def modules(folder: Path) -> Iterator[tuple[str, Path]]:
    """The modules of a room, and the rooms in it, by name; what is private is left out."""
    for path in sorted(folder.iterdir()):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if (path / "__init__.py").exists() or (path.suffix == ".py" and not path.name.startswith("_")):
            yield name, path


def within(name: str) -> str:
    """A module's name within the package, which is short enough for a title on a phone."""
    return name.removeprefix("npbilstm.")


def said_of(path: Path) -> str:
    """The first paragraph of a module's docstring, or of a room's."""
    source = (path / "__init__.py" if path.is_dir() else path).read_text("utf-8")
    paragraph, _, _ = (ast.get_docstring(ast.parse(source)) or "").partition("\n\n")
    return re.sub(r"([*_])", r"\\\1", paragraph.replace("\n", " "))


def api(source: Path) -> Iterator[str]:
    """Write a page for each room and module -> the names of the rooms."""
    place = source / "api"
    place.mkdir(parents=True)

    def write(name: str, path: Path) -> None:
        below = list(modules(path)) if path.is_dir() else []
        # a module's page is found from its room's: the list beside every page would grow fivefold, and the build slow
        head = [] if path.parent == PACKAGE else ["---", "orphan: true", "---", ""]
        lines = ["```{eval-rst}", f".. automodule:: {name}", *["   :no-members:"] * path.is_dir(), "```", ""]
        lines += [f"- [{within(module)}]({module}.md): {said_of(file)}" for module, file in below]
        (place / f"{name}.md").write_text("\n".join([*head, f"# {within(name)}", "", *lines, ""]), encoding="utf-8")
        for each in below:
            write(*each)

    for room in ROOMS:
        write(f"npbilstm.{room}", PACKAGE / room)
        yield f"npbilstm.{room}"


def lists(rooms: list[str]) -> str:
    """All pages, in the order in which they are found beside each: the end of the first page, which is README."""

    def tree(caption: str, pages: list[str]) -> str:
        return "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""])

    trees = [tree("Start", ["What it is <self>", "Three ways through <tutorials/README>"])]
    trees += [tree("Tutorials", [f"tutorials/{name}" for name in TUTORIALS])]
    trees += [tree(caption, [f"tutorials/guides/{name}" for name in names]) for caption, names in GUIDES.items()]
    trees += [tree("API", [f"{within(room)} <api/{room}>" for room in rooms])]
    return "\n" + "\n".join(trees)

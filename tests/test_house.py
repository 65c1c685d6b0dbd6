"""The house is as its README and its design say: rooms, arrows, imports, commands."""

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import npbilstm

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "npbilstm"
README = (ROOT / "README.md").read_text()

MAY_IMPORT = {
    "files.py": set(),
    "archives.py": {"files"},
    "lazy.py": set(),
    "printable.py": set(),
    "pools.py": set(),
    "processes.py": set(),
    "textbook": set(),
    "engine": set(),
    "gradcheck": {"lazy"},
    "datasets": {"files", "archives"},
    "layers": {"textbook", "engine"},
    "models": {"textbook", "engine", "layers"},
    "training": {"textbook", "layers", "models", "files", "archives", "pools"},
    "inspector": {"textbook", "layers", "models", "interop", "files", "printable"},  # interop: a trace opens weights
    "interop": {"textbook", "layers", "models", "training", "files", "archives"},
    "mistakes": {"textbook"},
    "submission": {"textbook", "gradcheck", "printable", "processes"},
    "diagnosis": {"textbook", "gradcheck", "mistakes", "submission", "printable"},
    "classroom": {"textbook", "mistakes", "submission", "diagnosis", "files", "printable", "pools"},
    "commands": {
        "textbook",
        "gradcheck",
        "datasets",
        "layers",
        "models",
        "training",
        "inspector",
        "interop",
        "mistakes",
        "submission",
        "diagnosis",
        "classroom",
        "files",
        "printable",
        "pools",
        "processes",
    },
    "cli.py": {"commands", "printable"},
}
"""Arrows run one way."""

OPTIONAL = {
    "typing_extensions": {"layers", "models", "training"},
    "tqdm": {"training"},
    "onnx": {"interop"},
    "safetensors": {"interop"},
    "matplotlib": {"commands", "gradcheck", "inspector"},
    "watchfiles": {"commands"},
    "distributed": {"classroom"},
}
"""Packages that are not required, and the rooms that import each where it is used."""


@pytest.fixture(scope="module", autouse=True)
def trees_are_forgotten():
    """A million nodes that every full collection of garbage would look through."""
    yield
    nodes_of.cache_clear()
    imports_of.cache_clear()


@cache
def nodes_of(path):
    """Every node of a file's syntax tree, the whole of it first."""
    return list(ast.walk(ast.parse(path.read_text())))


@cache
def imports_of(path):
    """The nodes of a file's imports."""
    return [node for node in nodes_of(path) if isinstance(node, ast.Import | ast.ImportFrom)]


def imports(path):
    """(module, whether at the top of the file) for each import of a file."""
    top = set(map(id, nodes_of(path)[0].body))
    for node in imports_of(path):
        names = [node.module] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            if isinstance(node, ast.ImportFrom) and name == "npbilstm":
                yield from ((f"npbilstm.{alias.name}", id(node) in top) for alias in node.names)
            else:
                yield name, id(node) in top


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_arrows_run_one_way(room):
    place = PACKAGE / room
    for path in [place] if place.is_file() else place.rglob("*.py"):
        for name, _ in imports(path):
            if name.startswith("npbilstm."):
                assert name.split(".")[1] in {room, *MAY_IMPORT[room]}, f"{path.name} imports {name}"
            assert name != "npbilstm" or room == "cli.py", f"{path.name} imports the whole of npbilstm"


def files_needed(path):
    """The package's files from which a file imports something, wherever in it the import stands."""
    for node in imports_of(path):
        names = [f"{node.module}.{alias.name}" for alias in node.names] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for place in (ROOT.joinpath(*name.split(".")) for name in names if name.startswith("npbilstm")):
            files = [place.with_suffix(".py"), place / "__init__.py"]
            files += [place.parent.with_suffix(".py"), place.parent / "__init__.py"]
            yield from [file for file in files if file.exists()][:1]


def test_no_file_needs_one_that_needs_it():
    needs = {file: set(files_needed(file)) for file in PACKAGE.rglob("*.py")}
    TopologicalSorter(needs).prepare()  # an error names those in a circle


def room_of(path):
    """The room that a file of the package stands in: "layers" of layers/merge.py, "cli" of cli.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def is_private(name):
    """Whether a name begins with an underscore, and is no special one, nor one that named tuples give to everybody."""
    return name.startswith("_") and not name.endswith("_") and name not in ("_asdict", "_fields", "_make", "_replace")


def made_in(nodes):
    """The names that a file makes: functions, classes, variables, attributes."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr


def taken_from_another_room(room, nodes, own):
    """What a file takes of another room that is not for it: private modules, names and attributes, and modules of a
    package inside that room. own: the names that the file's room makes."""
    standard = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            standard |= {alias.asname or alias.name for alias in node.names} & sys.stdlib_module_names
        names = [f"{node.module}.{alias.name}" for alias in node.names] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            package, *parts = name.split(".")
            if package == "npbilstm" and parts[:1] != [room]:
                inside = len(parts) > 2 and PACKAGE.joinpath(*parts[:2]).is_dir()
                yield from [name] if inside or any(map(is_private, parts)) else []
    for node in nodes:
        if not isinstance(node, ast.Attribute) or (isinstance(node.value, ast.Name) and node.value.id in standard):
            continue
        if is_private(node.attr) and node.attr not in own:
            yield ast.unparse(node)


def test_no_room_takes_what_is_private_to_another():
    files = {path: room_of(path) for path in PACKAGE.rglob("*.py")}
    own = {}
    for path, room in files.items():
        own.setdefault(room, set()).update(made_in(nodes_of(path)))
    for path, room in files.items():
        assert list(taken_from_another_room(room, nodes_of(path), own[room])) == [], path


@pytest.mark.parametrize(
    ("breach", "taken"),
    [
        ("from npbilstm.layers.merge import _halves", "npbilstm.layers.merge._halves"),
        ("from npbilstm.layers._merge import halves", "npbilstm.layers._merge.halves"),
        ("def f():\n    import npbilstm.layers._merge", "npbilstm.layers._merge"),
        ("from npbilstm import engine\nengine.lstm._gates(x)", "engine.lstm._gates"),
        ("def f(layer):\n    return layer._require_params()", "layer._require_params"),
        ("from npbilstm.inspector.page.payload import payload", "npbilstm.inspector.page.payload.payload"),
    ],
)
def test_what_is_taken_from_another_room_is_found(breach, taken):
    own = {"_own", "payload"}
    kept = "import os\nfrom npbilstm.training.loop import _own\nos._exit(_own._replace(self._own))\n"
    assert list(taken_from_another_room("training", list(ast.walk(ast.parse(kept + breach))), own)) == [taken]


def test_every_room_has_its_arrows_written_down():
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms == {room for room in MAY_IMPORT if not room.endswith(".py")}


def test_numpy_is_all_that_is_required():
    for path in PACKAGE.rglob("*.py"):
        for name, at_top in imports(path):
            package = name.split(".")[0]
            if package in sys.stdlib_module_names or package in ("numpy", "npbilstm"):
                continue
            assert path.parent.name in OPTIONAL.get(package, ()), f"{path} imports {name}"
            assert not at_top, f"{path} imports {name} at its top"


def test_what_type_checkers_alone_need_is_imported_for_them_alone():
    for path in PACKAGE.rglob("*.py"):
        top = nodes_of(path)[0].body
        for_checkers = [node for node in top if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)]
        allowed = {id(node) for block in for_checkers for each in block.body for node in ast.walk(each)}
        for node in imports_of(path):
            if isinstance(node, ast.ImportFrom) and node.module == "typing_extensions":
                assert id(node) in allowed, f"{path.name} needs typing_extensions where nobody checks types"


def test_importing_the_package_imports_nothing_heavy():
    heavy = {"numpy", "tqdm", "matplotlib", "torch", "onnx", "safetensors", "argparse"}
    code = f"import sys, npbilstm; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_every_public_name_is_there_and_has_a_docstring():
    for name in npbilstm.__all__:
        assert getattr(npbilstm, name).__doc__, name
        assert name in dir(npbilstm)
    with pytest.raises(AttributeError, match="npbilstm has no 'Transformer'; its public names are "):
        npbilstm.Transformer  # noqa: B018


def test_the_public_names_are_these_and_found_when_they_are_first_used():
    code = """if True:
        import sys, npbilstm
        assert not {name for name in sys.modules if name.startswith("npbilstm.")} - {"npbilstm.lazy"}
        npbilstm.LSTM
        assert "npbilstm.layers" in sys.modules and "npbilstm.training" not in sys.modules
        assert npbilstm.gradcheck.check_pair is npbilstm.check_pair
        from npbilstm import *
        assert LSTM is npbilstm.LSTM
        for package in (npbilstm, npbilstm.gradcheck):
            assert {name for name in dir(package) if not name.startswith("__")} == set(package.__all__)"""
    subprocess.run([sys.executable, "-c", code], check=True)


def sh_blocks():
    return re.findall(r"```sh\n(.*?)```", README, re.DOTALL)


def test_the_readme_has_two_sh_blocks_of_one_line_each():
    assert len(sh_blocks()) == 2
    assert all(block.count("\n") == 1 for block in sh_blocks())
    demo, tests = sh_blocks()
    assert "npbilstm demo" in demo
    assert "pytest" in tests
    assert all("python3 -m venv" in block for block in (demo, tests))


def test_the_readmes_python_runs_as_it_stands():
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


@pytest.mark.parametrize("tool", ["npbilstm check", "nb.diagnose(", "nb.check_pair("])
def test_the_readme_tells_of_a_tool_in_one_place(tool):
    assert sum(tool in section for section in README.split("\n## ")) == 1


def test_the_readmes_files_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", README) + re.findall(r'src="([^"]+)"', README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_every_room_is_on_the_readmes_map():
    for room in MAY_IMPORT:
        if not room.endswith(".py"):
            assert f"`{room}/`" in README, room


def test_no_room_is_above_a_fifth_of_the_package():
    lines = {room: sum(path.read_text().count("\n") for path in (PACKAGE / room).rglob("*.py")) for room in MAY_IMPORT}
    for room, count in lines.items():
        assert count <= sum(lines.values()) / 5, room


def test_no_file_of_the_package_is_longer_than_a_sitting():
    for folder, most in [(PACKAGE, 349), (ROOT / "tests", 450)]:
        for path in folder.rglob("*.py"):
            assert path.read_text().count("\n") <= most, path

"""What a package index takes: the sdist is the whole tree, and the wheel works where nothing of the tree is."""

import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from configparser import ConfigParser
from email.parser import Parser
from pathlib import Path

import pytest

import npbilstm
from npbilstm.cli import COMMANDS

ROOT = Path(__file__).parents[1]
FOLDERS = (".ci", "npbilstm", "tests", "tutorials")
FILES = (".gitignore", "LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.cfg", "setup.py")
README = (ROOT / "README.md").read_text()
CHANGES = (ROOT / "tutorials" / "guides" / "changes.md").read_text()
TEN_LINES = README.partition("## Ten lines")[2].partition("```python\n")[2].partition("```")[0]


def configuration():
    parsed = ConfigParser()
    parsed.read(ROOT / "setup.cfg")
    return parsed


def ran(*command, cwd):
    """What a command prints; its errors too where it fails."""
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, f"{command}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def files_below(root, *folders):
    found = (path for folder in folders for path in (root / folder).rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix() for path in found if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with the sdist, and the wheel that was built from it, not from the tree."""
    pytest.importorskip("build", reason="build is not installed (group packaging)")
    tree, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("built")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in FILES:
        shutil.copy(ROOT / file, tree)
    ran(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, tree, cwd=out)
    return out


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def unpacked(built, tmp_path_factory):
    """The sdist's own tree."""
    (path,) = built.glob("*.tar.gz")
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(path) as archive:
        archive.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    return folder / path.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory):
    """A folder with an environment `venv` in which there is the wheel, and what it asks the index for."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "venv", with_pip=True)
    ran(folder / "venv/bin/python", "-m", "pip", "install", "--quiet", wheel, cwd=folder)
    return folder


@pytest.mark.slow
def test_the_sdist_is_the_whole_tree(unpacked):
    assert files_below(unpacked, *FOLDERS) == files_below(ROOT, *FOLDERS)
    made = {"PKG-INFO", "npbilstm.egg-info"}
    assert {path.name for path in unpacked.iterdir()} - made == {*FILES, *FOLDERS}


@pytest.mark.slow
def test_the_wheel_is_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == files_below(ROOT, "npbilstm")
    assert {"npbilstm/py.typed", "npbilstm/inspector/page/js/inspect.js"} <= held
    assert "npbilstm/mistakes/exhibits/qixianbiao_no_carry.py" in held


@pytest.mark.slow
def test_the_sdist_installs_what_the_wheel_does(built, wheel, tmp_path):
    (sdist,) = built.glob("*.tar.gz")
    ran(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-compile"),
        *("--target", tmp_path / "installed", sdist),
        cwd=tmp_path,
    )
    assert files_below(tmp_path / "installed", "npbilstm") == files_below(ROOT, "npbilstm")


@pytest.mark.slow
def test_the_tests_run_in_the_sdist(unpacked):
    ran(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/test_house.py", cwd=unpacked)


@pytest.mark.slow
def test_the_metadata_is_what_an_index_takes(metadata):
    known = pytest.importorskip("trove_classifiers", reason="trove-classifiers is not installed (group packaging)")
    assert (metadata["Name"], metadata["Version"]) == ("npbilstm", npbilstm.__version__)
    assert (metadata["License-Expression"], metadata.get_all("License-File")) == ("MIT", ["LICENSE"])
    assert [each for each in metadata.get_all("Requires-Dist") if "extra ==" not in each] == ["numpy>=2.0"]
    assert set(metadata.get_all("Classifier")) <= known.classifiers
    assert not any(each.startswith("License ::") for each in metadata.get_all("Classifier"))  # the expression says it


@pytest.mark.slow
def test_the_indexs_page_needs_no_file_beside_it(metadata):
    assert metadata["Description-Content-Type"] == "text/markdown"
    page = metadata.get_payload()
    for target in re.findall(r"\]\(([^)]*)\)", page) + re.findall(r'(?:src|href)="([^"]*)"', page):
        assert target.startswith("https://"), target
    for words in re.findall(r"!\[([^]]*)\]", README):
        assert words not in page
    for block in re.findall(r"```.*?```", README, re.DOTALL):
        assert block in page
    for path in re.findall(r"\]\(([^):]*)\)", re.sub(r"!\[[^]]*\]\([^)]*\)", "", README)):
        assert f"(`{path}`)" in page


@pytest.mark.slow
@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_the_wheels_commands_tell_of_themselves(elsewhere, command):
    assert ran(elsewhere / "venv/bin/npbilstm", *command, "--help", cwd=elsewhere).startswith("usage: npbilstm")


@pytest.mark.slow
def test_the_ten_lines_run_with_the_wheel(elsewhere):
    said = ran(elsewhere / "venv/bin/python", "-I", "-c", f"{TEN_LINES}\nprint(nb.__file__)", cwd=elsewhere)
    assert said.startswith("The gradients agree with complex step: all 256 entries checked")
    assert Path(said.splitlines()[-1]).is_relative_to(elsewhere)


def test_the_version_has_its_date_and_its_changes():
    heads = [head for head in re.findall(r"^## (.*)$", CHANGES, re.MULTILINE) if head != "Not yet released"]
    released = [re.fullmatch(r"(\d+\.\d+\.\d+), (\d{4}-\d\d-\d\d)", head) for head in heads]
    assert all(released), heads
    assert released[0][1] == npbilstm.__version__
    assert [found[2] for found in released] == sorted((found[2] for found in released), reverse=True)


def test_the_pythons_begin_with_the_oldest_that_is_allowed():
    metadata = configuration()
    named = re.findall(r"Python :: 3\.(\d+)$", metadata["metadata"]["classifiers"], re.MULTILINE)
    oldest = int(metadata["options"]["python_requires"].removeprefix(">=3."))
    assert [int(minor) for minor in named] == list(range(oldest, oldest + len(named)))


def test_every_extra_and_group_that_is_told_of_is_there():
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no tomllib")
    groups = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"])
    extras = set(configuration()["options.extras_require"])
    guides = [*(ROOT / "tutorials" / "guides").glob("*.md"), *(ROOT / "npbilstm").rglob("*.py")]
    text = "".join(path.read_text() for path in [ROOT / ".ci" / "run", ROOT / "README.md", *guides])
    assert set(re.findall(r"--group (\w+)", text)) == groups
    installed = {extra for names in re.findall(r"'(?:\.|npbilstm)\[([\w,]+)\]'", text) for extra in names.split(",")}
    assert installed <= extras
    assert not groups & extras

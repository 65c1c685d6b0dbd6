"""Which tests run, and in what order, however the collection saves its time; and that the order changes nothing."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import spread


@pytest.mark.parametrize(
    ("count", "n", "kept"), [(10, 3, [0, 3, 6]), (4, 4, [0, 1, 2, 3]), (2, 5, [0, 1]), (5, 1, [0]), (0, 3, [])]
)
def test_few_of_many_cases_are_spread_over_all(count, n, kept):
    assert spread(count, n) == kept


def collected(marks, **environment):
    """The tests of some folders that would run, in their order."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-o", "addopts=", "-q", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, "-m", marks, "tests/textbook", "tests/engine", "tests/mistakes"],
        cwd=Path(__file__).parents[1],
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in run.stdout.splitlines() if "::" in line]


@pytest.mark.slow
def test_the_same_tests_run_whether_slow_cases_are_made_and_deselected_or_never_made():
    quick = collected("not slow")
    assert len(quick) > 500
    assert collected("not (slow)") == quick  # another way to say it, of which nothing is known


@pytest.mark.slow
def test_processes_that_go_through_the_folders_in_different_ways_have_one_order():
    assert collected("not slow", PYTEST_XDIST_WORKER="gw0") == collected("not slow", PYTEST_XDIST_WORKER="gw1") != []


def shared_generators(source):
    """The functions of a test file that draw from a generator of random numbers made outside of all of them."""
    tree = ast.parse(source)
    assigned = [each for each in tree.body if isinstance(each, ast.Assign) and isinstance(each.value, ast.Call)]
    made = ("default_rng", "RandomState", "Random")
    generators = {
        target.id
        for each in assigned
        if ast.unparse(each.value.func).rpartition(".")[2] in made
        for target in each.targets
        if isinstance(target, ast.Name)
    }
    found = []
    for function in (each for each in tree.body if not isinstance(each, ast.Assign)):
        names = [each for each in ast.walk(function) if isinstance(each, ast.Name) and each.id in generators]
        own = {each.id for each in names if isinstance(each.ctx, ast.Store)} | {
            each.arg for each in ast.walk(function) if isinstance(each, ast.arg)
        }
        if isinstance(function, ast.FunctionDef | ast.ClassDef) and {each.id for each in names} - own:
            found.append(function.name)
    return found


def test_no_tests_draw_from_one_generator_so_that_which_ran_before_changes_no_number():
    folder = Path(__file__).parent
    texts = {str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.rglob("test_*.py")}
    with_one = {name: text for name, text in texts.items() if re.search(r"^\w+ = .*(default_rng|Random)", text, re.M)}
    assert with_one
    assert {name: names for name, text in with_one.items() if (names := shared_generators(text))} == {}


def test_a_generator_that_tests_share_is_found():
    made = "import numpy as np\nrng = np.random.default_rng(0)\nX = rng.random(3)\n"
    assert shared_generators(made + "def test_one():\n    assert X[0] < rng.random()\n") == ["test_one"]
    assert shared_generators(made + "def test_one():\n    rng = np.random.default_rng(1)\n    rng.random()\n") == []

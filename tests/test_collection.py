"""Which tests run, and in what order, however the collection saves its time."""

import os
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

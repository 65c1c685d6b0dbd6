"""`npbilstm check` of files that misbehave, as a person types it: a sentence, no praise, and nothing is left behind."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.submission.misbehaving import (
    ENDING,
    ENDLESS,
    FORGE,
    FORGED,
    HARMLESS,
    IMPORTS,
    PATCHED,
    PATCHES,
    RAISING,
    files,
)

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")

RIGHT, WRONG, UNUSABLE, UNJUDGED = 0, 1, 2, 3
STOPPED = {WRONG, UNJUDGED}
"""The exit codes where calls do not end as they should; which of the two it is belongs to the verdict."""
NOT_RUN = {UNUSABLE, UNJUDGED}
"""Where a file cannot be imported."""
MOST = 100_000
"""The bytes that a check may print."""
COMMAND = [sys.executable, "-m", "npbilstm", "check", "own.py"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "SECRET": "nobody's"}


def check(folder, source, *options):
    """The command's exit code, and what it prints in one line."""
    (folder / "own.py").write_text(source)
    run = subprocess.run(
        [*COMMAND, *options], cwd=folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, timeout=300
    )
    assert left_in(folder) == []
    printed = run.stdout + run.stderr
    assert len(printed) <= MOST
    text = printed.decode()
    assert not set("\x1b\x07\x9b\u202e\u2028\r") & set(text)
    assert not re.search(
        r"Traceback|npbilstm/\w|(Key|Attribute|Submission|Stopped|Checker)Error|TimedOut|Interfered", text
    ), text
    return run.returncode, " ".join(text.split())


def left_in(folder):
    """The processes that work in a folder."""
    return [process.name for process in Path("/proc").glob("[0-9]*") if place_of(process) == str(folder)]


def place_of(process):
    """The folder in which a process works."""
    try:
        return os.readlink(process / "cwd")
    except OSError:  # it is gone, or somebody else's
        return ""


def ends(folder, source, sentences, codes, *options):
    """Whether the check of a file ends with one of the codes, and these sentences."""
    code, text = check(folder, source, *options)
    assert code in codes
    for sentence in sentences:
        assert sentence in text


@pytest.mark.few(1)
@pytest.mark.parametrize(("source", "sentences"), files(RAISING))
def test_errors_of_any_kind_are_told_in_a_few_lines(source, sentences, tmp_path):
    ends(tmp_path, source, sentences, STOPPED, "--seconds", "60")


@pytest.mark.few(1)
@pytest.mark.parametrize(("source", "sentences"), files(HARMLESS, 6))
def test_what_cannot_do_harm_does_not_make_a_right_function_wrong(source, sentences, tmp_path):
    ends(tmp_path, source, sentences, {RIGHT}, "--seconds", "60")


@pytest.mark.few(1)
@pytest.mark.parametrize(("source", "sentences"), files(ENDLESS, 1))
def test_calls_without_end_are_ended(source, sentences, tmp_path):
    ends(tmp_path, source, sentences, STOPPED, "--seconds", "0.3")


@pytest.mark.slow
@pytest.mark.parametrize(("source", "sentences"), files(ENDING, 1))
def test_calls_that_end_the_process_are_sentences(source, sentences, tmp_path):
    ends(tmp_path, source, sentences, STOPPED, "--seconds", "60")


@pytest.mark.few(1)
@pytest.mark.parametrize(("source", "sentences"), files(FORGED, 1, FORGE))
def test_forged_answers_are_a_sentence(source, sentences, tmp_path):
    ends(tmp_path, source, sentences, STOPPED, "--seconds", "60")


@pytest.mark.few(1)
@pytest.mark.parametrize(("patch", "sentence"), PATCHES.items())
def test_what_a_file_does_to_the_process_that_runs_it_is_a_sentence(patch, sentence, tmp_path):
    ends(tmp_path, PATCHED + patch, [sentence], STOPPED | NOT_RUN, "--seconds", "60")


@pytest.mark.few(1)
@pytest.mark.parametrize(("source", "sentence"), IMPORTS.items())
def test_an_import_that_misbehaves_is_a_sentence(source, sentence, tmp_path):
    ends(tmp_path, source, [sentence], NOT_RUN, "--seconds", "0.5")


@pytest.mark.slow
@pytest.mark.parametrize(("source", "sentences"), [*files(RAISING, 1), *files(ENDLESS, 1)])
def test_each_stops_the_check_of_a_file_of_its_own(source, sentences, tmp_path):
    ends(tmp_path, source, sentences, STOPPED, "--seconds", "2")


SPINS = "import re, sys\nprint('here', file=sys.stderr)\nre.match('(a*)*b', 'a' * 60)\n"


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "source",
    [SPINS, "def sigmoid(a):\n    " + SPINS.replace("\n", "\n    ")],
    ids=["while it imports", "while it computes"],
)
def test_a_process_that_spins_in_c_dies_with_a_check_that_is_killed(source, tmp_path):
    (tmp_path / "own.py").write_text(source)
    with subprocess.Popen(
        COMMAND, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    ) as run:
        assert run.stderr.readline() == b"here\n"
        assert len(left_in(tmp_path)) == 3  # who judges, what makes copies, a copy
        run.send_signal(signal.SIGKILL)
    assert nothing_left_in(tmp_path)


@pytest.mark.parametrize("after", [0.1, 0.2, *(pytest.param(0.03 * k, marks=pytest.mark.slow) for k in range(20))])
def test_a_check_that_is_killed_at_any_moment_leaves_nothing(after, tmp_path):
    (tmp_path / "own.py").write_text(SPINS)
    with subprocess.Popen(COMMAND, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.DEVNULL) as run:
        time.sleep(after)
        run.kill()
    assert nothing_left_in(tmp_path)


def nothing_left_in(folder):
    """Whether no process works in a folder, sooner or later."""
    for _ in range(600):
        if not left_in(folder):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
def test_neighbours_with_the_names_of_modules_are_not_imported(tmp_path):
    for name in ("numpy", "random", "json"):
        (tmp_path / f"{name}.py").write_text("1 / 0")
    source = "import json, random\nimport numpy as np\ndef tanh(a): return np.tanh(a)\n"
    ends(tmp_path, source, ["ok tanh"], {RIGHT}, "--seconds", "60")


def test_a_name_that_steers_a_terminal_is_shown_without_what_steers_it(tmp_path):
    name = "\x1b[31m\u202eown\n.py"
    (tmp_path / name).write_text("import os\nos._exit(1)")
    run = subprocess.run([*COMMAND[:-1], name], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, timeout=300)
    assert run.stderr.decode().startswith("npbilstm: \ufffd[31m\ufffdown .py ended the process that it runs in")
    assert run.returncode in NOT_RUN

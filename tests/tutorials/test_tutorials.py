"""Every tutorial: its notebook is its script, executed; both still run; and they say the same today."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tutorials.build import FOLDER, PACKAGES, main, scripts

ROOT = FOLDER.parent
SCRIPTS = list(scripts().values())
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg", "OPENBLAS_NUM_THREADS": "1"}
REBUILD = "run: python -m tutorials.build"
STRICT = ("-W", "error::RuntimeWarning", "-W", "error::UserWarning")

LONG = ("encoder_decoder", "inside_a_model", "taggers")
"""They train several models, for 10 to 20 seconds. So as scripts they run once: with their exercise answered."""
QUICK = [script.stem for script in SCRIPTS if script.stem not in LONG]

every_tutorial = pytest.mark.parametrize("script", SCRIPTS, ids=[script.stem for script in SCRIPTS])
every_notebook_again = pytest.mark.parametrize(
    "script",
    [pytest.param(script, id=script.stem, marks=[pytest.mark.slow] * (script.stem in LONG)) for script in SCRIPTS],
)


def require(*packages):
    """Skip, by name, where a package is missing; without importing it."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")


def notebook_of(script: Path, folder: Path = FOLDER) -> dict:
    return json.loads((folder / f"{script.stem}.ipynb").read_text(encoding="utf-8"))


def source(cell) -> str:
    return "".join(cell["source"])


def code_cells(notebook) -> list:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def text_of(cell) -> str:
    """What a code cell has printed or shown, without its figures."""
    texts = []
    for output in cell["outputs"]:
        data = output.get("data", {})
        if "image/png" not in data:
            texts += output.get("text", []) or data.get("text/plain", [])
    return "".join(texts)


NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")


RIGHT_ENTRIES = re.compile(r"^(ok +\S.* \d+/\d+) .*", re.MULTILINE)
"""A line of a report whose entries are all right, up to how many were checked."""


def same_text(one: str, other: str) -> bool:
    """The same words, and numbers within 2 %. Two numbers as 3e-16 always agree: they measure rounding, which differs
    between processors, and the tutorial's own asserts bound them. So does which of the right entries is farthest off.
    """
    one, other = (RIGHT_ENTRIES.sub(r"\1", text) for text in (one, other))
    numbers, others = NUMBER.findall(one), NUMBER.findall(other)
    words, other_words = ("".join(NUMBER.sub("#", text).split()) for text in (one, other))
    if words != other_words or len(numbers) != len(others):
        return False
    return all(
        ("e" in a and "e" in b) or abs(float(a) - float(b)) <= 0.001 + 0.02 * abs(float(b))
        for a, b in zip(numbers, others)
    )


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A notebook, built anew in a folder of its own when it is first asked for, with all that are quick."""
    require(*PACKAGES)
    folder = tmp_path_factory.mktemp("notebooks")

    def again(script):
        if not (folder / f"{script.stem}.ipynb").exists():
            names = [script.stem] if script.stem in LONG else QUICK
            built = run("-m", "tutorials.build", *names, "--out", str(folder))
            assert built.returncode == 0, built.stderr
        return notebook_of(script, folder)

    return again


def test_there_are_tutorials_and_the_build_command_is_none_of_them():
    assert {"one_cell", "two_directions", "through_time"} <= set(scripts())
    assert "build" not in scripts()


def test_the_ways_through_name_every_tutorial_and_what_they_name_is_there():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"({name}.ipynb)" in page for name in scripts())
    for target in re.findall(r"\]\(([^)#]+)\)", page):
        assert (FOLDER / target).exists(), target


@every_tutorial
def test_the_notebook_holds_exactly_the_cells_of_its_script(script):
    jupytext = pytest.importorskip("jupytext")
    written = jupytext.reads(script.read_text(encoding="utf-8"), fmt="py:percent").cells
    stored = notebook_of(script)["cells"]
    assert [(c["cell_type"], source(c)) for c in stored] == [(c.cell_type, c.source) for c in written], REBUILD


@every_tutorial
def test_every_code_cell_of_the_notebook_was_executed_in_order_without_an_error(script):
    cells = code_cells(notebook_of(script))
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1)), REBUILD
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]


@every_tutorial
def test_the_notebook_shows_figures_and_stays_small(script):
    outputs = [output for cell in code_cells(notebook_of(script)) for output in cell["outputs"]]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert (FOLDER / f"{script.stem}.ipynb").stat().st_size < 300_000


@every_tutorial
def test_the_notebook_tells_nothing_about_the_machine_that_made_it(script):
    notebook = notebook_of(script)
    texts = [source(cell) for cell in notebook["cells"]] + [text_of(cell) for cell in code_cells(notebook)]
    for text in texts:
        assert not re.search(r"/home/|/Users/|/root/|/tmp/|[A-Z]:\\|0x[0-9a-f]{6}", text)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    assert [cell["id"] for cell in notebook["cells"]] == [f"cell-{k}" for k in range(len(notebook["cells"]))]
    assert all(cell["metadata"] == {} for cell in notebook["cells"])


@pytest.mark.parametrize("name", QUICK)
def test_the_script_runs_to_its_end_without_a_display(name):
    require("matplotlib")
    done = run(*STRICT, str(scripts()[name]))
    assert done.returncode == 0, done.stderr


EXERCISES = {
    "half of the message": (
        "one_cell",
        "my_a_f = 1.0",
        "my_a_f = np.log(0.5**0.01 / (1 - 0.5**0.01))",
        "left: 0.5 - right",
    ),
    "a cell that adds": ("one_cell", "# your line: ", "mine.Wx[1, 0, 1] = 0  # ", "both values are 0.127 - right"),
    "a cell that adds, by a bias": ("one_cell", "# your line: ", "mine.b[1, 0] = 30  # ", "are 0.127 - right"),
    "flip": (
        "two_directions",
        "flipped[n] = x[n, ::-1]",
        "flipped[n, : lengths[n]] = x[n, : lengths[n]][::-1]",
        "It is right.",
    ),
    "the step": ("through_time", "dh_prev, dc, LSTMParams(", "dh_prev, dc * f, LSTMParams(", "It is right."),
    "the loss": ("training_loop", "M = error.size\n", "M = max(valid.sum(), 1)\n", "It is right."),
    "the hunt": ("checking_gradients", "+ flip(dx_rev)\n", "+ flip(dx_rev, lengths)\n", "It is right."),
    "lengths": ("checking_gradients", '"lengths": None,', '"lengths": np.array([5, 3, 2]),', "is WRONG for x (complex"),
    "the unit": (
        "inside_a_model",
        "my_b = np.zeros(4)",
        "my_Wx[4:] = [[20, -20, 10, 0], [20, -20, 0, 0]]; my_b = np.array([-10, 10, 0, 10])",
        "right everywhere",
    ),
    "a single tanh": (
        "textbook_to_fast",
        "    return W\n",
        "    return W * np.repeat([0.5, 0.5, 0.5, 1], W.shape[1] // 4)\n",
        "every gate is right",
    ),
    "h, made again": (
        "textbook_to_fast",
        "    return o * np.tanh(c[:-1])\n",
        "    return np.concatenate([0 * c[:1], o[:-1] * np.tanh(c[1:-1])])\n",
        "every h is right",
    ),
    "what may follow what": (
        "taggers",
        "    [1, 1, 1, 1],  # after B\n    [1, 1, 1, 1],  # after M\n    [1, 1, 1, 1],  # after E\n    [1, 1, 1, 1],",
        "    [0, 1, 1, 0],\n    [0, 1, 1, 0],\n    [1, 0, 0, 1],\n    [1, 0, 0, 1],",
        "all sixteen are right",
    ),
    "the padding's share": (
        "encoder_decoder",
        "total = e.sum(axis=1, keepdims=True)",
        "total = (e * valid).sum(axis=1, keepdims=True)",
        "It is right.",
    ),
    "the summary": (
        "three_frameworks",
        "y[:, -1]\n",
        "np.concatenate([y[:, -1, :H], y[:, 0, H:]], axis=1)\n",
        "right\n",
    ),
}
"""Of each exercise its tutorial, what a student finds there, the right answer in its place, and what is said of it."""


def cells_of_exercises(script) -> list[str]:
    """The code cells that stand under a heading "Your turn", and those of a bug hunt."""
    sections = re.split(r"^#{2,3} ", script.read_text(encoding="utf-8"), flags=re.MULTILINE)
    own = [section for section in sections if re.match(r"(\d\. )?(Your turn|A bug hunt)", section)]
    cells = [cell for section in own for cell in re.split(r"^# %%", section, flags=re.MULTILINE)[1:]]
    return [cell for cell in cells if not cell.startswith(" [markdown]")]


@every_tutorial
def test_no_assert_stands_where_a_student_writes(script):
    cells = cells_of_exercises(script)
    assert cells
    for cell in cells:
        assert "assert" not in cell, cell


def minutes_to_read(script) -> float:
    """At 130 words of prose a minute, and thirty lines of code."""
    words = lines = 0
    for cell in re.split(r"^# %%", script.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        if cell.startswith(" [markdown]"):
            prose = re.sub(r"\$\$.*?\$\$", "", cell, flags=re.DOTALL)
            words += sum(re.search(r"[A-Za-z]{2}|\b[aI]\b", word) is not None for word in prose.split())
        else:
            lines += sum(bool(line.strip()) for line in cell.splitlines())
    return words / 130 + lines / 30


@every_tutorial
def test_the_minutes_promised_are_enough_and_the_ways_through_promise_the_same(script):
    text = " ".join(script.read_text(encoding="utf-8").split())
    reading, exercises = re.search(r"Reading takes some (\d+) minutes, the exercises? some (\d+)", text).groups()
    assert int(reading) > minutes_to_read(script) - 2.5
    assert f"({script.stem}.ipynb) | {reading} + {exercises} |" in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_every_long_script_is_run_with_an_exercise_answered():
    assert set(LONG) <= {name for name, *_ in EXERCISES.values()}


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_right_answer_is_called_right_and_the_tutorial_goes_on_to_its_end(exercise, tmp_path):
    require("matplotlib")
    name, given, answer, said = EXERCISES[exercise]
    source = scripts()[name].read_text(encoding="utf-8")
    cell = next(cell for cell in cells_of_exercises(scripts()[name]) if given in cell)
    assert source.count(cell) == cell.count(given) == 1
    answered = tmp_path / f"{name}.py"
    answered.write_text(source.replace(cell, cell.replace(given, answer)), encoding="utf-8")
    done = run(*STRICT, str(answered))
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert said not in "".join(map(text_of, code_cells(notebook_of(scripts()[name]))))


@pytest.mark.slow
def test_where_the_stored_numbers_are_not_the_tutorial_says_so(tmp_path):
    require("matplotlib")
    command = [sys.executable, str(FOLDER / "three_frameworks.py")]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"three_frameworks.npz is not in {tmp_path.name}; put it there" in done.stderr


@pytest.mark.few(1)
@every_tutorial
def test_without_matplotlib_the_script_says_what_to_install(script):
    without = f"import runpy, sys; sys.modules['matplotlib'] = None; runpy.run_path({str(script)!r})"
    done = run("-c", without)
    assert done.returncode == 1
    assert done.stderr.strip() == 'The figures need matplotlib: pip install -e ".[tutorials]"'


@every_notebook_again
def test_a_fresh_execution_says_what_the_stored_notebook_says(script, fresh):
    stored, again = (code_cells(notebook) for notebook in (notebook_of(script), fresh(script)))
    assert [source(cell) for cell in again] == [source(cell) for cell in stored], REBUILD
    for one, other in zip(again, stored):
        assert same_text(text_of(one), text_of(other)), f"{source(other)}\n{text_of(one)}\n{text_of(other)}\n{REBUILD}"


@every_notebook_again
def test_a_fresh_execution_draws_as_many_figures(script, fresh):
    def figures(cell):
        return sum("image/png" in output.get("data", {}) for output in cell["outputs"])

    stored, again = (code_cells(notebook) for notebook in (notebook_of(script), fresh(script)))
    assert [figures(cell) for cell in again] == [figures(cell) for cell in stored]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("x (3, 4) [0.5 -1.]", "x (3, 4)  [ 0.5 -1. ]", True),
        ("wrong by 0.14", "wrong by 0.15", False),
        ("largest difference 3e-16", "largest difference 0e+00", True),
        ("x (3, 4)", "y (3, 4)", False),
        ("x (3, 4)", "x (3, 4) again", False),
        ("1 2", "1 2 3", False),
        ("ok  x  (2,)  2/2  1e-16  1e-16  [0]  1.5  1.5", "ok  x  (2,)  2/2  2e-16  2e-16  [1]  -3.7  -3.7", True),
        ("ok  x  (2,)  2/2  1e-16  1e-16  [0]  1.5  1.5", "ok  x  (2,)  1/2  1e-16  1e-16  [0]  1.5  1.5", False),
        ("WRONG  x  (2,)  2/2  0.1  0.1  [0]  1.5  1.6", "WRONG  x  (2,)  2/2  0.1  0.1  [1]  1.5  1.6", False),
    ],
)
def test_texts_are_compared_by_words_and_numbers(one, other, same):
    assert same_text(one, other) is same


@pytest.mark.parametrize("package", PACKAGES)
def test_the_build_command_names_a_missing_package_and_its_extra(package, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["one_cell"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert package in said
    assert 'pip install -e ".[tutorials]"' in said


def test_the_build_command_refuses_a_name_that_is_no_tutorial(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["no_such_tutorial"])
    assert stopped.value.code == 2
    assert f"there is no tutorial 'no_such_tutorial'; there are {', '.join(scripts())}" in capsys.readouterr().err

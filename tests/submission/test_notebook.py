"""A notebook's functions are judged as a file's are; what its cells run, train and plot is left alone."""

import json

import pytest

from npbilstm.cli import main
from npbilstm.submission.notebook import read_notebook
from tests.submission.test_forms import ANSWERS


def notebook(*cells):
    """A notebook of code cells."""
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": cell} for cell in cells]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": "# Homework"}, *cells], "nbformat": 4})


IMPORTS = "%matplotlib inline\nimport numpy as np\nimport nobodys_plots as plots\n!ls"
CELLS = [IMPORTS, *ANSWERS["coursera"].read_text().split("\n\n\n")[1:]]
RUNS = "loss = train(data)\nwhile True:\n    pass\nplots.show(loss)"


@pytest.mark.slow
def test_the_code_cells_functions_are_judged(tmp_path, capsys):
    path = tmp_path / "homework.ipynb"
    path.write_text(notebook(*CELLS, RUNS, "%%bash\nrm -rf all"))
    assert main(["check", str(path)]) == 0
    assert "All 5 are right." in capsys.readouterr().out


def test_a_cell_that_is_no_python_is_named(tmp_path, capsys):
    path = tmp_path / "homework.ipynb"
    path.write_text(notebook(*CELLS, "def lstm_backward(:"))
    assert main(["check", str(path)]) == 3
    assert f"not judged  code cell {len(CELLS) + 1}: SyntaxError" in capsys.readouterr().out


def taken(*cells):
    """The names that are there when what is taken of some cells has run."""
    names = {}
    exec(read_notebook(notebook(*cells)).source, names)
    return names.keys() - {"__builtins__"}


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["import math\nimport json", "def f(x): return math.exp(x)"], {"math", "f"}),
        (["import math", "W = math.pi", "U = 3", "def f(x): return W"], {"math", "W", "f"}),
        (["W = open('input.txt').read()", "V = train(3)", "def f(x): return W, V"], {"f"}),
        (["def f(x): return 1", "def f(x): return g(x)", "g = lambda x: 2", "f(3)"], {"f", "g"}),
        (["class A: pass", "class A(A):\n    def step(self): return 1"], {"A"}),
        (["import nowhere", "def f(x): return nowhere.g(x)"], {"f"}),
        ([["def f(x):\n", "    return x\n"]], {"f"}),
        (["%%time\ndef f(x): return x", "%timeit f(3)", "f?"], {"f"}),
    ],
)
def test_what_is_taken_of_cells_is_what_functions_need(cells, names):
    assert taken(*cells) == names


def test_of_two_definitions_the_last_counts():
    names = {}
    exec(read_notebook(notebook("def f(x): return 1", "def f(x): return 2")).source, names)
    assert names["f"](0) == 2


def test_a_header_in_a_cell_counts():
    assert read_notebook(notebook("# npbilstm: gates=ifog\nx = 1")).source.startswith("# npbilstm: gates=ifog\n")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"cells": 3}', '{"cells": [{}]}', '{"cells": [{"cell_type": "code"}]}']
)
def test_what_is_no_notebook_is_a_sentence(text):
    with pytest.raises(ValueError, match="it is no notebook as Jupyter writes them"):
        read_notebook(text)


def test_several_files_are_judged_one_after_another(tmp_path, capsys):
    wrong = tmp_path / "wrong.py"
    wrong.write_text("def sigmoid(a):\n    return a\n")
    right = str(ANSWERS["holberton_bi_rnn"])
    assert main(["check", right, str(tmp_path / "nowhere.py"), str(wrong), "--json"]) == 1
    verdicts = [json.loads(line)["verdict"] for line in capsys.readouterr().out.splitlines()]
    assert verdicts == ["right", "not judged", "wrong"]


@pytest.mark.slow
def test_of_several_files_the_worst_is_told(tmp_path):
    right = str(ANSWERS["min_char_rnn"])
    assert main(["check", right, right]) == 0
    assert main(["check", right, str(tmp_path / "nowhere.py")]) == 2


def test_what_is_imported_from_the_future_holds_in_all_cells():
    assert "flip" in taken(
        "import numpy as np\nfrom __future__ import annotations", "def flip(x: Unknown) -> Unknown: ..."
    )

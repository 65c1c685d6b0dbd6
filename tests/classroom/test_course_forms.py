"""Exercises in courses' forms: what is handed out runs, and what is right as the course has it is right."""

import ast
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from npbilstm import textbook
from npbilstm.classroom import check_exercise
from npbilstm.classroom.assignment import notebook, python_file
from npbilstm.classroom.course_form import (
    arrays_of,
    calls_for,
    exercises_in_form,
    form_in,
    in_form,
    said_of,
    stubs_in_form,
)
from npbilstm.classroom.exercises import ALL, EXERCISES
from npbilstm.classroom.formats import file_name
from npbilstm.classroom.grading import grade_sources
from npbilstm.classroom.rewording import has_columns, has_turned_weights, reworded, turned
from npbilstm.classroom.stubs import docstring
from npbilstm.cli import main
from npbilstm.submission.contained_form import OFFERED
from npbilstm.submission.conventions import Conventions
from npbilstm.submission.forms import FORMS
from npbilstm.submission.layouts import Layout
from npbilstm.submission.sandbox_trial import best_sandbox
from tests.classroom.written import namespace
from tests.docstring_equations import lines_of, run

RIGHT = {name: Path(__file__).parents[1] / "submission" / "forms" / f"{name}.py" for name in OFFERED}
RIGHT["holberton"] = RIGHT["holberton"].with_name("holberton_cells.py")
CASES = [(form, exercise) for form in OFFERED for exercise in exercises_in_form(list(ALL), form)]
each_case = pytest.mark.parametrize(("form", "exercise"), CASES, ids=[f"{form}-{each.name}" for form, each in CASES])
needs_linux = pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="the sandbox is Linux's")
LAYOUTS = [Layout(weights=weights, x=x) for weights in ("D,4H", "4H,D") for x in ("NTD", "DNT")]
MISTAKES = {
    "cs231n": ("lstm_step_backward", "next_c = f * prev_c + i * g", "next_c = f * prev_c + g"),
    "saito": ("rnn_step", "dt = dh_next * (1 - h_next**2)", "dt = dh_next * (1 - h_next)"),
}


@pytest.mark.few(4)
@each_case
def test_what_is_handed_out_runs_and_is_not_yet_written(form, exercise):
    text = python_file(exercise)
    result = check_exercise(exercise.name, namespace(text), form=form)
    assert (result.state, result.missing) == ("not yet written", exercise.functions)
    assert form_in(text) == form_in("".join(json.loads(notebook(exercise))["cells"][1]["source"])) == form
    assert len(text) < 10_000


@pytest.mark.few(2)
@each_case
def test_what_is_right_in_the_course_is_right(form, exercise):
    result = check_exercise(exercise.name, namespace(RIGHT[form].read_text()), form=form)
    assert (result.state, result.reason) == ("right", "")


def test_an_exercise_is_there_where_the_course_has_its_function_and_once():
    names = {form: [each.name for each in exercises_in_form(list(ALL), form)] for form in OFFERED}
    assert names["coursera"] == ["rnn_step", "bptt", "lstm_step_forward", "lstm_step_backward", "lstm_over_time"]
    assert names["holberton"] == ["lstm_step_forward"]  # which has no backward pass
    assert {"gru", "bidirectional_backward"} <= set(names["saito"])
    assert not any("padding" in some or "flip" in some for some in names.values())
    assert exercises_in_form(list(ALL), "textbook") == list(ALL)
    assert in_form(EXERCISES["flip"], "cs231n") is None
    with pytest.raises(ValueError, match="flip is not in the form cs231n, which has no such function"):
        check_exercise("flip", {}, form="cs231n")
    with pytest.raises(ValueError, match="form is keras; it needs one of textbook, cs231n, "):
        check_exercise("rnn_step", {}, form="keras")


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.weights}-{layout.x}")
def test_a_product_is_the_same_in_every_layout(layout):
    rng = np.random.default_rng(0)
    right = {"x": (4, 2), "da": (4, 5), "h_prev": (4, 5), "Wx": (2, 5), "Wh": (5, 5)}
    right = {name: rng.standard_normal(shape) for name, shape in right.items()}
    own = {
        name: array.T if (has_turned_weights if name[0] == "W" else has_columns)(layout) else array
        for name, array in right.items()
    }
    for product, of_weights in (("x Wx", False), ("da Wh^T", False), ("x^T da", True), ("h_prev^T da", True)):
        first, second = (eval(text.replace("^T", ".T"), {}, right) for text in product.split(" "))
        first_own, second_own = (eval(text.replace("^T", ".T"), {}, own) for text in turned(product, layout).split(" "))
        expected = first @ second
        if (has_turned_weights if of_weights else has_columns)(layout):
            expected = expected.T
        np.testing.assert_allclose(first_own @ second_own, expected)


@pytest.mark.few(2)
@each_case
def test_docstrings_have_the_lines_that_call_and_the_shapes_of_what_they_take(form, exercise):
    text = "\n\n".join(stubs_in_form(exercise))
    assert {name.partition(".")[0] for name in exercise.functions} == {
        node.name for node in ast.parse(text).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }
    sizes = {"N": 5, "T": 7, "D": 11, "H": 13, "V": 17, "H+D": 24}
    for calls, backward in calls_for(EXERCISES[exercise.name], FORMS[form]):
        for k in range(1 + (backward and bool(calls.lines[1]))):
            said = said_of(calls, k)
            assert all(line.strip() in said for line in calls.lines[k].split("\n"))
            arrays = arrays_of(calls)
            for name, axes in re.findall(r"(\w+) \(([\w+]+(?:, [\w+]+)*),?\)", said.partition("It is called so:")[2]):
                array = arrays.get(name, arrays.get(name.removeprefix("d")))
                letters = axes.split(", ")
                for letter, size in zip(letters, () if array is None else array.shape, strict=array is not None):
                    count, axis = (1, letter) if letter in sizes else (letter[:-1] or 1, letter[-1])
                    assert letter.isdigit() or size == int(count) * sizes[axis], name


def test_a_grus_gate_that_writes_has_its_equations():
    (calls, _), *_ = calls_for(EXERCISES["gru"], FORMS["saito"])
    assert calls.form.settings["update"] == "writes"
    assert "h    = z * n + (1 - z) * h_prev" in said_of(calls, 0)
    assert "dn      = dh * z" in said_of(calls, 1)
    assert "s stands for r * h_in" in said_of(calls, 1)


@pytest.mark.parametrize("step", ["gru_step", "gru_reset_before_step"])
def test_the_equations_of_a_gate_that_writes_are_those_of_one_that_keeps_turned_round(step):
    conventions = Conventions(Layout(update="writes"))
    rng = np.random.default_rng(0)
    values = {name: rng.standard_normal((3, 4)) for name in ("h_prev", "dh")} | {"x": rng.standard_normal((3, 2))}
    values |= {"mask": 1.0, "gates": "rzn", "b_hn": rng.standard_normal(4), "b": rng.standard_normal(12)}
    values |= {"Wx": rng.standard_normal((2, 12)), "Wh": rng.standard_normal((4, 12))}
    turned_round = np.repeat([1, -1, 1], 4)  # sigmoid(-a) = 1 - sigmoid(a)
    forward, backward = (getattr(textbook, f"{step}_{way}") for way in ("forward", "backward"))
    kind = textbook.GRUParams if step == "gru_step" else textbook.GRUResetBeforeParams
    names = kind._fields
    moved = {name: values[name] * (turned_round if name != "b_hn" else 1) for name in names}
    h, cache = forward(values["x"], values["h_prev"], kind(**moved))
    dx, dh_prev, grads = backward(values["dh"], cache)
    expected = {"h": h, "dx": dx, "dh_prev": dh_prev}
    expected |= {f"d{name}": grad * (turned_round if name != "b_hn" else 1) for name, grad in zip(names, grads)}
    for gate, part in zip("rzn", np.split(values["Wh"], 3, axis=1)):
        values[f"Wh_{gate}"] = part
    for way in ("forward", "backward"):
        run(lines_of(reworded(docstring(f"{step}_{way}"), conventions)), values)
    for name, right in expected.items():
        np.testing.assert_allclose(values[name], right, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("form", MISTAKES)
def test_a_mistake_is_told(form):
    name, right, wrong = MISTAKES[form]
    source = RIGHT[form].read_text()
    assert source.count(right) == 1
    assert check_exercise(name, namespace(source.replace(right, wrong)), form=form).state == "wrong"


@needs_linux
@pytest.mark.slow
@pytest.mark.parametrize("form", OFFERED)
def test_what_is_right_has_full_marks_and_a_mistake_costs(form):
    layers, _ = best_sandbox()
    source, exercises = RIGHT[form].read_text(), exercises_in_form(list(ALL), form)
    parts = grade_sources(dict.fromkeys(exercises, ("f.py", source)), exercises, layers, 3)
    assert [part.exercise.name for part in parts if part.points != part.exercise.points] == []
    if form in MISTAKES:
        name, right, wrong = MISTAKES[form]
        exercise = next(each for each in exercises if each.name == name)
        (part,) = grade_sources({exercise: ("f.py", source.replace(right, wrong))}, [exercise], layers, 3)
        assert part.points < exercise.points
        assert "form_" not in str(part.result)
    stubs = {each: ("f.py", python_file(each)) for each in exercises}
    assert {part.state for part in grade_sources(stubs, exercises, layers, 3)} == {"not yet written"}


@needs_linux
@pytest.mark.slow
def test_what_stops_or_changes_its_arguments_is_told_in_the_courses_names():
    layers, _ = best_sandbox()
    (exercise,) = exercises_in_form([EXERCISES["rnn_step"]], "coursera")
    source = RIGHT["coursera"].read_text()
    head = "def rnn_cell_forward(xt, a_prev, parameters):"
    for line, said in (("1 / 0", "rnn_cell_forward raised ZeroDivisionError"), ("xt *= 2", "changes its x in place")):
        changed = source.replace(head, f"{head}\n    {line}")
        (part,) = grade_sources({exercise: ("f.py", changed)}, [exercise], layers, 3)
        assert said in " ".join(str(part.result).split())
        assert part.points < exercise.points


@needs_linux
@pytest.mark.slow
def test_start_check_and_grade_follow_a_form(tmp_path, capsys):
    folder = tmp_path / "in" / "ann"
    assert main(["exercise", "start", str(folder), "--form", "cs231n", "--only", "rnn_step", "flip"]) == 0
    assert main(["exercise", "check", str(folder)]) == 3
    path = folder / file_name(EXERCISES["rnn_step"], "py")
    assert list(folder.iterdir()) == [path]
    path.write_text(f"# exercise: form=cs231n\n{RIGHT['cs231n'].read_text()}")
    assert main(["exercise", "check", str(folder)]) == 0
    asked = ["grade", str(tmp_path / "in"), "--only", "rnn_step", "--jobs", "1", "--out"]
    capsys.readouterr()
    assert main([*asked, str(tmp_path / "out"), "--form", "cs231n"]) == 0
    assert "ann: 8 of 8 points" in capsys.readouterr().out
    assert main([*asked, str(tmp_path / "out")]) == 2
    assert "of the form cs231n and of rnn_step; others need another folder" in capsys.readouterr().err
    assert main([*asked, str(tmp_path / "other")]) == 0
    out = capsys.readouterr().out
    assert "ann: 0 of 8 points" in out
    assert "says that it is of the form cs231n; it is graded as of no variant" in out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--form", "cs231n", "--variant", "1"], "--variant goes with the textbook's form"),
        (["--form", "cs231n", "--format", "otter"], "--format otter holds solutions"),
        (["--form", "coursera", "--only", "flip"], "none of flip is in the form coursera, which has rnn_step, bptt"),
    ],
)
def test_options_that_do_not_go_together_are_a_sentence(options, sentence, tmp_path, capsys):
    assert main(["exercise", "start", str(tmp_path), *options]) == 2
    assert sentence in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []

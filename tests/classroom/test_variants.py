"""Variants: all conventions change together, docstrings follow, what is right is right and what is copied is not."""

import json
import os
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from npbilstm import textbook
from npbilstm.classroom import check_exercise, given, rewording
from npbilstm.classroom.assignment import notebook, python_file
from npbilstm.classroom.course_form import form_in, in_form
from npbilstm.classroom.exercises import ALL, EXERCISES
from npbilstm.classroom.formats import file_name, nbgrader_notebook, otter_notebook, solved
from npbilstm.classroom.grading import grade_sources
from npbilstm.classroom.handed_in import source_of
from npbilstm.classroom.rewording import reworded, signature_in, stub_in
from npbilstm.classroom.stand_in import stand_in, standing_in
from npbilstm.classroom.stubs import body, helpers_of, signature, solution
from npbilstm.classroom.variant import told_otherwise, variant_in
from npbilstm.cli import main
from npbilstm.submission.checked_file import functions_defined
from npbilstm.submission.conventions import SYMBOL, TEXTBOOKS, conventions_of
from npbilstm.submission.function_spec import shape_of
from npbilstm.submission.given import CACHES, specs_by_function
from npbilstm.submission.layouts import Layout, to_submitted
from npbilstm.submission.sandbox_trial import best_sandbox
from tests.classroom.variant_docstrings import (
    STEPS,
    axes_besides,
    shape,
    shapes_said,
    textbooks_names,
    wrong_equations,
    wrong_indices,
)
from tests.classroom.written import namespace, written

SEEDS = range(50)
needs_linux = pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="the sandbox is Linux's")
every_seed = [pytest.param(seed, marks=[] if seed < 1 else [pytest.mark.slow]) for seed in SEEDS]
every_variant = pytest.mark.parametrize("variant", every_seed)


def adapted(exercise, variant):
    """An exercise's file with a right answer: the textbook's functions, what they take and give moved."""
    text = python_file(exercise, variant)
    for function in exercise.functions:
        stub = stub_in(function, conventions_of(variant))
        assert stub in text
        text = text.replace(stub, solved(function, "# answer", "# end", variant))
    return text


def adapted_alone(exercise, variant):
    """The same with the textbook's source in it, for where there is no textbook."""
    conventions = conventions_of(variant)
    source = standing_in(exercise.functions, conventions).source
    text = python_file(exercise, variant)
    for function in exercise.functions:
        text = text.replace(stub_in(function, conventions), f"{function} = answer['{function}']")
    head, mark, tail = text.partition("\n\n\nclass") if "\n\n\nclass" in text else text.partition("\n\n\n")
    run = f"answer = {{'__name__': 'answer'}}\nexec(compile({source!r}, 'answer', 'exec'), answer)"
    return f"{head}\n\n{run}{mark}{tail}"


def copied(exercise, variant):
    """The textbook's bodies below a variant's signatures, with the variant's names in them."""
    conventions = conventions_of(variant)
    text = python_file(exercise, variant)
    for function in exercise.functions:
        answer = signature_in(function, conventions) + "\n" + conventions.renamed(body(function))
        text = text.replace(stub_in(function, conventions), answer)
    helpers = [solution(name) for name in helpers_of(exercise.functions) if name not in exercise.functions]
    head, mark, tail = text.partition("\n\n\nif __name__")
    return "\n\n\n".join([head, *map(conventions.renamed, helpers)]) + mark + tail


def test_all_conventions_change_together_and_there_are_many():
    found = [conventions_of(seed) for seed in SEEDS]
    right = Layout()
    for conventions in found:
        layout, names = conventions.layout, dict(conventions.names)
        assert layout.gates != right.gates
        assert layout.gru_gates != right.gru_gates
        assert (layout.weights, layout.b) == ("4H,D", "4H,1")
        assert layout.x.index("D") < layout.x.index("N")
        assert not set(names) & set(names.values())
        assert len(set(names.values())) == len(names) == 6
        assert conventions.arguments("lstm_forward") == ["params", "x", "h0", "c0", "lengths"]
        assert conventions.arguments("recurrent_forward")[:2] == ["step_forward", "params"]
    assert len(set(found)) > 40
    assert conventions_of(None) == TEXTBOOKS
    with pytest.raises(ValueError, match="variant is -1; it needs a number from 0 on"):
        conventions_of(-1)


@every_variant
@pytest.mark.parametrize("step", STEPS)
def test_the_docstrings_equations_compute_what_the_functions_give(step, variant):
    assert wrong_equations(step, variant) == set()


PLANTED = {
    "turned": lambda product, layout: product,
    "gates_in_order": lambda text, conventions: text,
    "shape": lambda found, conventions: found[0],
    "with_indices": lambda text, conventions: text,
}


def docstring_faults(variant):
    """What is wrong in a variant's docstrings: equations, shapes and indices."""
    wrong = {name for step in STEPS for name in wrong_equations(step, variant)}
    conventions = conventions_of(variant)
    for exercise in ALL:
        for function in exercise.functions:
            if function in ("clipping_factor", "backward_is_right") or exercise.name == "activations":
                continue
            text = textbooks_names(signature_in(function, conventions), conventions).partition('"""')[2]
            said, right = shapes_said(text), shapes_of(function, variant)
            wrong |= {f"{function} {name} {axes}" for name, axes in said.items() if right.get(name, axes) != axes}
            also = {"p": "logits", "y": "h", "dy": "h", "dW": "table"}
            right = {**{name: right[known] for name, known in also.items() if known in right}, **right}
            right |= axes_besides(function, conventions.layout)
            wrong |= set(wrong_indices(text, right))
    return wrong


def shapes_of(function, variant):
    """The axes of what a function takes and gives in a variant, by the textbook's names, as its arrays have them."""
    spec, layout = specs_by_function()[function], conventions_of(variant).layout
    sizes = {"N": 5, "T": 7, "D": 11, "H": 13, "V": 17, "S": 19, "E": 23, "A": 29, "U": 31}
    letters = {2: "2", 1: "1", **{size: axis for axis, size in sizes.items()}}
    letters |= {count * 13: f"{count}H" for count in (2, 3, 4)}
    found = {}
    for name, axes in {**spec.outputs, **spec.inputs}.items():
        array = to_submitted(name, np.zeros(shape_of(axes, sizes)), axes, layout)
        told = ", ".join(letters[size] for size in array.shape)
        found[name] = found[f"d{name}"] = told.replace("2", "L") if function.startswith("stacked") else told
    return found


@every_variant
def test_shapes_and_indices_in_docstrings_are_those_of_the_arrays(variant):
    assert docstring_faults(variant) == set()


@pytest.mark.parametrize("rule", PLANTED)
def test_a_docstring_that_does_not_follow_is_seen(rule, monkeypatch):
    monkeypatch.setattr(rewording, rule, PLANTED[rule])
    assert docstring_faults(0)


@every_variant
def test_no_symbol_of_the_textbooks_is_left_and_arguments_stand_as_told(variant):
    conventions = conventions_of(variant)
    for exercise in ALL:
        for function in exercise.functions:
            text = rewording.LETTERS.sub("", signature_in(function, conventions))
            assert not SYMBOL.search(text), text
            names = re.findall(r"(\w+): ", text.partition(")")[0].partition('"""')[0])
            assert names[0] == conventions.renamed(conventions.arguments(function)[0])


@every_variant
def test_a_right_answer_is_right_and_a_stub_not_yet_written(variant):
    for exercise in ALL if variant else ALL[2:8:5]:
        stub = check_exercise(exercise.name, namespace(python_file(exercise, variant)), variant=variant)
        assert stub.state == "not yet written"
        result = check_exercise(exercise.name, namespace(adapted(exercise, variant)), variant=variant)
        assert result.state == "right", f"{exercise.name}: {result}"


@every_variant
def test_what_is_copied_from_the_textbook_is_right_in_nothing_but_the_activations(variant):
    for exercise in ALL if variant else ALL[:5]:
        result = check_exercise(exercise.name, namespace(written(exercise)), variant=variant)
        assert (result.state == "right") == (exercise.name == "activations"), exercise.name


@every_variant
def test_nor_is_it_with_other_names_but_where_there_is_no_layout(variant):
    without = {"activations", "dropout", "gradient_checker"}
    for exercise in ALL if variant else ALL[2:4]:
        result = check_exercise(exercise.name, namespace(copied(exercise, variant)), variant=variant)
        assert result.state == "wrong" or exercise.name in without, exercise.name


def test_the_textbooks_own_is_left_as_it_was():
    for exercise in ALL:
        for function in exercise.functions:
            assert signature_in(function, TEXTBOOKS) == signature(function)
    assert reworded("x (N, T, D)", TEXTBOOKS) == "x (N, T, D)"
    assert given.__module__ == "npbilstm.classroom.variant"


def test_a_cache_that_is_looked_into_has_the_shapes_that_it_is_said_to_have():
    layout, rng = conventions_of(3).layout, np.random.default_rng(0)
    step, forward, valid_steps = given(3, "lstm_step_forward", "bilstm_forward", "valid_steps")
    params = [rng.standard_normal(shape(axes)) for axes in ("4H, D", "4H, H", "4H, 1")]
    x = rng.standard_normal([{"N": 4, "T": 3, "D": 2}[axis] for axis in layout.x])
    cache = step(params, rng.standard_normal((2, 4)), *rng.standard_normal((2, 5, 4)))[-1]
    assert cache[0].shape == (2, 4)
    assert {np.shape(part) for part in cache[1:-1]} == {(5, 4)}
    assert cache[-1][0].shape == (20, 2)
    assert len(cache) == len(CACHES["LSTMStepCache"])
    lengths = np.array([3, 0, 2, 1])
    cache = forward((params, params), x, *rng.standard_normal((2, 2, 5, 4)), lengths=lengths)[-1]
    assert cache.forward.valid.dtype == bool
    assert np.array_equal(cache.forward.valid, valid_steps(3, lengths))
    with pytest.raises(TypeError, match=r"it takes T, lengths"):
        valid_steps(3, lengths, 4)


def test_a_report_says_whose_names_it_has():
    wrong = adapted(EXERCISES["flip"], 3).replace('answer["flip"](', 'answer["flip"](1 + ')
    result = check_exercise("flip", namespace(wrong), variant=3)
    assert result.state == "wrong"
    assert "All of this is in the textbook's names and layout: what is inputs, hidden" in " ".join(str(result).split())


def test_a_file_tells_its_variant_and_what_tells_another_is_said():
    flip = EXERCISES["flip"]
    assert variant_in(python_file(flip, 12)) == 12
    assert variant_in(python_file(flip)) is None
    assert variant_in("".join(json.loads(notebook(flip, 12))["cells"][1]["source"])) == 12
    assert variant_in(source_of(Path("flip.ipynb"), notebook(flip, 12).encode())) == 12
    assert form_in(source_of(Path("a.ipynb"), notebook(in_form(EXERCISES["rnn_step"], "cs231n")).encode())) == "cs231n"
    sources = [("a.py", python_file(flip, 12)), ("b.py", python_file(flip, 7)), ("c.py", python_file(flip))]
    assert told_otherwise(sources, 7) == [
        "a.py says that it is of variant 12; it is graded as of variant 7",
        "c.py says that it is of no variant; it is graded as of variant 7",
    ]
    assert told_otherwise(sources[:1], None) == ["a.py says that it is of variant 12; it is graded as of no variant"]


def test_what_stands_in_holds_nothing_that_is_asked():
    for exercise in ALL:
        assert not stand_in(exercise, 3).functions & set(exercise.functions)


@pytest.mark.slow
def test_check_judges_a_file_as_of_the_variant_that_it_tells(tmp_path, capsys):
    assert main(["exercise", "start", str(tmp_path), "--variant", "4", "--only", "flip", "lstm_step_backward"]) == 0
    assert main(["exercise", "check", str(tmp_path)]) == 3
    for name in ("flip", "lstm_step_backward"):
        path = tmp_path / file_name(EXERCISES[name], "py")
        path.write_text(adapted_alone(EXERCISES[name], 4))
    assert main(["exercise", "check", str(tmp_path)]) == 0
    path.write_text(path.read_text().replace("variant=4\n", "variant=5\n"))
    assert main(["exercise", "check", str(tmp_path)]) == 1


@needs_linux
@pytest.mark.slow
@pytest.mark.parametrize("variant", SEEDS)
def test_a_right_answer_has_full_marks_and_a_changed_record_gains_nothing(variant):
    layers, _ = best_sandbox()
    sources = {each: ("f.py", adapted_alone(each, variant).replace("# exercise: ", "# no ")) for each in ALL}
    parts = grade_sources(sources, ALL, layers, 3, variant)
    assert [part.exercise.name for part in parts if part.points != part.exercise.points] == []
    if variant < 3:
        told = {each: ("f.py", f"{written(each)}\n\n# exercise: variant={variant}\n") for each in ALL}
        points = {part.exercise.name: part.points for part in grade_sources(told, ALL, layers, 3, variant)}
        assert {name for name, got in points.items() if got} == {"activations"}


@needs_linux
@pytest.mark.slow
def test_grade_says_of_which_variant_and_keeps_results_of_one(tmp_path, capsys):
    (tmp_path / "in" / "ann").mkdir(parents=True)
    flip = EXERCISES["flip"]
    (tmp_path / "in" / "ann" / file_name(flip, "py")).write_text(adapted_alone(flip, 4))
    asked = ["grade", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--only", "flip", "--jobs", "1"]
    assert main([*asked, "--variant", "4"]) == 0
    assert "ann: 5 of 5 points" in capsys.readouterr().out
    assert main(asked) == 2
    assert "of variant 4 and of flip; others need another folder" in capsys.readouterr().err
    assert main([*asked[:3], str(tmp_path / "other"), *asked[4:]]) == 0
    assert "says that it is of variant 4; it is graded as of no variant" in capsys.readouterr().out
    assert main([*asked, "--variant", "-4"]) == 2


def test_what_is_given_is_not_taken_for_ones_own():
    source = python_file(EXERCISES["padding"], 3)
    module = ModuleType("padding")
    module.__file__ = "padding.py"
    exec(compile(source, "padding.py", "exec"), vars(module))
    own = {name for name, value in functions_defined(module, source).items() if not isinstance(value, type)}
    assert own & set(textbook.__all__) == {"lstm_forward", "lstm_backward"}
    assert {"lstm_step_forward", "valid_steps"} <= vars(module).keys()


@pytest.mark.parametrize("make", [nbgrader_notebook, otter_notebook])
def test_what_nbgrader_and_otter_are_given_solves_itself(make):
    cells = json.loads(make(EXERCISES["lstm_step_backward"], 3))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = namespace("\n\n\n".join(code))
    names.get("test_lstm_step_backward", lambda env: None)(names)  # otter's; nbgrader's has run
    assert "LSTMParams" in names
    assert any("exec(" in text and "SOLUTION" in text for text in code)

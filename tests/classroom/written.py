"""Exercises as somebody writes them: the textbook's own bodies put in, one with a mistake where it is wanted."""

from npbilstm.classroom.assignment import python_file
from npbilstm.classroom.stubs import helpers_of, solution, stub
from npbilstm.mistakes.planting import changed, source_of


def body_of(name, bug):
    """A function of the textbook, with a mistake of the catalogue where that is in it."""
    if bug is None or bug.function != name:
        return solution(name)
    head, body = source_of(name)
    return (head + changed(body, bug)).rstrip()


def written(exercise, bug=None, functions=None):
    """An exercise's file with its functions written (all of them, or these), the private ones that they call beside."""
    text = python_file(exercise)
    chosen = exercise.functions if functions is None else functions
    helpers = [name for name in helpers_of(chosen) if name not in exercise.functions]
    for name in chosen:
        text = text.replace(stub(name), body_of(name, bug))
    bodies = [body_of(name, bug) for name in helpers]
    head, mark, tail = text.partition("\n\n\nif __name__")
    return "\n\n\n".join([head, *bodies]) + mark + tail


def namespace(source, name="exercise"):
    """What a source makes when it is run."""
    names = {"__name__": name}
    exec(compile(source, f"<{name}>", "exec", dont_inherit=True), names)
    return names

"""An exercise: functions of the textbook to be written anew, what is said of them, and what is told to a teacher."""

from __future__ import annotations

from typing import NamedTuple

from npbilstm.classroom.stubs import helpers_of
from npbilstm.diagnosis.cases import draw_cases
from npbilstm.diagnosis.comparison import SAME, agree
from npbilstm.diagnosis.expected import observe
from npbilstm.mistakes import BUGS, Bug, plant
from npbilstm.submission.course_specs import ALL_SPECS
from npbilstm.submission.function_spec import FunctionSpec
from npbilstm.submission.specs import SPECS


class Exercise(NamedTuple):
    """An exercise. name: as it is asked for. functions: of the textbook, in the order in which they are written.

    task: what is to be done. teaches: what is understood afterwards, for the teacher. minutes, points: what it takes
    and what it is worth. unasked: inputs that are left at 0, or lengths at T, since a later exercise is about them.
    quoted: private functions of the textbook whose docstrings hold equations that are needed. form: of the course that
    its functions are written as in; asks: of such a form the subjects, each with the names of its functions.
    """

    name: str
    title: str
    functions: tuple[str, ...]
    minutes: int
    points: int
    task: str
    teaches: str
    unasked: frozenset[str] = frozenset()
    quoted: tuple[str, ...] = ()
    form: str = "textbook"
    asks: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def specs(self) -> list[FunctionSpec]:
        """The specs that its functions belong to, in the order in which these build on one another."""
        if self.asks:
            return [ALL_SPECS[name] for name, _ in self.asks]
        return [spec for spec in SPECS.values() if {spec.forward, spec.backward} & set(self.functions)]

    def names_of(self, spec: FunctionSpec) -> tuple[str, ...]:
        """The names of a spec's functions as they are written here."""
        return dict(self.asks)[spec.name] if self.asks else spec.names

    @property
    def mistakes(self) -> list[Bug]:
        """The catalogue's mistakes in its functions, those that show in what is asked."""
        functions = helpers_of(self.functions)
        found = [bug for bug in BUGS.values() if bug.function in functions]
        return [bug for bug in found if not self.unasked or any(shows(bug, spec, self.unasked) for spec in self.specs)]


def shows(bug: Bug, spec: FunctionSpec, absent: frozenset[str]) -> bool:
    """Whether a mistake changes anything, where these inputs are left at 0, or lengths at T."""
    right, wrong = (spec.in_textbook_form(plant(bugs)) for bugs in ((), (bug,)))
    for case in draw_cases(spec, right, absent=absent):
        try:
            one, other = observe(right, case), observe(wrong, case)
        except Exception:
            return True
        pairs = [(one.outputs, other.outputs), (one.gradients, other.gradients)]
        if not all(agree(a, b, SAME) for a, b in pairs) or one.changed != other.changed:
            return True
    return False

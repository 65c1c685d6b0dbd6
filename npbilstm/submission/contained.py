"""Work for marks, run in the sandbox, and its functions as pairs: what grading has where `check` has process.py.

Both start one runner, ask it in one way (runner_client.py), and neither has the reference there. What differs is the
policy (containment.py) and what answers. `check` is run by those whose work it is, on work in any form: its runner
imports what reads a form from live functions, and lets the work write files and start threads. For marks nothing but
the work may be there, so what answers knows the textbook's form alone, by plans: where each array stands among the
arguments, and in what comes back.

A submission has one process for all of its calls, and gets a new one after a crash or a time-out. All of its answers
are numbers of shapes that were asked for, names that were asked for, and texts that are cut and quoted. Once the code
has been given numbers to work on, its own words are told no more: an exception may carry them out.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from npbilstm.printable import one_line
from npbilstm.submission.behaviour import Behaviour
from npbilstm.submission.contained_checker import ASKED, checked, given_source, is_checker
from npbilstm.submission.contained_replies import error_in, misfit_in
from npbilstm.submission.containment import as_bytes, compiled
from npbilstm.submission.conventions import TEXTBOOKS, Conventions
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.fork_server import ForkServer
from npbilstm.submission.function_spec import Argument, Arrays, FunctionSpec, name_of, shape_of, sizes_in
from npbilstm.submission.layouts import moved_entries, to_reference, to_submitted
from npbilstm.submission.messages import Shapes
from npbilstm.submission.replies import IMPOSSIBLE
from npbilstm.submission.returns import gradient_name
from npbilstm.submission.runner_client import Answer, RunnerClient
from npbilstm.submission.sandbox import Layers, policy_for_marks
from npbilstm.submission.submitted_pair import SubmittedPair

START = 60.0
"""Seconds that Python and NumPy may take to start."""
Plan = str | dict[str, Any]


def plan_of(argument: Argument) -> Plan:
    """Where the arrays of an argument are in it; see planned_calls.build."""
    if isinstance(argument, str):
        return argument
    fields = getattr(argument.make, "_fields", None)
    kind = getattr(argument.make, "__name__", "parts")
    return grouped(argument.name, map(plan_of, argument.members), kind, fields)


def grouped(name: str, members: Iterable[Any], kind: str = "parts", fields: Collection[str] | None = None) -> Plan:
    """A group of arguments, or of what is returned."""
    return {"name": name, "kind": kind, "fields": list(fields) if fields else None, "members": list(members)}


def names_asked(plan: Any) -> set[str]:
    """The names in a plan of what is returned, those of groups among them."""
    if isinstance(plan, str):
        return {plan}
    return {plan["name"]}.union(*map(names_asked, plan["members"]))


class CacheThere:
    """The cache of a forward pass in the runner, by number, and the shapes of its inputs."""

    def __init__(self, number: int, shapes: Shapes) -> None:
        self.number, self.shapes = number, shapes


class ContainedSubmission(RunnerClient):
    """A submission in the sandbox: with ContainedSubmission(layers) as submission: submission.open(...).

    layers: of the sandbox; or its fork server, where that is there for several submissions. After TimedOut, Ended or
    Interfered the process is gone, and the next `open` begins a new one.
    """

    def __init__(self, layers: Layers | ForkServer, seconds: float = 5.0, whole: float = 120.0) -> None:
        self.server = layers if isinstance(layers, ForkServer) else ForkServer(layers)
        self.ends_server = self.server is not layers
        super().__init__(seconds, whole)
        self.numbers = itertools.count()
        self.shown_numbers = False
        self.told: set[str] = set()
        self.asked: set[str] = set()
        self.held: dict[str, bool] = {}
        self.file, self.lines = "", 0

    def __enter__(self) -> ContainedSubmission:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self.ends_server:
            self.server.close()

    def close(self) -> None:
        """End the process."""
        super().close()
        self.shown_numbers, self.told = False, set()

    def start(self) -> None:
        """Start the process and let it contain itself."""
        self.process = self.server.copy()
        policy = policy_for_marks(self.whole)
        reply, _ = self.ask("starting Python", policy.facts, policy.arrays, seconds=START)
        self.held = {name: reply["held"].get(name) is True for name in ("limits", "files", "calls")}
        if self.server.how.contained and not all(self.held.values()):
            self.close()
            raise OSError("the sandbox that held before does not hold now")

    def open(self, file: str, source: str, textbook: str, offered: set[str], functions: Collection[str]) -> set[str]:
        """Run a source -> which of these functions it has. file: what its traceback calls it. textbook: the source of
        what it may import of it; offered: the names of the functions in that. Where it is asked for a function that
        stood in before, it gets a new process, in which that was never seen."""
        if self.process is not None and self.told & set(functions):
            self.close()
        if self.process is None:
            self.start()
        self.told |= offered
        self.file, self.lines = one_line(file, 100), source.count("\n") + 1
        given = {"textbook": compiled(textbook), "given": compiled(given_source())}
        sources = {"source": as_bytes(source.encode("utf-8", "replace")), **given}
        request = {"do": "open", "file": self.file, "functions": sorted(functions)}
        facts, _ = self.ask(self.file, request, sources)
        found = facts.get("functions")
        if not isinstance(found, list) or not all(isinstance(name, str) and name in functions for name in found):
            raise self.interfered(self.file, IMPOSSIBLE)
        return set(found)

    def pair(
        self,
        spec: FunctionSpec,
        own: Collection[str],
        uses: Iterable[str] = (),
        conventions: Conventions = TEXTBOOKS,
    ) -> SubmittedPair:
        """The pair of a spec. own: which functions are the submission's; the forward pass of another is what stands in
        for it. uses: the textbook's functions that they call. conventions: those that they are written in."""
        behaviour, layout, spec = Behaviour(), conventions.layout, conventions.spec(spec)
        steps = [{"function": name} for name in spec.steps or ()]
        floats = spec.differentiated
        axes = {**spec.outputs, **spec.inputs}
        outputs: list[Any] = list(spec.outputs)
        if spec.steps is not None:
            outputs[1] = grouped(outputs[1], [outputs[1]])

        def call(
            function: str,
            arguments: list[Any],
            arrays: Arrays,
            plan: Plan,
            shapes: Shapes,
            answer: Answer | None = None,
            keeps: int | None = None,
            takes: int | None = None,
        ) -> Arrays:
            arrays = {name: to_submitted(name, array, axes[name], layout) for name, array in arrays.items()}
            moved = {name: moved_entries(name, shape, axes[name], layout).shape for name, shape in shapes.items()}
            asked = dict.fromkeys(ASKED, arrays["start"].shape) if answer else {}
            request = {
                "do": "call",
                "function": function,
                "arguments": arguments,
                "returns": plan,
                "shapes": {name: list(shape) for name, shape in moved.items()},
                "asks": [[name, shape] for name, shape in asked.items()],
                "keeps_cache": keeps,
                "takes_cache": takes,
            }
            self.shown_numbers, self.asked = True, names_asked(plan)
            facts, found = self.ask(function, request, arrays, moved, answer=answer, asked=asked)
            for name in self.changed_in(facts, function, arrays):
                shown = gradient_name(name) if name in spec.outputs and name not in spec.inputs else name
                behaviour.find_changed(function, shown)
            for name in shapes:
                if name not in found:
                    raise self.interfered(function, f"it gives no {name}")
                if not np.isfinite(found[name]).all():
                    raise SubmissionError(f"{function} returned numbers that are not finite, for {name}")
            return {name: to_reference(name, found[name], axes[name], layout, shapes[name]) for name in shapes}

        def forward(inputs: Arrays) -> tuple[Arrays, CacheThere]:
            cache = CacheThere(next(self.numbers), {name: np.shape(array) for name, array in inputs.items()})
            weakref.finalize(cache, self.forgotten.append, cache.number).atexit = False
            sizes = sizes_in(spec, inputs)
            shapes = {name: shape_of(axes, sizes) for name, axes in spec.outputs.items()}
            plan: Plan = grouped("its outputs", outputs) if spec.backward or len(outputs) > 1 else outputs[0]
            if is_checker(spec):
                arguments, arrays, answer = checked(inputs)
                in_order = [arguments[name_of(argument)] for argument in spec.arguments]
                return call(spec.forward, in_order, arrays, plan, shapes, answer), cache
            plans: list[Any] = [*steps[:1], *map(plan_of, spec.arguments)]
            keeps = cache.number if spec.backward else None
            return call(spec.forward, plans, dict(inputs), plan, shapes, keeps=keeps), cache

        def backward(given: Arrays, cache: CacheThere) -> Arrays:
            shapes = {name: cache.shapes[name] for name in spec.floats}
            plan = grouped("its gradients", map(plan_of, floats)) if len(floats) > 1 else plan_of(floats[0])
            arrays = {name: given[name] for name in spec.outputs}
            return call(spec.backward, [*steps[1:], *outputs], arrays, plan, shapes, takes=cache.number)

        there = tuple(name for name in spec.names if name in own)
        passes = forward, backward if spec.backward in own else None
        return SubmittedPair(*passes, there, frozenset(uses), frozenset(), behaviour.findings, behaviour.changed)

    def changed_in(self, facts: Mapping[str, Any], function: str, arrays: Arrays) -> list[str]:
        """The arrays that a call changed in place, as the runner tells."""
        names = facts.get("changed")
        if not isinstance(names, list) or not all(isinstance(name, str) and name in arrays for name in names):
            raise self.interfered(function, IMPOSSIBLE)
        return list(dict.fromkeys(names))

    def sentence_of(self, facts: Mapping[str, Any], doing: str) -> str:
        """What is told where the submission raised something, or returned what was not asked for. Raises ValueError."""
        try:
            if "misfit" in facts:
                return misfit_in(facts, doing, self.asked)
            return error_in(facts, doing, self.file, self.lines, own_words=not self.shown_numbers)
        except (TypeError, ValueError, KeyError):
            raise ValueError(IMPOSSIBLE) from None

"""A gradient checker, tried in the sandbox on passes of which it must not find out otherwise which are right.

The forward passes are there with it, so that one that gives back a view of x does; so is what x is made of. The
backward pass is not: what it is called with comes here, and what it gives goes there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from npbilstm.submission import probes
from npbilstm.submission.function_spec import Arrays, FunctionSpec
from npbilstm.submission.probes import PROBES, Probe
from npbilstm.submission.runner_client import Answer

KINDS = {"f4": np.float32, "f8": np.float64}
"""The kinds of numbers that a backward pass is called with."""
ASKED = ("dy", "x")


def is_checker(spec: FunctionSpec) -> bool:
    """Whether a spec is of a function that checks passes, which it is given."""
    return any(name.endswith("_probe") for name in spec.inputs)


@cache
def given_source() -> str:
    """The source of what the passes are made of, but for which is right and which is wrong."""
    functions = {each for probe in PROBES for each in (probe.forward, probe.given)} | {probes.mixed}
    sources = sorted(inspect.getsource(function) for function in functions)
    return "\n\n".join(["from typing import Any\nimport numpy as np\nArray = np.ndarray\n", *sources])


def as_given(function: Callable[..., Any], *members: str) -> dict[str, Any]:
    """A function of given_source as an argument, or what it gives for these arrays; see runner.build."""
    plan: dict[str, Any] = {"function": f"<{function.__name__}>"}
    return plan | ({"members": list(members)} if members else {})


def checked(inputs: Arrays) -> tuple[dict[str, dict[str, Any]], Arrays, Answer]:
    """The arguments of a call of a checker by name, the arrays in them, and what answers for the backward pass. inputs:
    the probe, by its number, and where it is tried."""
    probe: Probe = PROBES[int(inputs["backward_probe"])]

    def answer(facts: Mapping[str, Any], arrays: Arrays) -> Arrays:
        kinds = facts["asks"]
        if not isinstance(kinds, list) or len(kinds) != len(ASKED) or not all(kind in list(KINDS) for kind in kinds):
            raise ValueError("it asks for what there is not")
        if set(arrays) != set(ASKED):
            raise ValueError("it asks with other arrays")
        dy, x = (arrays[name].astype(KINDS[kind]) for name, kind in zip(ASKED, kinds))
        with np.errstate(all="ignore"):
            return {"dx": probe.backward(dy, x)}

    arguments = {"forward": as_given(probe.forward), "backward": {"function": "<asked>"}}
    arguments["x"] = as_given(probe.given, "start")
    return arguments, {"start": inputs["start"]}, answer

"""Faults of a pair of passes that its numbers do not show: what it changes, keeps, and calls."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from npbilstm.gradcheck.passes import CheckedPair, flat, flat_outs
from npbilstm.gradcheck.values import Arrays, changed_in, copies, holds_single

RECOMPUTED = 2
"""How often a backward may run the forward again; some save memory in that way."""


def faults_of(pair: CheckedPair, up: Arrays) -> list[str]:
    """A sentence for each fault."""
    inputs = pair.copied_inputs()
    before = copies(flat(inputs))
    outs, cache = pair.run_forward(inputs)
    faults = [f"forward changes its input {name} in place." for name in changed_in(flat(inputs), before)]
    given = copies(up)
    before = copies(flat(inputs))
    held = arrays_in(cache, "cache")
    held_before = copies(held)
    first, calls = with_calls_counted(pair.forward, lambda: pair.run_backward(outs, given, cache))
    faults += [f"backward changes its upstream gradient of {name} in place." for name in changed_in(given, up)]
    faults += [f"backward changes {name} in place, which is kept for it." for name in changed_in(flat(inputs), before)]
    if calls > RECOMPUTED:
        faults.append(f"backward calls forward {calls} times, as finite differences do; it needs to use the cache.")
    changed = distinct(held, held_before)  # by itself no fault: a layer may store its gradients there
    try:
        second = pair.run_backward(outs, copies(up), cache)
    except Exception as error:
        return [*faults, f"A second backward call on one cache stops ({type(error).__name__}: {error})."]
    differing = [name for name in first if differ_beyond_rounding(first[name], second[name])]
    if differing:
        how = "something is kept, added up or used up from call to call"
        if changed:
            how = f"backward changes {', '.join(changed)} in place, which is kept for it"
        faults.append(f"Two backward calls on one cache disagree on {', '.join(differing)}: {how}.")
    return faults + faults_of_sharing(pair, up, first if not differing else {})


def faults_of_sharing(pair: CheckedPair, up: Arrays, first: Mapping[str, np.ndarray]) -> list[str]:
    """Does a forward with other numbers change an out that was returned before, or the gradients of its cache?"""
    outs, cache = pair.run_forward(pair.copied_inputs())
    before = copies(flat_outs(outs))
    pair.run_forward(pair.moved_inputs())
    faults = [
        f"A second forward changes the {name} that the first returned: both are one buffer."
        for name in changed_in(flat_outs(outs), before)
    ]
    if first:
        again = pair.run_backward(outs, copies(up), cache)
        differing = [name for name in first if differ_beyond_rounding(first[name], again[name])]
        if differing:
            faults.append(
                f"A second forward with other numbers changes the gradient of {', '.join(differing)} that the first "
                "cache gives: the calls share state."
            )
    return faults


def arrays_in(value: Any, name: str, depth: int = 6) -> dict[str, np.ndarray]:
    """All arrays in a cache, in containers and in the attributes of objects, by their way from the top."""
    if isinstance(value, np.ndarray):
        return {name: value}
    if isinstance(value, Mapping):
        parts = [(f"{name}[{key!r}]", part) for key, part in value.items()]
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        parts = [(f"{name}.{field}", part) for field, part in zip(value._fields, value)]
    elif isinstance(value, (tuple, list)):
        parts = [(f"{name}[{k}]", part) for k, part in enumerate(value)]
    else:
        parts = [(f"{name}.{key}", part) for key, part in getattr(value, "__dict__", {}).items()]
    found: dict[str, np.ndarray] = {}
    for way, part in parts if depth else []:
        found.update(arrays_in(part, way, depth - 1))
    return found


def distinct(held: Mapping[str, np.ndarray], before: Mapping[str, np.ndarray]) -> list[str]:
    """The names of the arrays that changed, each array under its first name only."""
    seen: dict[int, str] = {}
    for name in changed_in(held, before):
        seen.setdefault(id(held[name]), name)
    return list(seen.values())


def differ_beyond_rounding(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two gradients differ by more than round-off, float32's where they hold no more."""
    rounding = 1e-5 if holds_single(a) and holds_single(b) else 1e-12
    with np.errstate(invalid="ignore"):
        largest = np.abs(a).max(initial=0.0)
        return not np.allclose(a, b, rtol=rounding, atol=rounding / 10 * largest, equal_nan=True)


def with_calls_counted(function: Callable[..., Any], run: Callable[[], Any]) -> tuple[Any, int]:
    """What run() returns, and how often it called the function."""
    code = code_of(function)
    calls = 0

    def watch(frame: Any, event: str, _: Any) -> None:
        nonlocal calls
        calls += event == "call" and frame.f_code is code

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        return run(), calls
    finally:
        sys.setprofile(before)


def code_of(function: Any) -> Any:
    """The code of a function, of a method, of a partial or wrapped one, or of a callable object; None for others."""
    for name in ("func", "__wrapped__", "__func__"):
        if hasattr(function, name):
            return code_of(getattr(function, name))
    return getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)

"""What stands unread: what looks like a pass in a submission, and no verdict is about it.

A helper that a judged function calls, directly or through others, is judged through it. What is left is named, with the
reason why it was not judged.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from npbilstm.gradcheck.results import NotJudged
from npbilstm.submission.course_specs import PASSES
from npbilstm.submission.definitions import INSIDE, Definition, definitions_in_names, definitions_in_source
from npbilstm.submission.looks import looks_like_pass

ELSEWHERE = "nb.check_pair(forward, backward, inputs) judges any two passes, whatever their names."
"""Where else to turn."""
LINES = "the lines outside of functions"
MOST = 3000
"""How many definitions a file may have."""
SHOWN = 100
"""How many names are told."""
FEW = 5
"""How many names of a class's or module's passes are told."""
WIDTH = 60
"""How many characters of a name are told."""


def unread_in_source(source: str, judged: Iterable[str], others: Iterable[str] = ()) -> list[NotJudged]:
    """What stands unread in a file.

    judged: the names of the functions that a verdict is about, or for which there is a reason why not. others: the
    names of what looks like a pass and was there when the file had run: it may come from another file, or be made.
    """
    try:
        definitions, judged = definitions_in_source(source), set(judged)
    except (RecursionError, MemoryError):
        return [NotJudged("the file", "it is nested too deeply to be looked through")]
    if len(definitions) > MOST:
        return [NotJudged("the file", f"it defines {len(definitions)} things; {MOST} are looked through at most")]
    found = [*written_twice(definitions, judged), *unread_among(definitions, judged)]
    known = {name.partition(".")[0] for name in judged} | {each.name for each in definitions if each.kind == "function"}
    known |= {each.name.partition(".")[0] for each in found}
    homes = imports_in(source)
    for name in others:
        if name not in known:
            where = f"it comes from {homes[name]}" if name in homes else "it is made or imported as the file runs"
            found.append(NotJudged(name, f"{where}; a file is judged by what is defined in it"))
    return first_of(found)


def unread_in_names(names: Mapping[str, Any], judged: Iterable[str]) -> list[NotJudged]:
    """What stands unread in a namespace."""
    return first_of(unread_among(definitions_in_names(names), set(judged)))


def first_of(found: list[NotJudged]) -> list[NotJudged]:
    """The first of many, and how many there are besides."""
    more = len(found) - SHOWN
    return found if more <= 0 else [*found[:SHOWN], NotJudged(f"{more} more", "they look like passes, too")]


def unread_among(definitions: list[Definition], judged: set[str]) -> list[NotJudged]:
    """What looks like a pass, is not judged and not reached from what is; a class and a module are named as a whole."""
    reached = reached_from(judged, definitions)
    kinds = {each.name: each.kind for each in definitions}
    bases = {name for each in definitions if each.kind == "class" for name in each.uses - {each.name}}
    groups: dict[str, list[str]] = {}
    reasons: dict[str, str] = {}
    for each in definitions:
        if each.name in reached or not is_pass(each, kinds):
            continue
        top, owner = each.name.partition(".")[0], each.name.rpartition(".")[0]
        if each.stub and owner in bases:  # for those to write that build on it
            continue
        if kinds.get(top) == "module":
            groups.setdefault(top, []).append(each.name.removeprefix(f"{top}."))
        elif kinds.get(owner) == "class":
            groups.setdefault(owner, []).append(each.name.removeprefix(f"{owner}."))
        elif not any(each.name.startswith(f"{outer}.{INSIDE}.") for outer in groups):
            groups[each.name] = []
            reasons[each.name] = reason_for(each)
    for name, parts in groups.items():
        if parts:
            reasons[name] = reason_for_all(kinds[name], list(dict.fromkeys(map(shown_name, parts))))
    return [NotJudged(shown_name(name), reasons[name]) for name in groups]


def is_pass(definition: Definition, kinds: Mapping[str, str]) -> bool:
    """Whether a definition looks like a pass; what has the name of one does."""
    if definition.kind == "lines":  # they run the tests and the training, too
        return looks_like_pass("main", definition.signs)
    owner, _, name = definition.name.rpartition(".")
    of_class = owner.rpartition(".")[2] if kinds.get(owner) == "class" else ""
    looks = definition.name in PASSES or looks_like_pass(name, definition.signs, of_class)
    return definition.kind in ("function", "lambda") and looks


def reached_from(judged: set[str], definitions: list[Definition]) -> set[str]:
    """The names of the definitions that these functions use, those that these use, and so on, themselves among them."""
    names = {name.partition(".")[0] for name in judged}
    attributes = {part for name in judged for part in name.split(".")[1:]}
    reached: set[str] = set()
    before = -1
    while len(reached) > before:
        before = len(reached)
        for each in definitions:
            if each.name and each.name not in reached and is_used(each.name, names, attributes):
                reached.add(each.name)
        for each in definitions:
            if each.name in reached:
                names |= each.uses
                attributes |= each.attributes
    return reached


def is_used(name: str, names: set[str], attributes: set[str]) -> bool:
    """Whether what is called LSTM.forward is used: LSTM, and the forward of something; or, of make.<locals>.step, make,
    and step in there. Python itself calls __init__."""
    first, *rest = name.replace(f".{INSIDE}", "").split(".")
    return first in names and all(part in attributes or part.startswith("__") for part in rest)


def written_twice(definitions: list[Definition], judged: set[str]) -> list[NotJudged]:
    """Passes that are defined again further on, of which the judge sees the last alone; not those that are wrapped."""
    reached = reached_from(judged, definitions)
    kinds = {each.name: each.kind for each in definitions}
    found = []
    for name in dict.fromkeys(each.name for each in definitions if each.name in reached):
        same = [each for each in definitions if each.name == name]
        while len(same) > 1 and same[-1].kind == "name" and name in same[-1].uses:
            del same[-1]
        lines = [each.line for each in same]
        if any(is_pass(each, kinds) for each in same[:-1]):
            *first, last = map(str, lines)
            said = f"it is defined at lines {', '.join(first)} and {last}, and only one of them is judged"
            found.append(NotJudged(shown_name(name), said))
    return found


def shown_name(name: str) -> str:
    """A definition's name as people read it: step in make."""
    read = " in ".join(reversed(name.split(f".{INSIDE}."))) or LINES
    return read if len(read) <= WIDTH else f"{read[:WIDTH]}..."


def reason_for(definition: Definition) -> str:
    """Why a function was not judged."""
    name = definition.name
    if definition.kind == "lines":
        return f"they look like a pass from line {definition.line} on, and only functions are judged"
    if definition.stub:
        return "it is not written yet"
    if INSIDE in name:
        return "it stands inside another function, where nobody else can call it"
    if name in PASSES:
        return "there is no such function when the code has run"
    return f"no function of the textbook has this name{closest(name)}"


def reason_for_all(kind: str, names: list[str]) -> str:
    """Why a class or a module, in which these passes stand, was not judged."""
    parts = ", ".join(names[:FEW]) + (" ..." if len(names) > FEW else "")
    if kind == "class":
        return f"it is a class ({parts}) of no form that is known"
    return f"it is a module ({parts}), and is judged by itself"


def closest(name: str) -> str:
    """The end of a sentence: which of the textbook's functions has nearly this name; "" where none has."""
    near = difflib.get_close_matches(name, PASSES, 1, 0.75)
    return f"; the closest is {near[0]}" if near else ""


def none_there(names: Iterable[str]) -> str:
    """The sentence for code in which nothing looks like a pass, with the names that may be misspelt."""
    some = (name for name in names if not name.startswith("_"))
    near = {name: difflib.get_close_matches(name, PASSES, 1, 0.75) for name in islice(some, SHOWN)}
    meant = [f"{shown_name(name)} (is it {close[0]}?)" for name, close in near.items() if close and close[0] != name]
    seen = f"; there is {', '.join(meant[:5])}" if meant else ""
    return (
        f"none of the textbook's functions is there, and nothing else that looks like a pass{seen}. It needs at least "
        f"one of {', '.join(PASSES)}. {ELSEWHERE} In a notebook, nb.diagnose(globals()) judges what it has defined."
    )


def imports_in(source: str) -> dict[str, str]:
    """The names that a source imports, with the files that they come from as far as it tells."""
    homes: dict[str, str] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            home = f"{(node.module or '').replace('.', '/')}.py"
            homes |= {alias.asname or alias.name: home for alias in node.names}
        elif isinstance(node, ast.Import):
            homes |= {alias.asname or alias.name: f"{alias.name.replace('.', '/')}.py" for alias in node.names}
    return homes


def unread_names(names: Mapping[str, Any], judged: Iterable[str]) -> list[str]:
    """The names in a namespace under which something stands unread, for the process that judges; as names are written
    in Python, also where a program made another."""
    found = [each.name.partition(".")[0] for each in unread_among(definitions_in_names(names), set(judged))]
    as_written = (name if name.isidentifier() else "_" + re.sub(r"\W", "_", name) for name in found)
    return list(dict.fromkeys(as_written))[:SHOWN]

"""Arguments: what a submitted function takes, found out from the names in its signature.

Everybody calls the same things by other names: prev_h, a0 and hidden are h_prev, W is Wx, theta holds all weights.
Names are compared without case and underscores. Where one is not known and has no default, its place may tell, and
otherwise the file's header does: hidden=h_prev.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from npbilstm.submission.course_specs import ALL_SPECS
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.function_spec import Argument, FunctionSpec, Group, name_of, names_in
from npbilstm.submission.layouts import SETTINGS
from npbilstm.submission.specs import pair_of

HIDDEN = "hprev prevh h h0 hinit inith hiddenprev prevhidden hidden hidden0 hold hlast aprev preva a0 state state0"
CELL = "cprev prevc c c0 cinit initc cellprev prevcell cell cell0 cellstate cold clast"
ALIASES = {
    name: names.split()
    for name, names in {
        "x": "xs xt inputs input inp data seq sequence",
        "h_prev": HIDDEN,
        "h0": HIDDEN,
        "c_prev": CELL,
        "c0": CELL,
        "state": "initialstate state0 stateprev prevstate states hc",
        "Wx": "wxh w wih kernel",
        "W": "wx w weight weights kernel wcat table embeddings wembed",
        "Wh": "u whh recurrentkernel",
        "b": "bias",
        "b_hn": "bhn",
        "query": "q s st h ht hidden hiddenstate state decoderstate decoderhidden sprev",
        "keys": "k ks memory annotations source encoderoutputs encoderoutput encoderstates encoderhidden enc encout hs",
        "Wq": "wa w w1 wquery wdec",
        "Wk": "ua u w2 wkeys wkey wenc",
        "v": "va vector",
        "context_prev": "prevcontext context context0",
        "source_lengths": "srclengths encoderlengths keylengths",
        "ids": "x idx indices tokens words symbols inputs",
        "table": "w weights weight embeddings wembed",
        "p": "peepholes",
        "Wp": "projection",
        "params": "weights parameters theta weight",
        "forward": "fwd paramsfwd paramsforward paramsf fwdparams forwardparams weightsfwd weightsforward",
        "reverse": "rev bwd backward paramsrev paramsreverse paramsr paramsbwd paramsbackward paramsb revparams "
        "reverseparams bwdparams backwardparams weightsrev weightsreverse weightsbwd weightsbackward",
        "target_lengths": "targetlens labellengths labellens ylengths ylens outputlengths",
        "width": "beamwidth beamsize k beam",
        "lengths": "seqlengths seqlens lens length seqlen seqlength sequencelengths xlengths inputlengths inputlens",
        "logits": "scores x a",
        "class_weights": "weights weight classweight w alpha",
        "mask": "valid counts keep m",
        "predictions": "prediction predicted preds pred yhat ypred x",
        "targets": "target labels label y ytrue t tags tag",
        "scores": "emissions emission emissionscores unary unaries potentials logits feats features x",
        "transitions": "transition trans transitionmatrix transitionscores a",
        "start": "starttransitions starts startscores begin pi",
        "end": "endtransitions ends endscores stop",
        "y": "x ys h hs",
        "a": "x z",
        "value": "s y a x",
        "z": "a x v u inp input inputs values",
        "gain": "gamma g weight scale alpha w",
        "bias": "beta b shift offset",
        "epsilon": "eps",
        **{f"gain_{of}": f"gamma{of} g{of} alpha{of} scale{of} ln{of} ln{of}gain" for of in "xhc"},
        "bias_c": "betac bc shiftc",
        "step": "stepforward stepbackward cell stepfunction stepfn",
    }.items()
}
DIRECTION_WORDS = {
    "forward": ("f", "fw", "fwd", "forward"),
    "reverse": ("r", "rev", "reverse", "b", "bw", "bwd", "backward"),
}
"""How the two directions are told in a name such as Wx_f or fwd_Wx."""

MAY_LACK = {"h0", "c0", "lengths", "source_lengths", "target_lengths", "b", "b_hn", "p", "start", "end"}
"""What a function may do without: it then starts at 0, reads all steps, adds no bias, no score for the first and last
class."""


def may_lack(spec: FunctionSpec, name: str) -> bool:
    """Whether a function of a spec may do without one of the inputs."""
    return name.rpartition(".")[2] in MAY_LACK or name in spec.may_lack


def known_arguments(spec: FunctionSpec) -> dict[str, Argument]:
    """Every argument that a submitted function may have, by the textbook's names: groups, and the arrays in them."""
    known: dict[str, Argument] = {}

    def add(argument: Argument) -> None:
        known[name_of(argument)] = argument
        if isinstance(argument, Group):
            for member in argument.members:
                add(member)

    for argument in textbook_arguments(spec):
        add(argument)
    if "xs" in known:
        known["x"] = known["xs"]  # a list of steps, whatever it is called
    states = [name for name in ("h0", "c0", "h_prev", "c_prev") if name in known]
    if len(states) == 2:
        known["state"] = Group("state", pair_of, tuple(states))
    return known


def textbook_arguments(spec: FunctionSpec) -> list[Argument]:
    """The forward function's arguments in the textbook's order; "step" is the function that is taken through time."""
    return [*(["step"] if spec.steps else []), *spec.arguments]


def find_argument(name: str, known: Iterable[str]) -> str | None:
    """Which of the known names is meant by a name, or None."""
    known = list(known)
    if name in known:
        return name
    plain = name.lower().replace("_", "")
    for each in known:
        if plain == each.lower().replace("_", ""):
            return each
    for each in known:
        if plain in ALIASES.get(each, ()):
            return each
    for direction, words in DIRECTION_WORDS.items():
        members = {each.removeprefix(f"{direction}."): each for each in known if each.startswith(f"{direction}.")}
        for word in words if members else ():
            for base in (name.lower().removesuffix(f"_{word}"), name.lower().removeprefix(f"{word}_")):
                if base != name.lower() and (found := find_argument(base, members)):
                    return members[found]
    return None


def renamed_arguments(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings that name arguments: the submitted name -> the textbook's. Raises ValueError where that is none."""
    renamed = {name: value for name, value in settings.items() if name not in SETTINGS}
    known = list(dict.fromkeys(name for spec in ALL_SPECS.values() for name in known_arguments(spec)))
    for name, value in renamed.items():
        if value not in known:
            raise ValueError(
                f"the header has {name}={value}; it needs {', '.join(SETTINGS)}, or an argument of yours and what it "
                f"is, one of {', '.join(known)}"
            )
    return renamed


def arguments_of(
    spec: FunctionSpec, called: str, function: Callable[..., Any], renamed: Mapping[str, str]
) -> list[tuple[str, Argument]]:
    """What a forward function takes: each argument with the keyword that it is given by, "" for by place. What it has a
    default for and nobody knows is left to it.

    Raises SubmissionError where an argument is not known, or one that there must be is not there.
    """
    order = textbook_arguments(spec)
    parameters = parameters_of(function)
    if parameters is None:
        return [("", argument) for argument in order]
    known = known_arguments(spec)
    found = {}
    for parameter in parameters:
        name = renamed.get(parameter.name, parameter.name)
        found[parameter.name] = find_argument(name, known)
    unknown = [p.name for p in parameters if found[p.name] is None and p.default is p.empty]
    if unknown:
        by_place = arguments_by_place(parameters, order)
        if not by_place or any(found[name] not in (None, argument) for name, argument in by_place.items()):
            raise SubmissionError(
                f"{called}'s argument {unknown[0]!r} is not known; say what it is in the header, for example "
                f"# npbilstm: {unknown[0]}={lacking_in(order, found)}"
            )
        found |= by_place
    taken: dict[str, str] = {}
    arguments = []
    for parameter in parameters:
        meant = found[parameter.name]
        if meant is None or (parameter.default is not parameter.empty and set(names_in(known[meant])) & taken.keys()):
            continue
        for name in names_in(known[meant]):
            if name in taken:
                raise SubmissionError(
                    f"{called}'s arguments {taken[name]!r} and {parameter.name!r} both seem to be {name}; say what "
                    f"each is in the header, for example # npbilstm: {parameter.name}={lacking_in(order, found)}"
                )
            taken[name] = parameter.name
        arguments.append(("" if parameter.kind is parameter.POSITIONAL_ONLY else parameter.name, known[meant]))
    lacking = [name for name in spec.inputs if name not in taken and not may_lack(spec, name)]
    if lacking:
        names = ", ".join(parameter.name for parameter in parameters)
        raise SubmissionError(f"{called}({names}) does not take {', '.join(lacking)}; it needs to")
    return arguments


def lacking_in(order: list[Argument], found: Mapping[str, str | None]) -> str:
    """The first argument of the textbook's that was not found, for an example."""
    return next((name for name in map(name_of, order) if name not in found.values()), "x")


def arguments_by_place(parameters: list[inspect.Parameter], order: list[Argument]) -> dict[str, str]:
    """The arguments by their places, where a function has as many as the textbook's; lengths may be left out."""
    names = [parameter.name for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY]
    expected = [name_of(argument) for argument in order]
    if len(names) == len(expected) or (len(names) == len(expected) - 1 and expected[-1] == "lengths"):
        return dict(zip(names, expected))
    return {}


def parameters_of(function: Callable[..., Any]) -> list[inspect.Parameter] | None:
    """A function's parameters, but for **those; None where it takes any number by place, or does not tell."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    return [parameter for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]


def assemble_with_keys(argument: Argument, arrays: Mapping[str, Any]) -> Any:
    """An argument made of its arrays. A group with names can be asked by them as well, params["Wx"], like a dict."""
    if isinstance(argument, str):
        return arrays[argument]
    make = with_keys(argument.make) if hasattr(argument.make, "_fields") else argument.make
    return make(*(assemble_with_keys(member, arrays) for member in argument.members))


@cache
def with_keys(named_tuple: type) -> type:
    """The NamedTuple class, with instances that can be asked by key as well, as a dict is."""

    def getitem(self: Any, key: Any) -> Any:
        if not isinstance(key, str):
            return tuple.__getitem__(self, key)
        name = find_argument(key, self._fields)
        if name is None:
            raise KeyError(f"{key}; there is {', '.join(self._fields)}")
        return getattr(self, name)

    more = {
        "__slots__": (),
        "__getitem__": getitem,
        "keys": lambda self: self._fields,
        "values": lambda self: tuple(self),
        "items": lambda self: tuple(zip(self._fields, self)),
    }
    return type(named_tuple.__name__, (named_tuple,), more)

"""A mistake written by hand: the function that has it, and what the catalogue calls it."""

from __future__ import annotations

import ast
import textwrap
from typing import NamedTuple

KINDS = {
    "gates exchanged": "a gate, or its gradient, in another's place",
    "carry dropped": "h's gradient is not carried to the step before; forward alone, h is not carried on",
    "cell carry dropped": "the same of c",
    "share dropped": "`dc =` for `dc +=`: of two shares of a gradient one is lost",
    "sigmoid's slope": "a gate's slope is forgotten",
    "state's slope": "the slope of tanh(c), or of a plain RNN's state, is forgotten; forward alone, the tanh",
    "candidate's slope": "the candidate's slope is forgotten, or sigmoid's; forward alone, its tanh",
    "old state": "c where c_prev belongs, in df; of a GRU what meets the gate",
    "forget gate": "dc_prev without the forget gate, of a GRU the kept share; forward alone, c_prev",
    "new state in dWh": "dWh with h where h_prev belongs",
    "not transposed": "a square matrix the wrong way round",
    "bias over the batch": "db a mean over the rows, or of one of them; without rows, a bias forgotten",
    "not accumulated": "`dW =` for `dW +=` over the steps",
    "clipped": "the gradients clipped in the backward pass, with a constant",
    "truncated": "the walk back ends too early, or sees the last step alone",
    "index -1": "t - 1 at t = 0 is the last step",
    "mask": "what is padding counts in the gradient, or in the mean",
    "mean of the loss": "the gradient of the loss not divided, or twice",
    "embedding": "`dW[ids] +=` for `np.add.at`",
    "reverse direction": "its outputs or gradients are not turned back",
}
"""The mistakes, each with what it is in words."""


class ByHand(NamedTuple):
    """One mistake. named: what it may be called rightly, the catalogue's names. code: the function or method as they
    write it, a whole one, which takes the place of the right answer's; several where one mistake needs them. owner: the
    class whose methods they are. place: equations at which it may be located, besides those of the catalogue's
    entries. answer: the right answer that it is in, where it is not the form's first."""

    named: str
    code: str
    owner: str = ""
    place: str = ""
    answer: str = ""


def written_into(source: str, code: str, owner: str = "") -> str:
    """A source with these functions in the place of its own of the same name; of a class, its methods."""
    for function in ast.parse(textwrap.dedent(code)).body:
        assert isinstance(function, ast.FunctionDef)
        body = ast.parse(source).body
        if owner:
            body = next(node for node in body if isinstance(node, ast.ClassDef) and node.name == owner).body
        (own,) = (node for node in body if isinstance(node, ast.FunctionDef) and node.name == function.name)
        assert own.end_lineno is not None
        lines, new = source.splitlines(), ast.get_source_segment(textwrap.dedent(code), function)
        assert new is not None
        lines[own.lineno - 1 : own.end_lineno] = textwrap.indent(new, "    " if owner else "").splitlines()
        source = "\n".join(lines) + "\n"
    return source

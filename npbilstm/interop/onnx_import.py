"""ONNX in: the recurrent layers of a file, made here again; the whole model where export_onnx wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from npbilstm.interop.description import Description, combined, read_description
from npbilstm.interop.onnx_file import inputs_beside, load_content
from npbilstm.interop.onnx_graph import PRODUCER
from npbilstm.interop.onnx_left_out import operators_left_out
from npbilstm.interop.onnx_node import Node, read_node
from npbilstm.interop.onnx_reading import Reading
from npbilstm.interop.onnx_scopes import Scope, Site, require_sites, scopes_of
from npbilstm.interop.onnx_seq2seq import halves_of, whole_of
from npbilstm.interop.onnx_stack import Stack, stacks_of
from npbilstm.interop.onnx_turned import reads_from_the_end
from npbilstm.interop.onnx_unrolled import rolled_up
from npbilstm.interop.onnx_weights import from_node, to_node
from npbilstm.interop.parts import (
    Arrays,
    assembled,
    embedding_of,
    fresh,
    linear_of,
    of_one_dtype,
    require_matrix,
    require_usual,
)
from npbilstm.layers import Recurrent
from npbilstm.layers.layer import require_names_and_shapes, require_same_names
from npbilstm.models import Seq2Seq, SequenceModel
from npbilstm.models.hollow import hollow_seq2seq
from npbilstm.training.checkpoints import MODELS

HALVES_HOLD = ("embedding.", "bridge.", "target_embedding.", "decoder.", "linear.")
"""How the names begin of what the two files of a Seq2Seq hold beside the encoder's nodes."""

LEFT_OUT = "left_out"
"""Under which name `about` says what of a file was not read."""


def from_onnx(
    path: str | Path, node: int | str | None = None, inputs: Mapping[str, Any] | None = None, **options: Any
) -> Recurrent | SequenceModel | Seq2Seq:
    """The layer in an ONNX file: one LSTM, GRU or RNN, or several stacked ones; a model where export_onnx wrote one.

    node: where the file holds several that are no one stack: the name of a recurrent node, or its number among them,
    from 0 on, in the order of the file. The stack that begins there is read.
    inputs: the values of the graph's inputs by name, where its weights are such; onnx's own tests have them in files
    beside, which are found.
    options: what the file does not tell, as the layer takes it, e.g. dropout; or merge, where the file is not ours and
    its directions are not concatenated.

    Of a Seq2Seq, which is two files, path is that of either, or the one that export_onnx was given.

    Of another's file only the recurrent layers are read, not what stands before the first and after the last, its merge
    included; read_weights says in `about` what that was. Lengths and initial states that come from outside are what
    forward takes as lengths and state.

    Raises OSError where there is no such file; ValueError where it is damaged, holds no recurrent layer, one that we
    have not, or several; or where the package onnx is not installed.

    >>> nb.export_onnx(nb.GRU(3, 4, 2, rng=0), "gru.onnx")
    >>> nb.from_onnx("gru.onnx", rng=0)
    GRU(3, 4, 2)
    """
    return read_onnx(path, node, inputs, **options)[0]


def read_onnx(
    path: str | Path, node: int | str | None = None, inputs: Mapping[str, Any] | None = None, **options: Any
) -> tuple[Recurrent | SequenceModel | Seq2Seq, Description]:
    """from_onnx, and what the file says of itself, with what was left out of it."""
    if Path(path).suffix and not Path(path).exists():
        encoder = halves_of(Path(path))[0]
        path = encoder if encoder.exists() else path
    try:
        content, text = load_content(path)
        said = read_description(text)
        if said.kind == Seq2Seq.__name__:
            if node is not None or inputs or options.keys() - {"rng"}:
                raise ValueError("it holds half of a Seq2Seq, which is read as a whole; leave the other options out")
            return own_seq2seq(Path(path), text), said
        options = combined(said.options, options)
        if said.kind is None and content.producer_name == PRODUCER:
            raise ValueError("export_onnx wrote it, and the description that it put beside the graph is gone")
        given = given_inputs(path, content, inputs)
        nodes = list(scopes_of(content, Path(path).parent, given))
        if said.kind is None:
            layer, names = chosen_layer(nodes, node, options)
            return layer, said._replace(about={**said.about, **({LEFT_OUT: names} if names else {})})
        if node is not None:
            raise ValueError(f"node is {node!r}; export_onnx wrote the file, which is read as a whole")
        return own_layer(said, nodes, options), said
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def given_inputs(path: str | Path, content: Any, inputs: Mapping[str, Any] | None) -> Arrays:
    """The values of the graph's inputs that are given, or stand beside the file."""
    names = [value.name for value in content.graph.input]
    for name in inputs or ():
        if name not in names:
            raise ValueError(
                f"inputs has {name!r}, which is no input of the graph; it has {', '.join(names) or 'none'}"
            )
    return {**inputs_beside(path, content), **{name: np.asarray(value) for name, value in (inputs or {}).items()}}


def chosen_layer(
    nodes: list[tuple[Scope, Any]], node: int | str | None, options: dict[str, Any]
) -> tuple[Recurrent, list[str]]:
    """The layer that the recurrent nodes of another program's file make, the one asked for where there are several;
    and the operators around it."""
    reading = Reading(options.get("merge"))
    nodes = rolled_up(nodes, reading.budget)
    stack = choose(stacks_of(require_sites(nodes), reading), node).nodes
    asked = options.pop("reverse", None)
    if asked is None:
        asked = stack[0].options["reverse"] or reads_from_the_end(stack, reading)
    elif stack[0].options["reverse"] and not asked:
        raise ValueError(f'reverse is given as {asked!r}; {stack[0].site} has direction="reverse"')
    stack = [one._replace(options={**one.options, "reverse": asked}) for one in stack]
    return layer_from_stack(stack, options), operators_left_out(nodes, stack, reading)


def own_layer(said: Description, nodes: list[tuple[Scope, Any]], options: dict[str, Any]) -> Recurrent | SequenceModel:
    """The layer or model of a file that export_onnx wrote."""
    scope = nodes[0][0] if nodes else None
    whole = said.kind in MODELS
    recurrent = own_stack(nodes, {} if whole else options)
    if not whole or scope is None:
        return recurrent
    parts = [scope.constant(name) for name in ("linear.W", "linear.b", "embedding.W") if scope.is_constant(name)]
    if len(parts) < 3:
        raise ValueError(f"it is said to hold a {said.kind}, and lacks embedding.W, linear.W or linear.b")
    W, b, E = parts
    return assembled(MODELS[str(said.kind)], embedding_of(E), recurrent, linear_of(W, b), **options)


def own_seq2seq(path: Path, text: str | None) -> Seq2Seq:
    """The Seq2Seq of which a file holds one half and the file beside it the other. text: what the first says of
    itself, and the other needs to say."""
    halves = halves_of(whole_of(path))
    if path not in halves:
        raise ValueError("it holds half of a Seq2Seq; its name needs to end in .encoder.onnx or .decoder.onnx")
    read: list[list[tuple[Scope, Any]]] = []
    for half in halves:
        content, own_text = load_content(half)
        if own_text != text:
            raise ValueError(
                f"{' and '.join(one.name for one in halves)} are not of one Seq2Seq: what they say differs"
            )
        read.append(list(scopes_of(content, half.parent, {})))
    encoder = own_stack(read[0], {})
    require_usual(encoder, "a Seq2Seq")
    arrays = {f"encoder.{name}": p for name, p in encoder.params.items()}
    for scope, _ in (nodes[0] for nodes in read if nodes):
        arrays |= {name: scope.constant(name) for name in scope.stored if name.startswith(HALVES_HOLD)}
    return seq2seq_of(of_one_dtype("the file", arrays))


def seq2seq_of(arrays: Arrays) -> Seq2Seq:
    """The model that has these parameters."""
    lacks = [name for name in ("embedding.W", "decoder.Wh", "linear.W", "linear.b") if name not in arrays]
    if lacks:
        raise ValueError(f"it is said to hold a Seq2Seq, and lacks {lacks[0]}")
    for name in ("embedding.W", "decoder.Wh", "linear.W"):
        require_matrix(name, arrays[name])
    looks = len(arrays["linear.W"]) > len(arrays["decoder.Wh"])  # linear reads the context, too
    model = hollow_seq2seq(
        Seq2Seq,
        num_symbols=len(arrays["embedding.W"]),
        num_targets=arrays["linear.b"].size - 1,
        attention="additive" if "decoder.v" in arrays else "dot" if looks else None,
        embedding_size=arrays["embedding.W"].shape[1],
        hidden_size=len(arrays["decoder.Wh"]) // 2,
        dtype=arrays["linear.b"].dtype,
    )
    require_names_and_shapes("the file", arrays, model.param_shapes)
    model.params = {name: np.array(p) for name, p in arrays.items()}
    return model


def own_stack(nodes: list[tuple[Scope, Any]], options: dict[str, Any]) -> Recurrent:
    """The recurrent layer of a file that export_onnx wrote: a node for each direction of each layer, its weights under
    the names 0.forward.W and so on; earlier versions of it wrote a node for both directions."""
    reading = Reading(options.get("merge"))
    sites = require_sites(nodes)
    by_name = {site.node.output[0].removesuffix(".Y"): site for site in sites if site.node.output}
    depth = len({name.partition(".")[0] for name in by_name})
    directions = [d for d in ("forward", "reverse") if f"0.{d}" in by_name]
    if not directions:
        return layer_from_stack(choose(stacks_of(sites, reading), None).nodes, options)
    stack_layers = []
    for k in range(depth):
        read = []
        for direction in directions:
            name = f"{k}.{direction}"
            site = by_name.get(name)
            if site is None:
                raise ValueError(f"export_onnx wrote it, and it lacks the node of {name}")
            read.append(read_node(site._replace(node=with_own_weights(site, name)), reading.values(site.scope)))
        weights = {part: np.concatenate([one.weights[part] for one in read]) for part in read[0].weights}
        both = {"bidirectional": len(directions) == 2, "reverse": directions == ["reverse"]}
        stack_layers.append(read[0]._replace(weights=weights, options={**read[0].options, **both}))
    return layer_from_stack(stack_layers, options)


def with_own_weights(site: Site, name: str) -> Any:
    """A node as export_onnx means it: reading W as it stands in the file, without the column that holds c."""
    node = type(site.node)()
    node.CopyFrom(site.node)
    node.input[1] = f"{name}.W"
    return node


def choose(stacks: list[Stack], node: int | str | None) -> Stack:
    """The stack that begins with the node asked for, or the only one. Raises ValueError where there is none such."""
    sites = [site for stack in stacks for site in stack.sites]
    sites.sort(key=lambda site: site.number)
    if node is not None:
        number = number_of(node, sites)
        (stack,) = (stack for stack in stacks if any(site.number == number for site in stack.sites))
        at = next(n for n, site in enumerate(stack.sites) if site.number == number)
        stack = Stack(stack.sites[at:], stack.nodes[at:], stack.apart, stack.error)
    elif len(stacks) == 1 or all(stack.error for stack in stacks):
        stack = stacks[0]
    else:
        why = [stack.apart or str(stack.error or "") for stack in stacks]
        whys = "; ".join(dict.fromkeys(text for text in why if text))
        *some, last = [str(stack.sites[0].number) for stack in stacks[:8]]
        ways = f"node={', '.join(some)} or {last}"
        raise ValueError(
            f"it holds {len(sites)} recurrent nodes that are no one stack of layers"
            f" ({', '.join(map(str, sites[:8]))}{', ...' if len(sites) > 8 else ''}){': ' if whys else ''}{whys}. "
            f"{ways} reads what begins there (on the command line: --node); a node's name will do"
        )
    if stack.error is not None:
        raise stack.error
    return stack


def number_of(node: int | str, sites: list[Site]) -> int:
    """The number of the recurrent node of this name or number."""
    named = [site.number for site in sites if isinstance(node, str) and site.node.name == node]
    if len(named) > 1:
        raise ValueError(f"node is {node!r}, the name of {len(named)} nodes; their numbers are {named}")
    if named:
        return named[0]
    number = int(node) if isinstance(node, str) and node.isdecimal() and node.isascii() else node
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < len(sites):
        return number
    there = ", ".join(map(str, sites[:8])) + (", ..." if len(sites) > 8 else "")
    raise ValueError(f"node is {node!r}; it needs the name or number of a recurrent node of the file: {there}")


def layer_from_stack(stack: list[Node], options: dict[str, Any]) -> Recurrent:
    """The layer that nodes on top of one another make."""
    first = stack[0]
    told = {name: first.options[name] for name in ("bidirectional", "reverse", "bias")}
    rest = {name: value for name, value in first.options.items() if name not in told}
    D, H = first.sizes
    layer = fresh(
        first.site.node.op_type.lower(),
        D,
        H,
        len(stack),
        first.weights["W"].dtype,
        told,
        combined(rest, options),
        stored=sum(w.size for one in stack for w in one.weights.values()),
    )
    params: Arrays = {}
    for k, one in enumerate(stack):
        require_same_names(f"the weights of {one.site}", one.weights, to_node(layer, k))
        params.update(from_node(layer, k, one.weights))
    return layer.with_params({name: params[name] for name in layer.params})

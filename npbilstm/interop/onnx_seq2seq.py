"""A Seq2Seq in ONNX: two graphs, the encoder and one step of the decoder. The loop between them is the caller's.

    encoder    ids (N, S) int64, lengths (N,) int32
               -> h_0 (N, H), c_0 (N, H); with attention context_0 (N, E), keys (N, S, E), if it is additive projected
               (N, S, A) = keys Wk, made once for all steps
    decoder    symbols (N,) int64: what was put out last, the boundary at first; h_prev, c_prev; with attention
               context_prev, lengths, keys (, projected)
               -> log_p (N, V), the log-probabilities of the next symbol; h, c; with attention context, alpha (N, S)

The last of the V symbols is the boundary, which begins and ends every answer. The equations of the step are those of
textbook/decoder.py, one operator after the other and under the same names, with no LSTM node: they run in float64 too.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from npbilstm.interop.onnx_directions import one_direction, read_ids, step_masks, valid_steps
from npbilstm.interop.onnx_graph import Graph, Values
from npbilstm.models import Seq2Seq

HALVES = ("encoder", "decoder")


def halves_of(path: Path) -> list[Path]:
    """Where the two files stand: of dates.onnx dates.encoder.onnx and dates.decoder.onnx."""
    return [path.with_name(f"{path.stem}.{half}{path.suffix}") for half in HALVES]


def whole_of(path: Path) -> Path:
    """The path that export_onnx was given, of either file's."""
    stem, _, half = path.stem.rpartition(".")
    return path.with_name(f"{stem}{path.suffix}") if half in HALVES else path


def encoder_graph(graph: Graph, model: Seq2Seq) -> Values:
    """What the decoder looks at, and the state in which it starts: the graph's inputs and outputs."""
    for name in ("embedding.W", "bridge.W", "bridge.b"):
        graph.constant(name, model.params[name])
    dtype, E, H = model.params["bridge.b"].dtype, model.decoder.key_size, model.decoder.hidden_size
    zero = step_masks(graph, "ids", dtype)
    read_ids(graph, "embedding.W")
    graph.node("Shape", ["ids"], "N_axis", start=0, end=1)
    graph.node("Concat", [graph.ints(1), "N_axis", graph.ints(H // 2)], "shape_of_state", axis=0)
    graph.node("Expand", [zero, "shape_of_state"], "state")  # one is given so that c is held in the padding
    ends = [one_direction(graph, model.encoder, 0, s, "x_t", ["state", "state"]) for s in (0, 1)]
    finals = [end.h(graph) for end in ends] + [end.c(graph) for end in ends]
    graph.node("Concat", finals, "finals", axis=2)  # (1, N, 2H)
    graph.node("Squeeze", ["finals", graph.ints(0)], "read")
    linear(graph, "read", "bridge", "ends")
    graph.node("Split", ["ends"], "h_0_before_tanh", "c_0", axis=1, num_outputs=2)
    graph.node("Tanh", ["h_0_before_tanh"], "h_0")
    inputs = [graph.value("ids", np.int64, ["N", "S"]), graph.value("lengths", np.int32, ["N"])]
    outputs = [graph.value(name, dtype, ["N", H]) for name in ("h_0", "c_0")]
    if model.attention is None:
        return inputs, outputs
    graph.node("Concat", [end.y for end in ends], "y_t", axis=2)
    graph.node("Transpose", ["y_t"], "y", perm=[1, 0, 2])
    graph.node("Where", ["valid", "y", zero], "keys")
    graph.node("Concat", ["N_axis", graph.ints(E)], "shape_of_context", axis=0)
    graph.node("Expand", [zero, "shape_of_context"], "context_0")
    outputs += [graph.value("context_0", dtype, ["N", E]), graph.value("keys", dtype, ["N", "S", E])]
    if model.attention == "additive":
        graph.node("MatMul", ["keys", graph.constant("decoder.Wk", model.params["decoder.Wk"])], "projected")
        outputs.append(graph.value("projected", dtype, ["N", "S", H]))
    return inputs, outputs


def decoder_graph(graph: Graph, model: Seq2Seq) -> Values:
    """One step: the graph's inputs and outputs."""
    for name, p in model.params.items():
        if name.startswith(("target_embedding.", "decoder.", "linear.")) and name != "decoder.Wk":
            graph.constant(name, p)
    dtype, E, H = model.params["linear.b"].dtype, model.decoder.key_size, model.decoder.hidden_size
    state = {"h": H, "c": H} | ({} if model.attention is None else {"context": E})
    inputs = [graph.value("symbols", np.int64, ["N"])]
    inputs += [graph.value(f"{part}_prev", dtype, ["N", size]) for part, size in state.items()]
    x = graph.node("Gather", ["target_embedding.W", "symbols"], "x")
    if model.attention is not None:
        x = graph.node("Concat", [x, "context_prev"], "x_and_context", axis=1)
    lstm_step(graph, x)
    y, looked = "h", []
    if model.attention is not None:
        attention(graph, model.attention, dtype)
        y = graph.node("Concat", ["h", "context"], "h_and_context", axis=1)
        inputs += [graph.value("lengths", np.int32, ["N"]), graph.value("keys", dtype, ["N", "S", E])]
        looked = [graph.value("alpha", dtype, ["N", "S"])]
        if model.attention == "additive":
            inputs.append(graph.value("projected", dtype, ["N", "S", H]))
    linear(graph, y, "linear", "scores")
    graph.node("LogSoftmax", ["scores"], "log_p", axis=1)
    outputs = [graph.value("log_p", dtype, ["N", model.linear.output_size])]
    return inputs, outputs + [graph.value(part, dtype, ["N", size]) for part, size in state.items()] + looked


def linear(graph: Graph, x: str, layer: str, output: str) -> None:
    """x W + b of this layer."""
    graph.node("MatMul", [x, f"{layer}.W"], f"{output}_without_b")
    graph.node("Add", [f"{output}_without_b", f"{layer}.b"], output)


def lstm_step(graph: Graph, x: str) -> None:
    """h and c, of x, h_prev and c_prev: textbook/lstm.py."""
    graph.node("MatMul", [x, "decoder.Wx"], "x_Wx")
    graph.node("MatMul", ["h_prev", "decoder.Wh"], "h_Wh")
    graph.node("Sum", ["x_Wx", "h_Wh", "decoder.b"], "a")
    graph.node("Split", ["a"], "a_i", "a_f", "a_g", "a_o", axis=1, num_outputs=4)
    for gate in "ifo":
        graph.node("Sigmoid", [f"a_{gate}"], gate)
    graph.node("Tanh", ["a_g"], "g")
    graph.node("Mul", ["f", "c_prev"], "kept")
    graph.node("Mul", ["i", "g"], "added")
    graph.node("Add", ["kept", "added"], "c")
    graph.node("Tanh", ["c"], "tanh_c")
    graph.node("Mul", ["o", "tanh_c"], "h")


def attention(graph: Graph, kind: str, dtype: np.dtype) -> None:
    """alpha and context, of the query h and the keys: textbook/attention.py."""
    if kind == "dot":
        graph.node("Unsqueeze", ["h", graph.ints(2)], "query")  # (N, H, 1)
        graph.node("MatMul", ["keys", "query"], "scores_column")
        graph.node("Squeeze", ["scores_column", graph.ints(2)], "scores_of_steps")
    else:
        graph.node("MatMul", ["h", "decoder.Wq"], "h_Wq")
        graph.node("Unsqueeze", ["h_Wq", graph.ints(1)], "query")  # (N, 1, A)
        graph.node("Add", ["query", "projected"], "z_before_tanh")
        graph.node("Tanh", ["z_before_tanh"], "z")
        graph.node("MatMul", ["z", "decoder.v"], "scores_of_steps")
    softmax_over_steps(graph, "scores_of_steps", valid_steps(graph, "keys"), "alpha", dtype)
    graph.node("Unsqueeze", ["alpha", graph.ints(1)], "alpha_row")  # (N, 1, S)
    graph.node("MatMul", ["alpha_row", "keys"], "context_row")
    graph.node("Squeeze", ["context_row", graph.ints(1)], "context")


def softmax_over_steps(graph: Graph, scores: str, valid: str, output: str, dtype: np.dtype) -> None:
    """The softmax over each row's valid steps, 0 in the padding; all 0 of a row that has none."""
    numbers = {"zero": 0, "one": 1, "lowest": np.finfo(dtype).min}
    zero, one, lowest = (graph.constant(name, np.array(n, dtype)) for name, n in numbers.items())
    graph.node("Where", [valid, scores, lowest], "scores_of_valid")
    graph.node("ReduceMax", ["scores_of_valid", graph.ints(1)], "highest", keepdims=1)
    graph.node("Sub", ["scores_of_valid", "highest"], "shifted")
    graph.node("Exp", ["shifted"], "e_of_all")
    graph.node("Where", [valid, "e_of_all", zero], "e")
    graph.node("ReduceSum", ["e", graph.ints(1)], "e_sum", keepdims=1)  # at least 1, that of the highest, or 0 of none
    graph.node("Max", ["e_sum", one], "divisor")
    graph.node("Div", ["e", "divisor"], output)

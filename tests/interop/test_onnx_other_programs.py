"""ONNX graphs as other programs write them: read right, or refused in a sentence that says what stands where."""

import re

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.cli import main
from npbilstm.interop import from_onnx, read_weights
from tests.cases import assert_close
from tests.interop.drawing import assert_same, sizes_of, with_random_weights

onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra onnx)")

from onnx import helper, numpy_helper  # noqa: E402

from tests.interop.onnx_graphs import (  # noqa: E402
    D,
    H,
    N,
    T,
    X,
    branch,
    direct_stack,
    lstm,
    node,
    numbers,
    saved,
    value,
    weights,
)

RECURRENT = ("LSTM", "GRU", "RNN")
ONE = weights()
TWO = {f"{name}2": w for name, w in weights(D=H, H=2, seed=7).items()}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx") / "file.onnx"


def reference(path, **feeds):
    """The outputs that onnx's own evaluator gives."""
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(str(path)).run(None, feeds)


def refused(path, *sentences, **options):
    """from_onnx refuses the file, naming it and all of these."""
    with pytest.raises(ValueError, match=re.escape(str(path))) as caught:
        from_onnx(path, **options)
    for sentence in sentences:
        assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def node_tests():
    """onnx's own test cases of recurrent nodes, by name."""
    from onnx.backend.test.case import node as cases
    from onnx.backend.test.case.node import gru, lstm, rnn  # noqa: F401, which makes the cases

    return {case.name: case for case in cases._NodeTestCases if case.model.graph.node[0].op_type in RECURRENT}


def shipped(case, folder):
    """A test case as files: the model, and beside it its inputs. -> the model's path, its inputs and its outputs."""
    (values,) = case.data_sets
    arrays = []
    for kind, described, own in zip(("input", "output"), (case.model.graph.input, case.model.graph.output), values):
        tensors = [w if isinstance(w, onnx.TensorProto) else numpy_helper.from_array(w) for w in own]
        (folder / "test_data_set_0").mkdir(parents=True, exist_ok=True)
        for n, tensor in enumerate(tensors):
            (folder / "test_data_set_0" / f"{kind}_{n}.pb").write_bytes(tensor.SerializeToString())
        arrays.append({v.name: numpy_helper.to_array(tensor) for v, tensor in zip(described, tensors)})
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    return folder / "model.onnx", *arrays


def test_all_of_onnxs_own_tests_are_read_as_they_are_shipped(tmp_path):
    cases = node_tests()
    assert len(cases) >= 18
    for name, case in cases.items():
        path, given, expected = shipped(case, tmp_path / name)
        read = from_onnx(path)
        (one,) = case.model.graph.node
        rows_first = any(a.name == "layout" and a.i for a in one.attribute)
        x = given["X"] if rows_first else given["X"].swapaxes(0, 1)
        states = [given[s] for s in ("initial_h", "initial_c") if s in given]
        y, final, _ = read.forward(x, given.get("sequence_lens"), tuple(states) or None)
        y = y.reshape(*y.shape[:2], -1, read.hidden_size)  # (N, T, S, H)
        finals = list(final) if isinstance(final, tuple) else [final]
        ours = [y if rows_first else y.transpose(1, 2, 0, 3), *(h.swapaxes(0, 1) if rows_first else h for h in finals)]
        for output, array in zip(one.output, ours):
            if output:
                assert_close(array, expected[output], 1e-5)
        assert_same(read, from_onnx(path, inputs={n: w for n, w in given.items() if n in ("W", "R", "B", "P")}))


def test_weights_that_are_inputs_of_the_graph_need_a_value(path):
    inputs = [X, value("W", 1, 4 * H, D), value("R", 1, 4 * H, H)]
    saved(path, [helper.make_node("LSTM", ["X", "W", "R"], ["Y"])], inputs=inputs)
    refused(path, "the W of LSTM 0 is 'W', an input of the graph that has no value", "inputs={'W': array}")
    refused(path, "inputs has 'Q', which is no input of the graph; it has X, W, R", inputs={"Q": 1})
    read = from_onnx(path, inputs={"W": ONE["W"], "R": ONE["R"]})
    x = numbers(T, N, D)
    (Y,) = reference(path, X=x, W=ONE["W"], R=ONE["R"])
    assert_close(read.forward(x.swapaxes(0, 1))[0], Y[:, 0].swapaxes(0, 1), 1e-6)


def test_an_initializer_is_the_value_of_an_input(path):
    saved(path, [lstm()], ONE, [X, value("W", 1, 4 * H, D)])
    assert_same(from_onnx(path), from_onnx(saved(path, [lstm()], ONE)))


def test_weights_that_are_moved_constants_are_read(path):
    moved = [node("Transpose", "W_t", "W", perm=[0, 2, 1]), node("Concat", "Wb Rb", "B", axis=1)]
    constants = {"R": ONE["R"], "W_t": ONE["W"].swapaxes(1, 2), "Wb": ONE["B"][:, : 4 * H], "Rb": ONE["B"][:, 4 * H :]}
    read = from_onnx(saved(path, [*moved, lstm()], constants))
    assert_same(read, from_onnx(saved(path, [lstm()], ONE)))


@pytest.mark.parametrize("op", ["LSTM", "GRU", "RNN"])
def test_the_reverse_direction_alone_is_read(path, op):
    own = weights(op)
    read = from_onnx(saved(path, [lstm(op=op, direction="reverse")], own))
    assert read.reverse
    x = numbers(T, N, D)
    (Y,) = reference(path, X=x)
    assert_close(read.forward(x.swapaxes(0, 1))[0], Y[:, 0].swapaxes(0, 1), 1e-6)


def turned_graph(path, back, lens=False, flip="ReverseSequence"):
    """An LSTM behind a turning node."""
    constants, inputs = dict(ONE), [X]
    if lens:
        inputs.append(value("n", N, kind=onnx.TensorProto.INT32))
        nodes = [node("Cast", "n", "n64", to=onnx.TensorProto.INT64)]
        more, turn = ["X2", "W", "R", "B", "n"], {"op": "ReverseSequence", "of": "n64"}
    else:
        nodes, more = [], ["X2", "W", "R", "B"]
        constants |= {"n64": np.full(N, T), "from": np.array([-1]), "to": np.array([-(2**31)]), "axis": np.array([0])}
        constants["step"] = np.array([-1])
        turn = {"op": flip, "of": "n64" if flip == "ReverseSequence" else "from to axis step"}
    axes = {"time_axis": 0, "batch_axis": 1} if turn["op"] == "ReverseSequence" else {}
    nodes += [node(turn["op"], f"X {turn['of']}", "X2", **axes), lstm(*more)]
    nodes += (
        [node(turn["op"], f"Y {turn['of']}", "Z", **({} if not axes else {**axes, "batch_axis": 2}))] if back else []
    )
    if back and turn["op"] == "ReverseSequence":  # batch_axis may be 0 or 1 alone
        constants["one"] = np.array([1])
        nodes[-1:] = [node("Squeeze", "Y one", "Y1"), node(turn["op"], f"Y1 {turn['of']}", "Z", **axes)]
    return saved(path, nodes, constants, inputs, ("Z",) if back else ("Y",))


@pytest.mark.parametrize("flip", ["ReverseSequence", "Slice"])
def test_an_lstm_between_two_that_turn_the_steps_around_reads_from_the_end(path, flip):
    read = from_onnx(turned_graph(path, True, flip=flip))
    x = numbers(T, N, D)
    (Z,) = reference(path, X=x)
    assert read.reverse
    assert_close(read.forward(x.swapaxes(0, 1))[0], Z.reshape(T, N, H).swapaxes(0, 1), 1e-6)


def test_turning_around_the_real_steps_of_each_row_is_reading_from_the_end(path):
    read = from_onnx(turned_graph(path, True, lens=True))
    x, lengths = numbers(T, N, D), np.array([T, 2], np.int32)
    (Z,) = reference(path, X=x, n=lengths)
    y = read.forward(x.swapaxes(0, 1), lengths)[0]
    assert_close(y[0], Z[:, 0], 1e-6)
    assert_close(y[1, :2], Z[:2, 1], 1e-6)


def test_an_output_that_is_not_turned_back_is_named(path):
    turned_graph(path, False)
    refused(path, "before LSTM 0 stands ReverseSequence", "its outputs are not all turned back; reverse=True reads it")
    x = numbers(T, N, D).swapaxes(0, 1)
    (Y,) = reference(path, X=x.swapaxes(0, 1))
    assert_close(nb.flip(from_onnx(path, reverse=True).forward(x)[0]), Y[:, 0].swapaxes(0, 1), 1e-6)
    assert_close(from_onnx(path, reverse=False).forward(nb.flip(x))[0], Y[:, 0].swapaxes(0, 1), 1e-6)


def test_turning_around_a_part_of_the_rows_is_named(path):
    constants = {**ONE, "n": np.array([T, 2])}
    saved(path, [node("ReverseSequence", "X n", "X2", time_axis=0, batch_axis=1), lstm("X2")], constants)
    refused(path, "before LSTM 0 stands ReverseSequence: it does not turn around whole rows")


def squeezed(name, to):
    return node("Squeeze", f"{name} axis", to)


BETWEEN = {
    "other sizes": (
        [lstm(out="Y1", name="a"), squeezed("Y1", "X2"), lstm("X2", "W2", "R2", "B2", hidden_size=2, name="b")],
        "LSTM 0 'a' has 4 units and LSTM 1 'b' has 2",
    ),
    "a product": (
        [
            lstm(out="Y1", name="a"),
            squeezed("Y1", "S"),
            node("MatMul", "S M", "X2"),
            lstm("X2", "W", "R", "B", name="b"),
        ],
        "between LSTM 0 'a' and LSTM 1 'b' stands Squeeze, MatMul; no stack here has MatMul",
    ),
    "a norm": (
        [
            lstm(out="Y1", name="a"),
            squeezed("Y1", "S"),
            node("LayerNormalization", "S g", "X3"),
            node("MatMul", "X3 M", "X2"),
            lstm("X2", "W", "R", "B", name="b"),
        ],
        "stands Squeeze, LayerNormalization, MatMul; no stack here has LayerNormalization",
    ),
    "side by side": ([lstm(out="Y1", name="a"), lstm(name="b", direction="reverse")], ""),
    "a decoder of the last state": (
        [lstm(out=["", "h"], name="a"), node("MatMul", "h M", "X2"), lstm("X2", "W", "R", "B", name="b")],
        "LSTM 1 'b' does not read the output Y of another, and that alone; between stands MatMul",
    ),
    "other biases and a product": (
        [lstm(out="Y1", name="a"), node("MatMul", "Y1 M", "X2"), lstm("X2", "W", "R", "", name="b")],
        "LSTM 1 'b' has bias=False; between LSTM 0 'a' and LSTM 1 'b' stands MatMul; no stack here has MatMul",
    ),
}


@pytest.mark.parametrize("kind", BETWEEN)
def test_what_stands_between_two_layers_is_named_and_one_can_be_chosen(path, kind):
    nodes, sentence = BETWEEN[kind]
    constants = {**ONE, **TWO, "axis": np.array([1]), "M": numbers(H, D), "g": np.ones(H, np.float32)}
    saved(path, nodes, constants)
    refused(path, "it holds 2 recurrent nodes that are no one stack", sentence, "node=0 or 1 reads what begins there")
    first = from_onnx(path, node=0)
    assert_same(first, from_onnx(path, node="a"))
    assert sizes_of(first) == (D, H, 1)
    assert_same(from_onnx(path, node=1), from_onnx(path, node="b"))
    assert_same(from_onnx(path, node="1"), from_onnx(path, node="b"))
    refused(path, "node is 2; it needs the name or number of a recurrent node of the file: LSTM 0 'a', LSTM 1", node=2)


def test_a_chosen_node_is_read_with_what_stands_on_it(path):
    layer = with_random_weights(nb.GRU(3, 4, 3, rng=0), 0)
    direct_stack(layer, path, described=False)
    top = from_onnx(path, node=1)
    assert sizes_of(top) == (4, 4, 2)
    assert np.array_equal(top.params["1.forward.Wx"], layer.params["2.forward.Wx"])


def test_the_command_line_chooses_too(tmp_path, capsys):
    nodes, _ = BETWEEN["other sizes"]
    source, destination = tmp_path / "two.onnx", tmp_path / "one.npz"
    saved(source, nodes, {**ONE, **TWO, "axis": np.array([1])})
    assert main(["convert", str(source), str(destination)]) == 2
    assert "(on the command line: --node)" in capsys.readouterr().err
    for chosen in ("b", "1"):
        assert main(["convert", str(source), str(destination), "--node", chosen, "--overwrite"]) == 0
        assert_same(read_weights(destination)[0], from_onnx(source, node="b"))


def test_what_stands_around_the_layer_is_named(tmp_path, capsys):
    source = tmp_path / "net.onnx"
    nodes = [
        node("Gather", "E ids", "embedded"),
        lstm("embedded"),
        node("Squeeze", "Y axis", "S"),
        node("MatMul", "S M", "P"),
        node("Softmax", "P", "Z"),
    ]
    constants = {**ONE, "E": numbers(6, D), "axis": np.array([1]), "M": numbers(H, 2)}
    saved(source, nodes, constants, [value("ids", T, N, kind=onnx.TensorProto.INT64)], ("Z",))
    assert read_weights(source)[1] == {"left_out": ["Gather", "MatMul", "Softmax"]}
    assert main(["convert", str(source), str(tmp_path / "l.npz")]) == 0
    assert "Left out: Gather, MatMul, Softmax." in capsys.readouterr().out
    assert read_weights(saved(source, [lstm()], ONE))[1] == {}


def test_nodes_inside_of_others_are_found(path):
    inner = branch([lstm(out="Yi", name="deep")], "Yi")
    middle = branch(
        [node("If", "yes", "Ym", then_branch=inner, else_branch=branch([node("Neg", "X", "n")], "n"))], "Ym"
    )
    outer = node("If", "yes", "Y", then_branch=middle, else_branch=branch([node("Neg", "X", "m")], "m"), name="top")
    constants = {**ONE, "yes": np.array(True)}
    assert_same(from_onnx(saved(path, [outer], constants)), from_onnx(saved(path, [lstm()], ONE)))
    twice = node("If", "yes", "Y", then_branch=inner, else_branch=inner, name="either")
    saved(path, [twice], constants)
    where = "LSTM 0 'deep' in the else_branch of its If 'either', LSTM 1 'deep' in the then_branch of its If 'either'"
    refused(path, "it holds 2 recurrent nodes", where)
    refused(path, "node is 'deep', the name of 2 nodes; their numbers are [0, 1]", node="deep")
    assert_same(from_onnx(path, node=1), from_onnx(saved(path, [lstm()], ONE)))


def test_a_node_in_a_loop_is_read(path):
    inside = [node("Identity", "go", "go_on"), lstm("x_in", out="Yi")]
    ends = [value(n, "any", kind=k) for n, k in [("go_on", 9), ("Yi", 1)]]
    starts = [value("k", kind=onnx.TensorProto.INT64), value("go", kind=onnx.TensorProto.BOOL), value("x_in", T, N, D)]
    body = helper.make_graph(inside, "body", starts, ends)
    loop = helper.make_node("Loop", ["times", "", "X"], ["Y"], body=body, name="each")
    saved(path, [loop], {**ONE, "times": np.int64(2**62)})
    assert_same(from_onnx(path), from_onnx(saved(path, [lstm()], ONE)))


def test_a_file_without_recurrent_nodes_says_what_it_holds(path):
    saved(path, [node("Neg", "X", "Y")])
    refused(path, "it holds no LSTM, GRU or RNN node; it holds Neg")
    saved(path, [helper.make_node("DynamicQuantizeLSTM", ["X"], ["Y"], domain="com.microsoft")], domain="com.microsoft")
    refused(path, "it holds no LSTM, GRU or RNN node; it holds DynamicQuantizeLSTM")


def test_lengths_of_all_steps_are_no_lengths(path):
    assert_same(
        from_onnx(saved(path, [lstm("X", "W", "R", "B", "L")], {**ONE, "L": np.full(N, T, np.int32)})),
        from_onnx(saved(path, [lstm()], ONE)),
    )
    for lengths, x in [([T, 2], X), ([T - 1] * N, X), ([T] * N, value("X", "T", N, D))]:
        saved(path, [lstm("X", "W", "R", "B", "L")], {**ONE, "L": np.array(lengths, np.int32)}, [x])
        refused(path, "the sequence_lens of LSTM 0 are in the file, and not known to be the length of the whole of x")


def test_lengths_made_of_the_shape_of_x_are_no_lengths(path):
    nodes = [
        node("Shape", "X", "T1", start=0, end=1),
        node("Shape", "X", "N1", start=1, end=2),
        node("Expand", "T1 N1", "L"),
        lstm("X", "W", "R", "B", "L"),
    ]
    saved(path, nodes, ONE, [value("X", "T", "N", D)])
    assert_same(from_onnx(path), from_onnx(saved(path, [lstm()], ONE)))
    saved(path, [*nodes[1:2], node("Expand", "two N1", "L"), nodes[3]], {**ONE, "two": np.array([2])})
    refused(path, "the sequence_lens of LSTM 0 are in the file")


@pytest.mark.parametrize("name", ["tanh", "TANH", "Tanh"])
def test_activations_are_read_in_any_case(path, name):
    read = from_onnx(saved(path, [lstm(activations=["SIGMOID", name, "tanh"])], ONE))
    assert_same(read, from_onnx(saved(path, [lstm()], ONE)))


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"activations": ["HardSigmoid", "Tanh", "Tanh"]}, {"recurrent_activation": "hard_sigmoid"}),
        (
            {"activations": ["HardSigmoid", "Tanh", "Tanh"], "activation_alpha": [1 / 6], "activation_beta": [0.5]},
            {"recurrent_activation": "hard_sigmoid_sixth"},
        ),
        ({"activations": ["Sigmoid", "Relu", "Relu"]}, {"activation": "relu"}),
        ({"op": "GRU", "activations": ["hardsigmoid", "relu"]}, {"activation": "relu"}),
        ({"op": "RNN", "activations": ["Sigmoid"]}, {"nonlinearity": "sigmoid"}),
    ],
)
def test_other_activations_are_the_layers_own(path, attributes, expected):
    read = from_onnx(saved(path, [lstm(**attributes)], weights(attributes.get("op", "LSTM"))))
    for name, option in expected.items():
        assert getattr(read, name) == option


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        (
            {"activations": ["Sigmoid", "Relu", "Tanh"]},
            "the activations of LSTM 0 are Sigmoid, Relu, Tanh; of those a ",
        ),
        (
            {"activations": ["Sigmoid", "Softsign", "Softsign"]},
            "are Sigmoid, softsign, softsign; of those a layer here",
        ),
        (
            {"activations": ["HardSigmoid", "Tanh", "Tanh"], "activation_alpha": [0.3]},
            "are HardSigmoid (alpha=0.3, beta=0.5), Tanh, Tanh; of those a layer here has Sigmoid, Tanh, Relu, HardSig",
        ),
        ({"activations": ["Sigmoid", "Tanh"]}, "LSTM 0 has 2 activations; it needs 3"),
        ({"clip": 3.0}, "LSTM 0 has clip=3, which no layer here has; from 1000 on it changes nothing"),
        ({"clip": float("nan")}, "LSTM 0 has clip=nan"),
        ({"clip": 1e9, "activations": ["Sigmoid", "Relu", "Relu"]}, "LSTM 0 has clip=1e+09, which no layer here has"),
        (
            {"direction": "sideways"},
            'the direction of LSTM 0 is "sideways"; it needs to be "forward", "reverse" or "bi',
        ),
        ({"output_sequence": 1}, "LSTM 0 has the attribute output_sequence, which no layer here has"),
        ({"hidden_size": 7}, "LSTM 0 has hidden_size=7, and R for 4 units"),
    ],
)
def test_what_no_layer_here_has(path, attributes, sentence):
    saved(path, [lstm(**attributes)], ONE)
    try:
        onnx.checker.check_model(str(path))
    except onnx.checker.ValidationError:
        sentence = "onnx's checker refuses it"
    refused(path, sentence)


def test_a_clip_that_changes_nothing_is_read(path):
    assert_same(from_onnx(saved(path, [lstm(clip=1e9)], ONE)), from_onnx(saved(path, [lstm()], ONE)))


def test_directions_of_unequal_activations_are_refused(path):
    names = ["Sigmoid", "Tanh", "Tanh", "Sigmoid", "Relu", "Relu"]
    saved(path, [lstm(direction="bidirectional", activations=names)], weights(S=2))
    refused(path, "the directions of LSTM 0 have other activations, Sigmoid, Tanh, Tanh, Sigmoid, Relu, Relu")


def test_stacks_of_fixed_sizes_are_read_at_those_sizes(path):
    first, second = weights(S=2), {f"{name}2": w for name, w in weights(D=2 * H, S=2, seed=5).items()}
    nodes = [
        lstm(out="Y1", direction="bidirectional"),
        node("Transpose", "Y1", "Yt", perm=[0, 2, 1, 3]),
        node("Reshape", "Yt sizes", "X2"),
        lstm("X2", "W2", "R2", "B2", direction="bidirectional"),
    ]
    saved(path, nodes, {**first, **second, "sizes": np.array([T, N, 2 * H])})
    assert sizes_of(from_onnx(path)) == (D, H, 2)
    saved(path, nodes, {**first, **second, "sizes": np.array([T, N, 2 * H])}, [value("X", "T", N, D)])
    refused(path, "what stands between LSTM 0 and LSTM 1, Transpose, Reshape, cannot be run on 23 steps of 2 rows: ")


def test_a_stack_with_rows_first_is_read(path):
    first, second = weights(S=2), {f"{name}2": w for name, w in weights(D=2 * H, S=2, seed=5).items()}
    both = {"direction": "bidirectional", "layout": 1}
    nodes = [lstm(out="Y1", **both), node("Reshape", "Y1 sizes", "X2"), lstm("X2", "W2", "R2", "B2", **both)]
    x = numbers(N, T, D)
    saved(path, nodes, {**first, **second, "sizes": np.array([0, 0, 2 * H])}, [value("X", N, T, D)])
    read = from_onnx(path)
    (Y,) = reference(path, X=x)
    assert_close(read.forward(x)[0], Y.reshape(N, T, 2 * H), 1e-5)

"""ONNX files: read back to the same bits, refused in a sentence where they hold what we have not."""

import re

import numpy as np
import pytest
from hypothesis import given

import npbilstm as nb
from npbilstm.interop import export_onnx, from_onnx
from npbilstm.interop.onnx_import import read_onnx
from tests.interop.drawing import assert_same, models, recurrent_layers, with_random_weights

onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra onnx)")

from tests.interop.onnx_graphs import direct_stack  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:OpenVINO leaves", "ignore:onnx's ReferenceEvaluator computes")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx") / "file.onnx"


@given(recurrent_layers(merges=("concat", "sum", "mul", "ave")))
def test_a_layer_comes_back_bit_by_bit(path, layer):
    export_onnx(layer, path)
    assert_same(layer, from_onnx(path))


@given(models())
def test_a_model_comes_back_bit_by_bit_with_what_is_said_about_it(path, model):
    export_onnx(model, path, {"classes": ["a", "b"]})
    again, said = read_onnx(path)
    assert said.about == {"classes": ["a", "b"]}
    assert again.config == model.config
    for part in ("embedding", "recurrent", "linear"):
        assert_same(getattr(model, part), getattr(again, part))


@given(recurrent_layers(merges=("concat", "sum", "mul", "ave")))
def test_a_layer_that_an_earlier_version_wrote_comes_back_bit_by_bit(path, layer):
    assert_same(layer, from_onnx(direct_stack(layer, path)))


def edited(path, layer, change):
    """Another writer's file of the layer with change(nodes, graph) applied to it."""
    content = onnx.load(direct_stack(layer, path, described=False))
    change([node for node in content.graph.node if node.op_type in ("LSTM", "GRU", "RNN")], content.graph)
    path.write_bytes(content.SerializeToString())
    return path


def set_attribute(node, name, value):
    for attribute in list(node.attribute):
        if attribute.name == name:
            node.attribute.remove(attribute)
    node.attribute.append(onnx.helper.make_attribute(name, value))


def swap_constant(graph, name, array):
    (old,) = (tensor for tensor in graph.initializer if tensor.name == name)
    old.CopyFrom(onnx.numpy_helper.from_array(array, name))


def as_node(graph, name):
    """A constant as a node of its own, as other writers have it."""
    (old,) = (tensor for tensor in graph.initializer if tensor.name == name)
    graph.initializer.remove(old)
    graph.node.insert(0, onnx.helper.make_node("Constant", [], [name], value=old))


def test_another_writers_file_is_read_without_our_description(path):
    layer = with_random_weights(nb.GRU(3, 4, 2, bidirectional=True, rng=0), 0)
    assert_same(layer, from_onnx(edited(path, layer, lambda nodes, graph: as_node(graph, "0.W"))))
    relu = with_random_weights(nb.RNN(3, 4, nonlinearity="relu", rng=0), 0)
    assert_same(relu, from_onnx(edited(path, relu, lambda nodes, graph: None)))
    summed = with_random_weights(nb.LSTM(3, 4, 2, bidirectional=True, merge="sum", rng=0), 0)
    assert_same(summed, from_onnx(edited(path, summed, lambda nodes, graph: None), merge="sum"))
    with pytest.raises(ValueError, match="LSTM 0 and LSTM 1 stands ReduceSum, which makes other numbers of the output"):
        from_onnx(path)


def test_initial_states_of_zeros_are_what_a_layer_has(path):
    layer = with_random_weights(nb.LSTM(3, 4, 2, rng=0), 0)
    assert_same(layer, from_onnx(edited(path, layer, filled_state(0))))


def test_a_model_that_lost_its_description_is_not_taken_for_its_recurrent_layer(path):
    for layer in (nb.SequenceTagger(5, 2, rng=0), nb.BiLSTM(3, 4, merge="sum", rng=0)):
        export_onnx(layer, path)
        content = onnx.load(path)
        del content.metadata_props[:]
        path.write_bytes(content.SerializeToString())
        with pytest.raises(ValueError, match="export_onnx wrote it, and the description that it put beside the graph"):
            from_onnx(path)


def initial_state(nodes, graph):
    graph.initializer.append(onnx.numpy_helper.from_array(np.ones((1, 1, 4), "f4"), "start"))
    nodes[0].input[5] = "start"


def computed_state(nodes, graph):
    """Not a constant itself, but made of one."""
    graph.initializer.append(onnx.numpy_helper.from_array(np.ones((1, 1, 4), "f4"), "start"))
    graph.initializer.append(onnx.numpy_helper.from_array(np.array([1, 2, 4]), "shape"))
    graph.node.insert(0, onnx.helper.make_node("Expand", ["start", "shape"], ["expanded"]))
    nodes[0].input[5] = "expanded"


def filled_state(value):
    def change(nodes, graph):
        graph.initializer.append(onnx.numpy_helper.from_array(np.array([1, 2, 4]), "shape"))
        fill = onnx.helper.make_tensor("fill", onnx.TensorProto.FLOAT, [1], [value])  # not as raw bytes
        graph.node.insert(0, onnx.helper.make_node("ConstantOfShape", ["shape"], ["filled"], value=fill))
        graph.node.insert(1, onnx.helper.make_node("Identity", ["filled"], ["state"]))
        for node in nodes:
            node.input[5] = node.input[6] = "state"

    return change


state_of_ones = filled_state(1)


def between(operator, *more, **attributes):
    """Another operator after the first layer; it reads that one's output, and `more`: a one, or the output again."""

    def change(nodes, graph):
        for name in set(more) - {"again"}:
            graph.initializer.append(onnx.numpy_helper.from_array(np.array([1]), name))
        y, place = nodes[1].input[0], list(graph.node).index(nodes[1])
        read = [y, *(y if name == "again" else name for name in more)]
        graph.node.insert(place, onnx.helper.make_node(operator, read, ["changed"], **attributes))
        graph.node[place + 1].input[0] = "changed"

    return change


def final_state_for_outputs(nodes, graph):
    """As a decoder reads an encoder: Y_h has the shape of an input."""
    nodes[1].input[0] = nodes[0].output[1]


def constant_lengths(nodes, graph):
    graph.initializer.append(onnx.numpy_helper.from_array(np.array([2], np.int32), "constant_lengths"))
    for node in nodes:
        node.input[4] = "constant_lengths"


def lengths_for_one(nodes, graph):
    nodes[1].input[4] = ""


def state_of_x(nodes, graph):
    """The first step of x for an initial state."""
    for name, numbers in [("zero", [0]), ("one", [1])]:
        graph.initializer.append(onnx.numpy_helper.from_array(np.array(numbers), f"{name}_of_x"))
    graph.node.insert(0, onnx.helper.make_node("Slice", ["x", "zero_of_x", "one_of_x", "one_of_x"], ["first"]))
    nodes[0].input[5] = "first"


def nested(nodes, graph):
    """A recurrent node in a branch of another."""
    inner = onnx.helper.make_node("LSTM", ["x_t", "0.W", "0.R"], ["inner"], hidden_size=4)
    out = onnx.helper.make_tensor_value_info("inner", onnx.TensorProto.FLOAT, None)
    branch = onnx.helper.make_graph([inner], "branch", [], [out])
    graph.initializer.append(onnx.numpy_helper.from_array(np.array(True), "condition"))
    place = list(graph.node).index(nodes[0])
    graph.node.insert(
        place, onnx.helper.make_node("If", ["condition"], ["chosen"], then_branch=branch, else_branch=branch)
    )


def fixed_sizes(nodes, graph):
    """A Reshape to sizes of one batch alone."""
    (reshape,) = (node for node in graph.node if node.op_type == "Reshape" and node.output[0] == nodes[1].input[0])
    graph.initializer.append(onnx.numpy_helper.from_array(np.array([7, 2, 4]), "sizes"))
    reshape.input[1] = "sizes"


def computed(nodes, graph):
    graph.node.insert(0, onnx.helper.make_node("Neg", ["0.W"], ["negated"]))
    nodes[0].input[1] = "negated"


def side_by_side(nodes, graph):
    nodes[1].input[0] = nodes[0].input[0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda n, g: set_attribute(n[0], "direction", "reverse"),
            "LSTM 0 has reverse=True and LSTM 1 has reverse=False",
        ),
        (lambda n, g: set_attribute(n[0], "clip", 3.0), "LSTM 0 has clip=3, which no layer here has"),
        (
            lambda n, g: set_attribute(n[0], "activations", ["Sigmoid", "Relu", "Tanh"]),
            "the activations of LSTM 0 are Sigmoid, Relu, Tanh; of those a layer here has Sigmoid, Tanh, Relu, Hard",
        ),
        (lambda n, g: set_attribute(n[1], "input_forget", 1), "LSTM 0 has coupled=False and LSTM 1 has coupled=True"),
        (
            initial_state,
            "the initial_h of LSTM 0 is part of the graph and not known to be 0; a layer here takes its state",
        ),
        (computed_state, "the initial_h of LSTM 0 is part of the graph and not known to be 0; a layer here takes its"),
        (state_of_ones, "the initial_h of LSTM 0 is part of the graph and not known to be 0; a layer here takes its"),
        (between("Relu"), "between LSTM 0 and LSTM 1 stands Transpose, Reshape, Relu; no stack here has Relu"),
        (
            between("Slice", "at", "end"),
            "between LSTM 0 and LSTM 1 stands Transpose, Reshape, Slice, which makes other",
        ),
        (
            between("Transpose", perm=[1, 0, 2]),
            "between LSTM 0 and LSTM 1 stands Transpose, Reshape, which makes other",
        ),
        (
            between("Cast", to=onnx.TensorProto.INT32),
            "between LSTM 0 and LSTM 1 stands Transpose, Reshape, Cast, which makes other numbers of the output",
        ),
        (final_state_for_outputs, "LSTM 1 does not read the output Y of another, and that alone"),
        (constant_lengths, "the sequence_lens of LSTM 0 are in the file, and not known to be the length of the whole"),
        (lengths_for_one, "LSTM 0 and LSTM 1 have other lengths, sequence_lens"),
        (state_of_x, "the initial_h of LSTM 0 is part of the graph and not known to be 0; a layer here takes"),
        (nested, "LSTM 0 in the else_branch of its If, LSTM 1 in the then_branch of its If, LSTM 2, LSTM 3"),
        (lambda n, g: set_attribute(n[0], "hidden_size", 7), "LSTM 0 has hidden_size=7, and R for 4 units"),
        (
            lambda n, g: set_attribute(n[1], "layout", 1),
            "between LSTM 0 and LSTM 1 stands Transpose, Reshape, which makes other numbers of the output than merge",
        ),
        (fixed_sizes, "between LSTM 0 and LSTM 1, Transpose, Reshape, cannot be run on 19 steps of 23 rows: Reshape"),
        (
            between("Concat", "again", axis=0),
            "between LSTM 0 and LSTM 1 stands Transpose, Reshape, Concat, which makes",
        ),
        (computed, "the W of LSTM 0 is computed (it is made by Neg, which is not run here); it needs to be a constant"),
        (
            side_by_side,
            "it holds 2 recurrent nodes that are no one stack of layers (LSTM 0, LSTM 1). node=0 or 1 reads",
        ),
        (
            lambda n, g: swap_constant(g, "0.B", np.zeros((1, 8), "f4")),
            "the B of LSTM 0 has shape (1, 8); it needs (1, 32)",
        ),
        (
            lambda n, g: swap_constant(g, "0.W", np.zeros(8, "f4")),
            "the W of LSTM 0 has shape (8,); it needs three axes",
        ),
        (
            lambda n, g: [
                swap_constant(g, f"1.{w}", np.zeros(s))
                for w, s in {"W": (1, 16, 4), "R": (1, 16, 4), "B": (1, 32)}.items()
            ],
            "LSTM 0 has weights of float32 and LSTM 1 of float64",
        ),
        (
            lambda n, g: swap_constant(g, "0.R", np.zeros((1, 16, 0), "f4")),
            "LSTM 0 has hidden_size=4, and R for 0 units",
        ),
    ],
)
def test_what_we_have_not(path, change, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        from_onnx(edited(path, nb.LSTM(4, 4, 2, rng=0), change))
    assert str(path) in str(caught.value)


def test_an_option_that_contradicts_the_file(path):
    export_onnx(nb.RNN(2, 3, rng=0), path)
    with pytest.raises(ValueError, match="nonlinearity is given as 'relu'; the file has 'tanh'"):
        from_onnx(path, nonlinearity="relu")


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (nb.LSTM(3, 4, projection_size=2), "projection_size is 2; ONNX's LSTM has projection_size=None alone"),
        (nb.BiLSTM(3, 4, merge=None), "merge is None; an ONNX file gives one output y"),
    ],
)
def test_what_onnx_has_not(tmp_path, layer, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        export_onnx(layer, tmp_path / "m.onnx")
    with pytest.raises(TypeError, match=re.escape("layer is Linear(3, 4); it needs an LSTM, GRU or RNN layer, or")):
        export_onnx(nb.Linear(3, 4), tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_a_file_without_a_recurrent_node(path):
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Neg", ["x"], ["y"])], "g", [x], [y])
    onnx.save(onnx.helper.make_model(graph), path)
    with pytest.raises(ValueError, match="it holds no LSTM, GRU or RNN node"):
        from_onnx(path)


def test_files_are_the_same_bytes_each_time(tmp_path):
    model = nb.SequenceClassifier(5, 3, pooling="max", rng=0)
    for name in ("a", "b"):
        export_onnx(model, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()

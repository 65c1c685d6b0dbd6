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


def edited(path, layer, change):
    """The layer's file with change(nodes, graph) applied to it, and no description of ours."""
    export_onnx(layer, path)
    content = onnx.load(path)
    del content.metadata_props[:]
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
    with pytest.raises(ValueError, match="between its recurrent nodes 0 and 1 stands ReduceSum"):
        from_onnx(path)


def test_initial_states_of_zeros_are_what_a_layer_has(path):
    layer = with_random_weights(nb.LSTM(3, 4, 2, rng=0), 0)
    assert_same(layer, from_onnx(edited(path, layer, filled_state(0))))


def test_a_model_that_lost_its_description_is_not_taken_for_its_recurrent_layer(path):
    model = nb.SequenceTagger(5, 2, embedding_size=3, hidden_size=4, rng=0)
    with pytest.raises(ValueError, match="it is named SequenceTagger and has lost the description"):
        from_onnx(edited(path, model, lambda nodes, graph: None))


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
        fill = onnx.numpy_helper.from_array(np.array([value], "f4"))
        graph.node.insert(0, onnx.helper.make_node("ConstantOfShape", ["shape"], ["filled"], value=fill))
        graph.node.insert(1, onnx.helper.make_node("Identity", ["filled"], ["state"]))
        for node in nodes:
            node.input[5] = node.input[6] = "state"

    return change


state_of_ones = filled_state(1)


def between(operator, *more):
    """Another operator after the first layer."""

    def change(nodes, graph):
        for name in more:
            graph.initializer.append(onnx.numpy_helper.from_array(np.array([1]), name))
        place = list(graph.node).index(nodes[1])
        graph.node.insert(place, onnx.helper.make_node(operator, [nodes[1].input[0], *more], ["changed"]))
        graph.node[place + 1].input[0] = "changed"

    return change


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
            'the direction of its LSTM is "reverse"; it needs "forw',
        ),
        (lambda n, g: set_attribute(n[0], "clip", 3.0), "its LSTM has the attribute clip, which no layer here has"),
        (
            lambda n, g: set_attribute(n[0], "activations", ["Sigmoid", "Relu", "Tanh"]),
            "the activations of its LSTM are Sigmoid, Relu, Tanh; they need to be Sigmoid, Tanh, Tanh",
        ),
        (lambda n, g: set_attribute(n[1], "input_forget", 1), "recurrent node 1 is not of the first one's kind"),
        (initial_state, "the initial_h of its LSTM is part of the graph and not 0; a layer here takes its state from"),
        (computed_state, "the initial_h of its LSTM is part of the graph and not 0; a layer here takes its state from"),
        (state_of_ones, "the initial_h of its LSTM is part of the graph and not 0; a layer here takes its state from"),
        (between("Relu"), "between its recurrent nodes 0 and 1 stands Relu; no stack here has that"),
        (between("Slice", "at", "end"), "between its recurrent nodes 0 and 1 stands Slice; no stack here has that"),
        (between("Add", "at"), "between its recurrent nodes 0 and 1 stands Add; no stack here has that"),
        (computed, "the W of its LSTM is computed; it needs to be a constant"),
        (side_by_side, "its recurrent nodes do not stand one on the other; it needs one stack of layers"),
        (
            lambda n, g: swap_constant(g, "0.B", np.zeros((1, 8), "f4")),
            "recurrent node 0['B'] has shape (1, 8); it needs ",
        ),
        (
            lambda n, g: swap_constant(g, "0.W", np.zeros(8, "f4")),
            "the first LSTM's W has shape (8,); it needs three axes",
        ),
        (
            lambda n, g: swap_constant(g, "1.W", np.zeros((1, 16, 4))),
            "weights['1.W'] has dtype float64 and weights['0.W'] has float32; all need to have the same",
        ),
        (
            lambda n, g: swap_constant(g, "0.R", np.zeros((1, 16, 0), "f4")),
            "hidden_size is 0; it needs to be at least 1",
        ),
    ],
)
def test_what_we_have_not(path, change, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        from_onnx(edited(path, nb.LSTM(3, 4, 2, rng=0), change))
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

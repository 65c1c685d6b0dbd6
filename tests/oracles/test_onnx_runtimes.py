"""The runtimes of ONNX as judges: the files that we write give our outputs in each of them.

onnxruntime computes in float32, and these nodes in float32 alone. onnx's own ReferenceEvaluator does not look at the
lengths, and OpenVINO does not where sizes are free; what else they leave out is in `has`.
"""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.interop import export_onnx, from_onnx, onnx_directions, onnx_export, onnx_weights
from npbilstm.interop.onnx_directions import SLOPES, USUAL, activation_names
from npbilstm.interop.parts import cell_of
from tests.cases import assert_all_close, assert_close
from tests.interop.drawing import POOLINGS, assert_same, models, recurrent_layers, with_random_weights
from tests.planting import planted, planted_below

pytest.importorskip("onnx", reason="onnx is not installed (group oracles)")

pytestmark = [
    pytest.mark.filterwarnings("ignore:OpenVINO leaves", "ignore:onnx's ReferenceEvaluator computes"),
    pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning"),  # of its sigmoid
]

TOLERANCE = 1e-5


def onnxruntime_runs(path, outputs, feeds):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (group oracles)")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(outputs, feeds)


def reference_runs(path, outputs, feeds):
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(str(path)).run(outputs, feeds)


def openvino_runs(path, outputs, feeds):
    openvino = pytest.importorskip("openvino", reason="openvino is not installed (group oracles)")
    exact = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    results = openvino.Core().compile_model(str(path), "CPU", exact)(feeds)
    return [results[name] for name in outputs]


RUNTIMES = {"onnxruntime": onnxruntime_runs, "reference": reference_runs, "openvino": openvino_runs}


def has(runtime, layer):
    """Whether a runtime has what a layer is made of."""
    names = activation_names(layer)
    if runtime == "reference":
        return names == USUAL[cell_of(layer)]
    return runtime != "openvino" or not (getattr(layer, "peepholes", False) or any(name in SLOPES for name in names))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx") / "file.onnx"


@st.composite
def batches(draw):
    """N, T and lengths, zero among them."""
    N, T = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    return N, T, np.array(draw(st.lists(st.integers(0, T), min_size=N, max_size=N)), np.int32)


LAYERS = recurrent_layers(dtypes=["f4"], merges=("concat", "sum", "mul", "ave"), reverse=True, activations=True)


def check_layer(runtime, path, layer, batch, seed):
    """A layer's file gives its outputs and final states, whatever stands in the padding."""
    N, T, lengths = batch
    rng = np.random.default_rng(seed)
    S = layer.num_layers * len(layer.directions)
    x = rng.standard_normal((N, T, layer.input_size)).astype(np.float32)
    x[np.arange(T) >= lengths[:, None]] = rng.choice([np.nan, np.inf, 1e30, 1.0])
    states = [rng.standard_normal((S, N, layer.hidden_size)).astype(np.float32) for _ in layer.state_parts]
    feeds = {"x": x, "lengths": lengths, **{f"{part}_0": s for part, s in zip(layer.state_parts, states)}}
    outputs = ["y", *(f"{part}_n" for part in layer.state_parts)]
    expected, exact = (outputs_of(each, x, lengths, states) for each in (layer, in_float64(layer)))
    scale = max(1.0, max(np.abs(array).max(initial=0) for array in exact))  # of relu, numbers grow
    if scale > 1e18:  # the products of such numbers leave float32's range, here and there
        return
    rounding = max(np.abs(one - other).max(initial=0) for one, other in zip(expected, exact)) / scale
    got = RUNTIMES[runtime](path, outputs, feeds)
    assert_all_close([a / scale for a in got], [a / scale for a in expected], max(TOLERANCE, 10 * rounding))


def in_float64(layer):
    return layer.with_params({name: p.astype(float) for name, p in layer.params.items()})


def outputs_of(layer, x, lengths, states):
    """y and the parts of the final state."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of relu, numbers leave the range
        y, final, _ = layer.forward(x, lengths, tuple(states) if len(states) == 2 else states[0])
    return [y, *(final if len(states) == 2 else [final])]


@settings(max_examples=300)
@given(LAYERS, batches(), st.integers(0, 2**32 - 1))
def test_onnxruntime_gives_a_layers_outputs_and_final_states_and_the_file_is_read_back(path, layer, batch, seed):
    export_onnx(layer, path)
    check_layer("onnxruntime", path, layer, batch, seed)
    assert_same(layer, from_onnx(path))


@pytest.mark.parametrize("runtime", ["reference", "openvino"])
@settings(max_examples=60)
@given(st.data())
def test_other_runtimes_give_the_same(path, runtime, data):
    layer = data.draw(LAYERS.filter(lambda layer: has(runtime, layer)))
    export_onnx(layer, path)
    check_layer(runtime, path, layer, data.draw(batches()), data.draw(st.integers(0, 2**32 - 1)))


def check_model(runtime, path, model, batch, seed):
    """A model's file gives its logits, whatever symbols stand in the padding."""
    N, T, lengths = batch
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, model.embedding.num_embeddings, (N, T))
    ids[np.arange(T) >= lengths[:, None]] = rng.choice([-1, 10**6])
    (logits,) = RUNTIMES[runtime](path, ["logits"], {"ids": ids, "lengths": lengths})
    assert_close(logits, model.forward(ids, lengths)[0], TOLERANCE)


@settings(max_examples=150)
@given(models(dtypes=["f4"]), batches(), st.integers(0, 2**32 - 1))
def test_onnxruntime_gives_a_models_logits_and_the_file_is_read_back(path, model, batch, seed):
    export_onnx(model, path)
    check_model("onnxruntime", path, model, batch, seed)
    again = from_onnx(path)
    assert again.config == model.config
    for part in ("embedding", "recurrent", "linear"):
        assert_same(getattr(model, part), getattr(again, part))


@pytest.mark.parametrize("runtime", ["reference", "openvino"])
@settings(max_examples=40)
@given(st.data())
def test_other_runtimes_give_the_same_logits(path, runtime, data):
    model = data.draw(models(dtypes=["f4"]))
    export_onnx(model, path)
    check_model(runtime, path, model, data.draw(batches()), data.draw(st.integers(0, 2**32 - 1)))


def test_a_file_serves_batches_of_any_size_and_of_no_steps(path):
    layer = with_random_weights(nb.BiLSTM(3, 4, 2, rng=0), 0)
    export_onnx(layer, path)
    check_layer("onnxruntime", path, layer, (7, 100, np.arange(94, 101, dtype=np.int32)), 0)
    check_layer("onnxruntime", path, layer, (2, 0, np.zeros(2, np.int32)), 0)


@pytest.mark.parametrize(
    ("runtime", "layer", "sentence"),
    [
        ("openvino", nb.LSTM(3, 4, peepholes=True), "OpenVINO leaves the peepholes of an LSTM out"),
        (
            "reference",
            nb.LSTM(3, 4, recurrent_activation="hard_sigmoid"),
            "ReferenceEvaluator computes with sigmoid and",
        ),
        ("reference", nb.GRU(3, 4, activation="relu"), "ReferenceEvaluator computes with sigmoid and tanh alone"),
    ],
)
def test_what_a_runtime_leaves_out_is_warned_of(path, runtime, layer, sentence):
    """When this fails, the runtime has it, and the warning may go."""
    layer = with_random_weights(layer, 0)
    with pytest.warns(UserWarning, match=sentence):
        export_onnx(layer, path)
    with pytest.raises(AssertionError):
        check_layer(runtime, path, layer, (3, 5, np.array([5, 2, 0], np.int32)), 0)


@pytest.mark.parametrize(
    ("runtime", "layer"),
    [
        ("openvino", nb.GRU(3, 4, recurrent_activation="hard_sigmoid")),
        ("reference", nb.RNN(3, 4, nonlinearity="relu")),
    ],
)
def test_what_a_runtime_refuses_needs_no_warning(path, runtime, layer):
    export_onnx(layer, path)
    with pytest.raises(RuntimeError, match="[aA]ctivation function"):
        check_layer(runtime, path, layer, (3, 5, np.array([5, 2, 0], np.int32)), 0)


EXPORT_BUGS = {
    "rows without steps lose their state": (
        '["empty", f"{part}_0", f"{part}_T"]',
        '["empty", f"{part}_T", f"{part}_T"]',
    ),
    "the states' layers in the wrong order": (
        "for stack_layer in ends for end",
        "for stack_layer in ends[::-1] for end",
    ),
    "every direction starts from the first one's state": ("k * S + s, name", "0 * s, name"),
    "directions not side by side": ('directions, f"{k}.y", axis=2', 'directions, f"{k}.y", axis=1'),
    "the directions change places": ('directions, f"{k}.y", axis=2', 'directions[::-1], f"{k}.y", axis=2'),
    "mul is sum": ('"mul": "Mul"', '"mul": "Sum"'),
    "ave is sum": ('"ave": "Mean"', '"ave": "Sum"'),
    "time and batch not swapped back": ('[x], "y_by_row", perm=[1, 0, 2]', '[x], "y_by_row", perm=[0, 1, 2]'),
    "logits of the padding not 0": (
        '["valid", "unmasked", zero], "logits"',
        '["valid", "unmasked", "unmasked"], "logits"',
    ),
    "the mean is over all steps": (
        '"Max", ["lengths", graph',
        '"Max", ["lengths", graph.constant("T_fixed", np.int32(5)), graph',
    ),
    "the mean of nothing divides by 0": ('graph.constant("one", np.int32(1))', 'graph.constant("one", np.int32(0))'),
    "the max takes the padding": ('["valid", y, lowest], "y_valid"', '["valid", y, y], "y_valid"'),
    "the max of nothing is not 0": ('["nothing", zero, "y_max"]', '["nothing", "y_max", "y_max"]'),
    "the classifier reads the first layer's state": ("ends[-1], zero", "ends[0], zero"),
}

DIRECTION_BUGS = {
    "ids of the padding looked up": ('["valid_2", "ids", graph', '["valid_2", "ids", "ids"] + 0 * [graph'),
    "c is not held": ("if holds:", "if False:"),
    "the output gate holds, not the input gate": ("[-HOLD, 0, HOLD, 0]", "[0, -HOLD, HOLD, 0]"),
    "the GRU's reset forgotten": ('found["linear_before_reset"] = int(layer.reset_after)', "pass"),
    "activations forgotten": ("found |= onnx_activations(names)", "pass"),
    "the slope of the hard sigmoid forgotten": ('found["activation_alpha"] =', 'found.get("activation_alpha") or'),
    "peepholes forgotten": ('inputs += [""] * (7 - len(inputs)) + [node["P"]]', "pass"),
    "the biases forgotten": ('node.get("B", "")', '""'),
    "each direction has the first one's weights": ("w[s : s + 1]", "w[:1]"),
    "the reverse direction reads forward": ('x = graph.node("ReverseSequence"', 'graph.node("ReverseSequence"'),
    "the reverse direction is not put back": ('y = graph.node("ReverseSequence"', 'graph.node("ReverseSequence"'),
    "the padding is turned around too": ('["one_or_more", "T"], "turned"', '["T", "T"], "turned"'),
    "the last step is the one after it": ('"Sub", ["lengths_of_states", step]', '"Sub", ["lengths_of_states", start]'),
    "the final state of the reverse direction is that of its last step": ("self.y_read", "self.y"),
}

WEIGHT_BUGS = {"the forget gate of coupled gates left to the node": ("[i, -i, *others]", "[i, 0 * i, *others]")}
"""Changes of onnx_export.py, onnx_directions.py and onnx_weights.py."""


def is_right(path, export):
    """Whether files of every kind give our outputs, at a batch of unequal lengths with one of them 0."""
    batch = 3, 5, np.array([5, 2, 0], np.int32)
    two = {"num_layers": 2, "bidirectional": True}
    layers = [
        ("reference", nb.LSTM(3, 4, peepholes=True, coupled=True, **two)),
        ("reference", nb.GRU(3, 4, merge="ave", **two)),
        ("reference", nb.LSTM(3, 4, 2, reverse=True)),
        (
            "onnxruntime",
            nb.LSTM(3, 4, merge="mul", recurrent_activation="hard_sigmoid_sixth", activation="relu", **two),
        ),
        ("onnxruntime", nb.RNN(3, 4, nonlinearity="relu", merge="sum", **two)),
    ]
    shape = {"embedding_size": 2, "hidden_size": 4, "num_layers": 2}
    whole = [nb.SequenceTagger(6, 3, **shape), *(nb.SequenceClassifier(6, 3, pooling=p, **shape) for p in POOLINGS)]
    try:
        for runtime, layer in layers:
            layer = with_random_weights(layer, 1)
            export(layer, path)
            check_layer(runtime, path, layer, batch, 0)
        for model in (with_random_weights(model, 1) for model in whole):
            export(model, path)
            check_model("onnxruntime", path, model, batch, 0)
    except Exception:  # a wrong output, or a runtime's error for a graph that makes no sense
        return False
    return True


def test_every_kind_of_file_gives_our_outputs(path):
    assert is_right(path, export_onnx)


@pytest.mark.parametrize("bug", [*EXPORT_BUGS, *DIRECTION_BUGS, *WEIGHT_BUGS])
def test_a_planted_bug_in_the_graph_is_seen(path, bug):
    if bug in EXPORT_BUGS:
        changed = planted(onnx_export, *EXPORT_BUGS[bug])
    elif bug in DIRECTION_BUGS:
        (changed,) = planted_below([onnx_export], onnx_directions, *DIRECTION_BUGS[bug])
    else:
        _, changed = planted_below([onnx_directions, onnx_export], onnx_weights, *WEIGHT_BUGS[bug])
    assert not is_right(path, changed.export_onnx)

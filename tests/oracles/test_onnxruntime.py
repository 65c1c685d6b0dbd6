"""onnxruntime as the judge: the files that we write give our outputs there, and PyTorch's are read as they run.

onnxruntime computes in float32, and these nodes in float32 alone.
"""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.interop import export_onnx, from_onnx, onnx_export
from tests.cases import assert_all_close, assert_close
from tests.interop.drawing import POOLINGS, assert_same, models, recurrent_layers, with_random_weights
from tests.planting import planted

pytest.importorskip("onnx", reason="onnx is not installed (extra oracles)")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra oracles)")

TOLERANCE = 1e-5


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx") / "file.onnx"


@st.composite
def batches(draw):
    """N, T and lengths, zero among them."""
    N, T = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    return N, T, np.array(draw(st.lists(st.integers(0, T), min_size=N, max_size=N)), np.int32)


def run_layer(path, layer, x, lengths, state):
    parts = ["h", "c"] if isinstance(layer, nb.LSTM) else ["h"]
    state = state if len(parts) == 2 else [state]
    feed = {"x": x, "lengths": lengths, **{f"{part}_0": array for part, array in zip(parts, state)}}
    y, *final = session(path).run(["y", *(f"{part}_n" for part in parts)], feed)
    return y, tuple(final) if len(parts) == 2 else final[0]


@settings(max_examples=300)
@given(recurrent_layers(dtypes=["f4"], merges=("concat", "sum", "mul", "ave")), batches(), st.integers(0, 2**32 - 1))
def test_a_layers_file_gives_its_outputs_and_final_states_and_is_read_back(path, layer, batch, seed):
    N, T, lengths = batch
    rng = np.random.default_rng(seed)
    S = layer.num_layers * len(layer.directions)
    shapes = [(N, T, layer.input_size), *[(S, N, layer.hidden_size)] * 2]
    x, h_0, c_0 = (rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    x[np.arange(T) >= lengths[:, None]] = rng.choice([np.nan, np.inf, 1e30, 1.0])
    state = (h_0, c_0) if isinstance(layer, nb.LSTM) else h_0
    export_onnx(layer, path)
    y, final, _ = layer.forward(x, lengths, state)
    assert_all_close(run_layer(path, layer, x, lengths, state), (y, final), TOLERANCE)
    assert_same(layer, from_onnx(path))


@settings(max_examples=150)
@given(models(dtypes=["f4"]), batches(), st.integers(0, 2**32 - 1))
def test_a_models_file_gives_its_logits_and_is_read_back(path, model, batch, seed):
    N, T, lengths = batch
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, model.embedding.num_embeddings, (N, T))
    ids[np.arange(T) >= lengths[:, None]] = rng.choice([-1, 10**6])
    export_onnx(model, path)
    (logits,) = session(path).run(["logits"], {"ids": ids, "lengths": lengths})
    assert_close(logits, model.forward(ids, lengths)[0], TOLERANCE)
    again = from_onnx(path)
    assert again.config == model.config
    for part in ("embedding", "recurrent", "linear"):
        assert_same(getattr(model, part), getattr(again, part))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("LSTM", {}),
        ("LSTM", {"bias": False, "bidirectional": True, "num_layers": 2}),
        ("GRU", {"bidirectional": True, "num_layers": 2}),
        ("RNN", {"nonlinearity": "relu", "bidirectional": True}),
    ],
)
def test_pytorchs_own_files_are_read(path, kind, options):
    torch = pytest.importorskip("torch", reason="torch is not installed (extra oracles)")
    torch.manual_seed(0)
    peer = getattr(torch.nn, kind)(3, 4, batch_first=True, **options)
    x = torch.randn(2, 5, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its exporter warns of itself
        torch.onnx.export(peer, (x,), str(path), dynamo=False)
    layer = from_onnx(path)
    assert_close(layer.forward(x.numpy())[0], peer(x)[0].detach().numpy(), TOLERANCE)
    assert_close(layer.forward(x.numpy())[0], session(path).run(None, {"input": x.numpy()})[0], TOLERANCE)


def test_a_file_serves_batches_of_any_size(path):
    layer = with_random_weights(nb.BiLSTM(3, 4, 2, rng=0), 0)
    export_onnx(layer, path)
    state = np.zeros((4, 7, 4), np.float32)
    x = np.random.default_rng(0).standard_normal((7, 100, 3)).astype(np.float32)
    lengths = np.arange(94, 101, dtype=np.int32)
    got = run_layer(path, layer, x, lengths, (state, state))
    assert_all_close(got, layer.forward(x, lengths)[:2], TOLERANCE)


def test_onnxruntime_still_gives_zero_for_the_state_of_a_row_without_steps(path):
    """Why our files say what becomes of such rows. When this fails, they need not any more."""
    import onnx

    layer = nb.RNN(2, 3, rng=0)
    export_onnx(layer, path)
    content = onnx.load(path)
    content.graph.output.append(onnx.helper.make_tensor_value_info("0.h_T", onnx.TensorProto.FLOAT, [1, "N", 3]))
    onnx.save(content, path)
    feed = {"x": np.ones((1, 2, 2), "f4"), "lengths": np.zeros(1, "i4"), "h_0": np.ones((1, 1, 3), "f4")}
    raw, held = session(path).run(["0.h_T", "h_n"], feed)
    assert not raw.any()
    assert (held == 1).all()


EXPORT_BUGS = {
    "rows without steps lose their state": (
        '["empty", f"{part}_0", f"{part}_T"]',
        '["empty", f"{part}_T", f"{part}_T"]',
    ),
    "the states' layers in the wrong order": ('"Concat", final, f"{part}_T"', '"Concat", final[::-1], f"{part}_T"'),
    "every layer starts from the first one's state": (
        "graph.ints(k * S), graph.ints((k + 1) * S)",
        "graph.ints(0), graph.ints(S)",
    ),
    "lengths forgotten": ('weights.get("B", ""), "lengths"', 'weights.get("B", ""), ""'),
    "coupled gates forgotten": ('attributes["input_forget"] = 1', "pass"),
    "the GRU's reset forgotten": ('attributes["linear_before_reset"] = int(layer.reset_after)', "pass"),
    "relu forgotten": ('"relu": "Relu"', '"relu": "Tanh"'),
    "peepholes forgotten": ('inputs += [weights["P"]] if "P" in weights else []', "pass"),
    "the biases forgotten": ('weights.get("B", "")', '""'),
    "directions not side by side": ("perm=[0, 2, 1, 3]", "perm=[0, 1, 2, 3]"),
    "mul is sum": ('"mul": "ReduceProd"', '"mul": "ReduceSum"'),
    "ave is sum": ('"ave": "ReduceMean"', '"ave": "ReduceSum"'),
    "time and batch not swapped back": ('[x], "y_by_row", perm=[1, 0, 2]', '[x], "y_by_row", perm=[0, 1, 2]'),
    "ids of the padding looked up": ('["valid_ids", "ids", graph', '["valid_ids", "ids", "ids"] + 0 * [graph'),
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
    "the classifier reads the first layer's state": ("finals[0][-1], zero", "finals[0][0], zero"),
    "the classifier's directions stand by row": (
        '["h_n"], "h_by_row", perm=[1, 0, 2]',
        '["h_n"], "h_by_row", perm=[0, 1, 2]',
    ),
}


def is_right(path, export):
    """Whether files of every kind give our outputs, at a batch of unequal lengths with one of them 0."""
    lengths = np.array([5, 2, 0], np.int32)
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 6, (3, 5))
    ids[1, 2:] = 10**6
    two = {"num_layers": 2, "bidirectional": True}
    layers = [
        nb.LSTM(3, 4, peepholes=True, coupled=True, **two),
        nb.LSTM(3, 4, merge="mul", **two),
        nb.GRU(3, 4, merge="ave", **two),
        nb.RNN(3, 4, nonlinearity="relu", merge="sum", **two),
    ]
    models = [nb.SequenceClassifier(6, 3, embedding_size=2, hidden_size=4, num_layers=2, pooling=p) for p in POOLINGS]
    try:
        for layer in (with_random_weights(layer, 1) for layer in layers):
            x = rng.standard_normal((3, 5, 3)).astype(np.float32)
            states = [rng.standard_normal((4, 3, 4)).astype(np.float32) for _ in layer.state_parts]
            state = tuple(states) if len(states) == 2 else states[0]
            export(layer, path)
            assert_all_close(run_layer(path, layer, x, lengths, state), layer.forward(x, lengths, state)[:2], TOLERANCE)
        for model in (with_random_weights(m, 1) for m in [*models, nb.SequenceTagger(6, 3, hidden_size=4)]):
            export(model, path)
            (logits,) = session(path).run(["logits"], {"ids": ids, "lengths": lengths})
            assert_close(logits, model.forward(ids, lengths)[0], TOLERANCE)
    except Exception:  # a wrong output, or one of onnxruntime's errors for a graph that makes no sense
        return False
    return True


def test_every_kind_of_file_gives_our_outputs(path):
    assert is_right(path, export_onnx)


@pytest.mark.parametrize("bug", EXPORT_BUGS)
def test_a_planted_bug_in_the_graph_is_seen(path, bug):
    assert not is_right(path, planted(onnx_export, *EXPORT_BUGS[bug]).export_onnx)

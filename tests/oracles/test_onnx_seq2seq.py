"""A Seq2Seq as two ONNX files: runtimes that run them, with a loop of their own, answer as the model does."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.cli import main
from npbilstm.interop import export_onnx, from_onnx, onnx_export, onnx_seq2seq
from npbilstm.interop.onnx_export import onnx_paths
from tests.cases import assert_close
from tests.interop.drawing import with_random_weights
from tests.oracles.test_onnx_runtimes import TOLERANCE, batches
from tests.planting import planted_below

pytest.importorskip("onnx", reason="onnx is not installed (group oracles)")

GUIDE = (Path(__file__).parents[2] / "tutorials/guides/peers.md").read_text()
KINDS = ("additive", "dot", None)
STEPS = 8


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx") / "pairs.onnx"


def onnxruntime_opens(file):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (group oracles)")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"]).run


def reference_opens(file):
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(file).run


def openvino_opens(file):
    openvino = pytest.importorskip("openvino", reason="openvino is not installed (group oracles)")
    exact = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    model = openvino.Core().compile_model(file, "CPU", exact)

    def run(outputs, feeds):
        results = model(feeds)
        return [results[name].copy() for name in outputs]

    return run


OPENED = {"onnxruntime": onnxruntime_opens, "reference": reference_opens, "openvino": openvino_opens}
"""Runtimes: a file, opened once -> a function of outputs and inputs."""


@st.composite
def models(draw):
    sizes = [draw(st.integers(1, 5)) for _ in range(2)]
    options = {"embedding_size": draw(st.integers(1, 4)), "hidden_size": draw(st.integers(1, 4))}
    model = nb.Seq2Seq(*sizes, attention=draw(st.sampled_from(KINDS)), rng=0, **options)
    return with_random_weights(model, draw(st.integers(0, 2**32 - 1)))


def runs(runtime, model, path):
    """Two functions, from a dict of inputs to one of outputs: the encoder and a step of the decoder."""
    import onnx

    encoder, decoder = onnx_paths(model, path)

    def run_of(file):
        graph = onnx.load(file).graph
        names, outputs = ([value.name for value in values] for values in (graph.input, graph.output))
        run = OPENED[runtime](str(file))
        return lambda feeds: dict(zip(outputs, run(outputs, {name: feeds[name] for name in names})))

    return run_of(encoder), run_of(decoder)


def check(runtime, path, model, lengths, seed, S=None):
    """The numbers of the encoder and of each step are the model's to 1e-5, and the answers its own."""
    N, S = len(lengths), int(max(lengths, default=0)) if S is None else S
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, model.embedding.num_embeddings, (N, S))
    ids[np.arange(S) >= lengths[:, None]] = rng.choice([-1, 10**6])
    encode, decode = runs(runtime, model, path)
    read = encode({"ids": ids, "lengths": lengths})
    memory, state, _ = model.encode(ids, lengths)
    for name, ours in zip(("h_0", "c_0", "context_0", "keys", "projected"), (*state, memory.keys, memory.projected)):
        assert name not in read or assert_close(read[name], ours, TOLERANCE) is None
    parts = ("h", "c", "context") if model.attention else ("h", "c")
    feeds = {**read, "lengths": lengths, **{f"{part}_prev": read[f"{part}_0"] for part in parts}}
    symbols, running = np.full(N, model.boundary), (state, memory)
    answers, alphas, close = [[] for _ in range(N)], [], np.zeros(N, bool)
    for _ in range(STEPS):
        step = decode({"symbols": symbols, **feeds})
        log_p, running = model._step(symbols, running)
        assert_close(step["log_p"], log_p, TOLERANCE)
        if model.attention:
            alphas.append(step["alpha"])
            assert (step["alpha"][~memory.valid] == 0).all()
        symbols = step["log_p"].argmax(axis=1)
        for answer, symbol in zip(answers, symbols):
            answer.append(int(symbol))
        two = np.sort(log_p, axis=1)[:, -2:]
        close |= two[:, 1] - two[:, 0] < 10 * TOLERANCE  # rounding decides which of two is likelier
        feeds |= {f"{part}_prev": step[part] for part in parts}
    ours = model.predict(ids, lengths, most_steps=STEPS)
    for n in np.flatnonzero(~close):
        end = [*answers[n], model.boundary].index(model.boundary)
        assert answers[n][:end] == ours[n].tolist()
        if model.attention and end < STEPS:
            looked = model.alignment(ids[n, : lengths[n]], ours[n])
            assert_close(np.array([alpha[n, : lengths[n]] for alpha in alphas[: end + 1]]), looked, TOLERANCE)


@settings(max_examples=40)
@given(models(), batches(), st.integers(0, 2**32 - 1))
def test_greedy_answers_by_onnxruntime_alone_are_the_models(path, model, batch, seed):
    export_onnx(model, path)
    _, S, lengths = batch
    check("onnxruntime", path, model, lengths, seed, S)


@pytest.mark.parametrize("runtime", ["reference", "openvino"])
@settings(max_examples=6)
@given(st.data())
def test_other_runtimes_answer_the_same(path, runtime, data):
    model = data.draw(models())
    export_onnx(model, path)
    _, S, lengths = data.draw(batches())
    check(runtime, path, model, lengths, data.draw(st.integers(0, 2**32 - 1)), S)


BUGS = {
    "c is not held in the padding": ('["state", "state"]', "[]"),
    "the first state does not pass the tanh": ('"Tanh", ["h_0_before_tanh"]', '"Identity", ["h_0_before_tanh"]'),
    "the final states in another order": (
        "[end.h(graph) for end in ends] + [end.c(graph) for end in ends]",
        "[f(graph) for end in ends for f in (end.h, end.c)]",
    ),
    "the keys of the padding are not 0": ('["valid", "y", zero], "keys"', '["valid", "y", "y"], "keys"'),
    "the reverse direction's keys come first": ("[end.y for end in ends]", "[end.y for end in ends[::-1]]"),
    "the context before x": ('[x, "context_prev"]', '["context_prev", x]'),
    "the context before h": ('["h", "context"]', '["context", "h"]'),
    "the context of the step before": ('["h", "context"]', '["h", "context_prev"]'),
    "the state before the step asks": ('["h", "decoder.Wq"]', '["h_prev", "decoder.Wq"]'),
    "the gates in another order": ('"a_i", "a_f", "a_g", "a_o"', '"a_i", "a_f", "a_o", "a_g"'),
    "the cell is not squashed": ('"Tanh", ["c"]', '"Identity", ["c"]'),
    "the highest score may be that of the padding": (
        '[valid, scores, lowest], "scores_of_valid"',
        '[valid, scores, scores], "scores_of_valid"',
    ),
    "a row without steps looks at its padding": ('[valid, "e_of_all", zero]', '[valid, "e_of_all", "e_of_all"]'),
    "the weights of nothing are not 0": ('"Max", ["e_sum", one]', '"Max", ["e_sum", zero]'),
    "scores in the place of log-probabilities": (
        '"LogSoftmax", ["scores"], "log_p", axis=1',
        '"Identity", ["scores"], "log_p"',
    ),
}
"""Changes of onnx_seq2seq.py."""


def is_right(path, export):
    """Whether files of every kind give our numbers and answers, at rows of unequal length with one of them 0."""
    try:
        for kind in KINDS:
            model = with_random_weights(nb.Seq2Seq(5, 4, attention=kind, embedding_size=2, hidden_size=3), 1)
            export(model, path)
            check("onnxruntime", path, model, np.array([5, 2, 0], np.int32), 0)
            check("onnxruntime", path, model, np.array([0, 0], np.int32), 0)  # no steps at all
            check("reference", path, model, np.array([5, 2, 0], np.int32), 0)
            for scale in (300, -300) if kind == "additive" else ():  # in one, the padding has by far the highest score
                v = model.params["decoder.v"] * np.float32(scale)
                large = model.with_params({**model.params, "decoder.v": v})
                export(large, path)
                check("onnxruntime", path, large, np.array([5, 2, 1], np.int32), 0)
    except Exception:  # a wrong number, or a runtime's error for a graph that makes no sense
        return False
    return True


def test_every_kind_of_attention_gives_our_numbers(path):
    assert is_right(path, export_onnx)


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_in_the_two_graphs_is_seen(path, bug):
    (changed,) = planted_below([onnx_export], onnx_seq2seq, *BUGS[bug])
    assert not is_right(path, changed.export_onnx)


def test_in_float64_the_step_runs_to_1e_12(path):
    """onnxruntime has LSTM nodes in float32 alone; the step has none."""
    model = with_random_weights(nb.Seq2Seq(5, 4, embedding_size=2, hidden_size=3, dtype=np.float64), 1)
    export_onnx(model, path)
    ids, lengths = np.array([[1, 2, 3], [4, 0, 0]]), np.array([3, 1], np.int32)
    memory, state, _ = model.encode(ids, lengths)
    feeds = {f"{part}_prev": value for part, value in zip(("h", "c", "context"), state)}
    feeds |= {"keys": memory.keys, "projected": memory.projected, "lengths": lengths, "symbols": np.array([4, 0])}
    step = runs("onnxruntime", model, path)[1](feeds)
    assert_close(step["log_p"], model._step(feeds["symbols"], (state, memory))[0], 1e-12)


def test_the_guides_loop_answers_as_the_model_does(tmp_path, monkeypatch, capsys):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (group oracles)")
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL) if "dates.{part}" in block]
    monkeypatch.chdir(tmp_path)
    letters = list(" 12589May")
    model = with_random_weights(nb.Seq2Seq(len(letters), len(letters), embedding_size=4, hidden_size=6, rng=0), 3)
    nb.save_model("dates.npz", model, {"sources": letters, "targets": letters})
    assert main(["convert", "dates.npz", "dates.onnx"]) == 0
    capsys.readouterr()
    exec(compile(code, "peers.md", "exec"), {})
    (answer,) = model.predict([[letters.index(c) for c in "12 May 1988"]], most_steps=40)
    assert capsys.readouterr().out == "".join(letters[k] for k in answer) + "\n"
    assert len(answer)


def test_convert_writes_two_files_and_replaces_neither_unasked(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    nb.save_model("m.npz", nb.Seq2Seq(3, 3, hidden_size=2, embedding_size=2, rng=0))
    assert main(["convert", "m.npz", "m.onnx"]) == 0
    assert capsys.readouterr().out.endswith("parameters\nWrote m.encoder.onnx and m.decoder.onnx.\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.decoder.onnx", "m.encoder.onnx", "m.npz"]
    Path("m.encoder.onnx").unlink()
    assert main(["convert", "m.npz", "m.onnx"]) == 2
    assert "m.decoder.onnx exists; choose another DESTINATION, or allow it" in capsys.readouterr().err
    assert not Path("m.encoder.onnx").exists()
    assert main(["convert", "m.npz", "m.onnx", "--overwrite"]) == 0


@settings(max_examples=12)
@given(models(), st.sampled_from([np.float32, np.float64]))
def test_both_files_are_read_back_as_the_model_that_they_were(path, model, dtype):
    model = model.with_params({name: p.astype(dtype) for name, p in model.params.items()})
    export_onnx(model, path, {"sources": "abc"})
    for given_path in (path, *onnx_paths(model, path)):
        back, about = nb.read_weights(given_path)
        assert type(back) is nb.Seq2Seq
        assert back.config == model.config
        assert about == {"sources": "abc"}
        for name, p in model.params.items():
            assert back.params[name].dtype == dtype
            assert np.array_equal(back.params[name], p), name
    back.embedding.params["W"][0] = 0  # what is read can be trained


def test_convert_reads_by_either_file_or_by_the_path_that_both_were_made_of(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    model = nb.Seq2Seq(3, 3, hidden_size=2, embedding_size=2, rng=0)
    nb.save_model("m.npz", model, {"targets": "abc"})
    assert main(["convert", "m.npz", "m.onnx"]) == 0
    for k, source in enumerate(["m.onnx", "m.encoder.onnx", "m.decoder.onnx"]):
        assert main(["convert", source, f"{k}.npz"]) == 0
        back, about = nb.read_weights(f"{k}.npz")
        assert about == {"targets": "abc"}
        assert all(np.array_equal(back.params[name], p) for name, p in model.params.items())


def changed_file(name, change):
    import onnx

    content = onnx.load(name)
    change(content)
    onnx.save(content, name)


def renamed(old, new):
    """A change: a constant, and what reads it, gets another name."""

    def change(content):
        for tensor in content.graph.initializer:
            tensor.name = new if tensor.name == old else tensor.name
        for node in content.graph.node:
            node.input[:] = [new if name == old else name for name in node.input]

    return change


def smaller(content):
    import onnx

    for tensor in content.graph.initializer:
        if tensor.name == "linear.b":
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.zeros(3, np.float32), "linear.b"))


def decoder_of_another():
    export_onnx(nb.Seq2Seq(3, 3, hidden_size=2, embedding_size=2), "n.onnx", {"of": "another"})
    Path("n.decoder.onnx").replace("m.decoder.onnx")


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (lambda: Path("m.decoder.onnx").unlink(), "m.decoder.onnx"),
        (lambda: Path("m.encoder.onnx").rename("other.onnx"), "m.onnx"),
        (lambda: changed_file("m.decoder.onnx", renamed("linear.W", "W")), "holds? a Seq2Seq, and lacks linear.W"),
        (lambda: changed_file("m.decoder.onnx", renamed("decoder.b", "decoder.c")), "the file lacks 'decoder.b'"),
        (
            lambda: changed_file("m.decoder.onnx", smaller),
            r"'target_embedding.W'\] has shape \(4, 2\); it needs \(3, 2\)",
        ),
        (
            decoder_of_another,
            "m.encoder.onnx and m.decoder.onnx are not of one Seq2Seq: what they say differs",
        ),
    ],
    ids=["no decoder", "no encoder", "no linear", "another name", "another shape", "another's decoder"],
)
def test_halves_that_do_not_make_a_whole_are_refused_in_a_sentence(tmp_path, monkeypatch, what, sentence):
    monkeypatch.chdir(tmp_path)
    export_onnx(nb.Seq2Seq(3, 3, hidden_size=2, embedding_size=2, rng=0), "m.onnx")
    what()
    with pytest.raises((OSError, ValueError), match=sentence):
        from_onnx("m.onnx")


def test_half_under_a_name_of_its_own_and_options_are_refused_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    export_onnx(nb.Seq2Seq(3, 3, hidden_size=2, embedding_size=2, rng=0), "m.onnx")
    with pytest.raises(ValueError, match="half of a Seq2Seq, which is read as a whole; leave the other options out"):
        from_onnx("m.onnx", node=0)
    Path("m.encoder.onnx").rename("mine.onnx")
    with pytest.raises(ValueError, match=r"its name needs to end in .encoder.onnx or .decoder.onnx"):
        from_onnx("mine.onnx")

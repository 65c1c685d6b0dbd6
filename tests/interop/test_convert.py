"""npbilstm convert, and the files it reads and writes: whole, to the same bits, or a sentence and exit code 2."""

import json
import os
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.cli import main
from npbilstm.interop import to_pytorch
from npbilstm.interop.files import read_weights, write_weights
from tests.interop.drawing import assert_same, models, recurrent_layers, with_random_weights

pytestmark = pytest.mark.filterwarnings("ignore:OpenVINO leaves", "ignore:onnx's ReferenceEvaluator computes")

ABOUT = {"symbols": None, "classes": ["a", "b", "c"]}


def formats():
    yield ".npz"
    for suffix, package in [(".safetensors", "safetensors"), (".onnx", "onnx")]:
        try:
            __import__(package)
        except ImportError:
            continue
        yield suffix


FORMATS = list(formats())
"""Those whose extras are installed."""


def tagger(seed=0, **options):
    options = {"embedding_size": 3, "hidden_size": 4, **options}
    return with_random_weights(nb.SequenceTagger(5, 3, rng=0, **options), seed)


def assert_same_model(model, other):
    assert model.config == other.config
    for part in ("embedding", "recurrent", "linear"):
        assert_same(getattr(model, part), getattr(other, part))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("convert")


def convert(capsys, *arguments):
    """npbilstm convert -> exit code, what it said, what it complained of."""
    code = main(["convert", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.few(1)
@pytest.mark.parametrize("suffix", FORMATS)
@given(st.data())
def test_every_format_carries_models_and_layers_bit_by_bit(folder, suffix, data):
    path = folder / f"file{suffix}"
    model = data.draw(models())
    write_weights(path, model, ABOUT)
    again, about = read_weights(path)
    assert_same_model(model, again)
    assert about == ABOUT
    kinds = {
        ".npz": {"projection": True},
        ".safetensors": {"variants": False, "projection": True, "reset_before": False, "merges": ["concat"]},
        ".onnx": {"merges": ["concat", "sum", "mul", "ave"]},
    }
    layer = data.draw(recurrent_layers(**kinds[suffix]))
    write_weights(path, layer)
    assert_same(layer, read_weights(path)[0])


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_trained_tagger_goes_there_and_comes_back_and_tags(tmp_path, capsys, suffix):
    words = "".join(f"the\tDET\n{word}\tNOUN\nruns\tVERB\n\n" for word in ["cat", "dog", "cow"] * 8)
    (tmp_path / "words.txt").write_text(words)
    small = ["--epochs", "1", "--embedding-size", "4", "--hidden-size", "5", "--quiet"]
    trained, there, back = (tmp_path / name for name in ("m.npz", f"there{suffix}", "back.npz"))
    assert main(["train", str(tmp_path / "words.txt"), "--out", str(trained), *small]) == 0
    capsys.readouterr()
    code, out, _ = convert(capsys, trained, there)
    assert code == 0
    assert out.startswith(f"{trained}: SequenceTagger(")
    assert out.endswith(f"parameters\nWrote {there}.\n")
    assert convert(capsys, there, back)[0] == 0
    (model, said), (again, about) = nb.load_model(trained), nb.load_model(back)
    assert_same_model(model, again)
    assert said == about
    answers = []
    for name in (trained, back):
        assert main(["tag", str(name), str(tmp_path / "words.txt"), "--columns"]) == 0
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1]


@pytest.mark.parametrize("kind", ["tagger", "classifier"])
def test_a_state_dict_of_anybodys_becomes_a_model_file(tmp_path, capsys, kind):
    source, destination = tmp_path / "net.npz", tmp_path / "model.npz"
    model = tagger(cell="gru")
    np.savez(source, **to_pytorch(model))
    code, _, err = convert(capsys, source, destination)
    assert code == 2
    assert f"{source}: it holds a whole model and does not say which; model needs to be " in err
    code, out, _ = convert(capsys, source, destination, "--model", kind)
    assert code == 0
    assert ("Its symbols and classes have no names, which npbilstm tag needs" in out) == (kind == "tagger")
    again, about = nb.load_model(destination)
    assert type(again).__name__ == f"Sequence{kind.capitalize()}"
    assert about == {}
    for part in ("embedding", "recurrent", "linear"):
        assert_same(getattr(model, part), getattr(again, part))


def test_a_seq2seq_goes_to_a_model_file_and_pytorch_has_no_such_module(tmp_path, capsys):
    model = nb.Seq2Seq(3, 4, hidden_size=2, embedding_size=2, rng=0)
    nb.save_model(tmp_path / "m.npz", model, {"sources": ["a", "b", "c"]})
    assert convert(capsys, tmp_path / "m.npz", tmp_path / "again.npz")[0] == 0
    again, about = nb.load_model(tmp_path / "again.npz", kind=nb.Seq2Seq)
    assert about == {"sources": ["a", "b", "c"]}
    assert all((again.params[name] == p).all() for name, p in model.params.items())
    with pytest.raises(ValueError, match="a Seq2Seq is no module of PyTorch; .npz and .onnx files hold it"):
        to_pytorch(model)


def test_arrays_under_our_names_are_read(tmp_path):
    model, layer = tagger(), nb.GRU(3, 4, rng=0)
    np.savez(tmp_path / "m.npz", **model.params)
    assert_same_model(model, read_weights(tmp_path / "m.npz", "tagger")[0])
    np.savez(tmp_path / "l.npz", **layer.params)
    assert_same(layer, read_weights(tmp_path / "l.npz")[0])


def test_a_model_of_another_name_is_refused(tmp_path):
    np.savez(tmp_path / "m.npz", **to_pytorch(tagger()))
    if ".onnx" in FORMATS:
        write_weights(path := tmp_path / "tagger.onnx", tagger())
        with pytest.raises(ValueError, match="holds a SequenceTagger; it cannot be read as a SequenceClassifier"):
            read_weights(path, model="classifier")
    with pytest.raises(ValueError, match='model is .transformer.; it needs "tagger" or "classifier"'):
        read_weights(tmp_path / "m.npz", "transformer")


def test_what_a_file_does_not_say_is_said_on_the_command_line(tmp_path, capsys):
    source, destination = tmp_path / "net.npz", tmp_path / "model.npz"
    np.savez(source, **to_pytorch(nb.RNN(2, 3, rng=0)))
    assert convert(capsys, source, destination, "--nonlinearity", "relu")[0] == 0
    assert read_weights(destination)[0].nonlinearity == "relu"
    np.savez(source, **to_pytorch(tagger()))
    assert convert(capsys, source, destination, "--model", "classifier", "--pooling", "max", "--overwrite")[0] == 0
    assert nb.load_model(destination)[0].pooling == "max"


def test_one_recurrent_layer_is_read_by_its_prefix_and_the_rest_is_named(tmp_path, capsys):
    encoder, decoder = (with_random_weights(nb.GRU(3, 4, num_layers=n, rng=0), n) for n in (1, 2))
    state = {f"encoder.{name}": w for name, w in to_pytorch(encoder).items()}
    state |= {f"decoder.rnn.{name}": w for name, w in to_pytorch(decoder).items()}
    np.savez(tmp_path / "net.npz", **state, **{"fc.weight": np.ones((2, 4), np.float32)})
    layer, about = read_weights(tmp_path / "net.npz", prefix="decoder.rnn.")
    assert_same(decoder, layer)
    assert about == {"left_out": ["encoder", "fc"]}
    code, out, _ = convert(capsys, tmp_path / "net.npz", tmp_path / "one.npz", "--prefix", "encoder.")
    assert code == 0
    assert "Left out: decoder.rnn, fc.\n" in out
    assert_same(encoder, read_weights(tmp_path / "one.npz")[0])
    np.savez(tmp_path / "own.npz", **tagger(cell="gru").params)
    assert_same(tagger(cell="gru").recurrent, read_weights(tmp_path / "own.npz", prefix="gru.")[0])


def test_what_chooses_a_layer_belongs_to_its_kind_of_file(tmp_path):
    np.savez(tmp_path / "net.npz", **to_pytorch(tagger()))
    with pytest.raises(
        ValueError, match="net.npz: node is 0; the file holds no graph; prefix chooses among its layers"
    ):
        read_weights(tmp_path / "net.npz", node=0)
    with pytest.raises(ValueError, match="net.onnx: prefix is 'a.'; the file holds a graph, whose layers node chooses"):
        read_weights(tmp_path / "net.onnx", prefix="a.")
    with pytest.raises(
        ValueError, match="prefix is 'lstm.', which chooses a recurrent layer alone, and that makes no ta"
    ):
        read_weights(tmp_path / "net.npz", "tagger", prefix="lstm.")
    with pytest.raises(ValueError, match="net.npz: state lacks 'rnn.weight_ih_l0'"):
        read_weights(tmp_path / "net.npz", prefix="rnn.")


@pytest.mark.skipif(".onnx" not in FORMATS, reason="onnx is not installed (extra onnx)")
def test_what_a_runtime_leaves_out_is_a_sentence_on_standard_error(tmp_path, capsys):
    write_weights(tmp_path / "l.npz", nb.LSTM(3, 4, peepholes=True, rng=0))
    code, out, err = convert(capsys, tmp_path / "l.npz", tmp_path / "l.onnx")
    assert code == 0
    assert err == "npbilstm: OpenVINO leaves the peepholes of an LSTM out, and gives other numbers\n"
    assert out.endswith(f"Wrote {tmp_path / 'l.onnx'}.\n")


def test_a_training_run_becomes_a_model_alone(tmp_path, capsys):
    nb.save_checkpoint(tmp_path / "run.npz", nb.Trainer(tagger(), nb.Adam(0.1), nb.Settings()))
    assert convert(capsys, tmp_path / "run.npz", tmp_path / "model.npz")[0] == 0
    with pytest.raises(ValueError, match="holds a model alone, not a training run"):
        nb.load_trainer(tmp_path / "model.npz")
    assert_same_model(tagger(), nb.load_model(tmp_path / "model.npz")[0])


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder, which is the working folder, with files of many kinds."""
    monkeypatch.chdir(tmp_path)
    nb.save_model("model.npz", tagger())
    np.savez("state.npz", **to_pytorch(tagger()))
    np.savez("layer.npz", **to_pytorch(nb.LSTM(3, 4, rng=0)))
    write_weights("peephole.npz", nb.LSTM(3, 4, peepholes=True, rng=0))
    broken = to_pytorch(nb.LSTM(3, 4, rng=0))
    np.savez("nan.npz", **{**broken, "bias_ih_l0": np.full(16, np.nan, np.float32)})
    np.savez("small.npz", **{name: w.astype(np.int8) for name, w in broken.items()})
    np.savez("other.npz", a=np.zeros(3))
    np.savez("object.npz", a=np.array([{}]))
    text = json.dumps({"class": "SequenceTagger", "options": {"shoe": 43}, "about": {}})
    np.savez("liar.npz", npbilstm=np.frombuffer(text.encode(), np.uint8), **to_pytorch(tagger()))
    text = json.dumps({"class": "SequenceTagger", "options": {"dropout": "much"}, "about": {}})
    np.savez("much.npz", npbilstm=np.frombuffer(text.encode(), np.uint8), **to_pytorch(tagger()))
    text = json.dumps({"class": "SequenceClassifier", "options": {"pooling": "max"}, "about": {}})
    np.savez("big.npz", npbilstm=np.frombuffer(text.encode(), np.uint8), **to_pytorch(tagger()))
    np.savez("mute.npz", npbilstm=np.frombuffer(b"\xff{", np.uint8), **to_pytorch(tagger()))
    for name in ("empty.npz", "empty.safetensors", "empty.onnx"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "state.npz").read_bytes()[:300])
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "folder.npz").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("absent.npz out.npz", "absent.npz: No such file or directory"),
        ("folder.npz out.npz", "folder.npz: Is a directory"),
        ("net.pt out.npz", "net.pt: No such file or directory"),
        ("model out.npz", "model has no suffix; it needs to end in .npz or .safetensors or .onnx"),
        ("model.npz out.h5", "out.h5 ends in '.h5'; it needs to end in .npz or .safetensors or .onnx"),
        ("model.npz model.npz", "DESTINATION is model.npz, which this command reads; choose another name"),
        ("model.npz state.npz", "state.npz exists; choose another DESTINATION, or allow it with --overwrite"),
        ("model.npz no/out.npz", "no: DESTINATION needs a folder that exists"),
        ("empty.npz out.npz", "empty.npz is no .npz archive"),
        ("text.npz out.npz", "text.npz is no .npz archive"),
        ("cut.npz out.npz", "cut.npz is damaged or cut short"),
        ("object.npz out.npz", "object.npz is damaged or cut short: Object arrays cannot be loaded"),
        ("other.npz out.npz", "other.npz: it holds no recurrent layer under a known name: weight_ih_l0 and so on"),
        ("nan.npz out.npz", "nan.npz: params['0.forward.b'] holds NaN or infinity; it needs finite numbers"),
        ("small.npz out.npz", "small.npz: state['weight_ih_l0'] has dtype int8; it needs float32 or float64, float16"),
        ("layer.npz out.npz --model tagger", "layer.npz: it holds a recurrent layer alone, which makes no "),
        ("layer.npz out.npz --nonlinearity relu", "layer.npz: nonlinearity is given, which RNN alone has"),
        ("layer.npz out.npz --pooling max", "layer.npz: pooling is given, which SequenceClassifier alone"),
        ("state.npz out.npz --model tagger --pooling max", "state.npz: pooling is given, which "),
        ("model.npz out.npz --model classifier", "model.npz is a model file, which says itself what it holds; leave"),
        ("model.npz out.npz --nonlinearity relu", "model.npz is a model file, which says itself what it holds; leave"),
        ("liar.npz out.npz", "liar.npz: its description makes no sense"),
        ("much.npz out.npz", "much.npz: dropout is 'much'; it needs a number from 0"),
        ("big.npz out.npz --pooling mean", "big.npz: pooling is given as 'mean'; the file has 'max'"),
        ("mute.npz out.npz", "mute.npz: its description cannot be read"),
        ("liar.npz out.npz --model classifier", "liar.npz: its description makes no sense"),
        ("peephole.npz out.safetensors", "peepholes is True; PyTorch's LSTM has peepholes=False alone"),
    ],
)
def test_what_cannot_be_converted_is_a_sentence_and_writes_nothing(files, capsys, arguments, sentence):
    if "out.safetensors" in arguments and ".safetensors" not in FORMATS:
        pytest.skip("safetensors is not installed (extra safetensors)")
    before = set(os.listdir())
    code, out, err = convert(capsys, *arguments.split())
    assert code == 2
    assert out == ""
    assert err.startswith(f"npbilstm: {sentence}"), err
    assert err.count("\n") == 1
    assert set(os.listdir()) == before


@pytest.mark.parametrize(("suffix", "extra"), [(".safetensors", "safetensors"), (".onnx", "onnx")])
def test_a_missing_extra_is_named(files, capsys, monkeypatch, suffix, extra):
    monkeypatch.setitem(sys.modules, extra, None)
    for arguments in [("model.npz", f"out{suffix}"), (f"empty{suffix}", "out.npz")]:
        code, _, err = convert(capsys, *arguments)
        assert code == 2
        assert f"files need the package {extra}: pip install 'npbilstm[{extra}]'" in err


@pytest.mark.parametrize("suffix", [s for s in FORMATS if s != ".npz"])
def test_bytes_of_no_such_file_are_a_sentence(files, capsys, suffix):
    for content in (b"", b"hello", b"\x00" * 100, b"\xff" * 100, b"PK\x03\x04"):
        (files / f"file{suffix}").write_bytes(content)
        code, _, err = convert(capsys, f"file{suffix}", "out.npz")
        assert code == 2
        assert f"file{suffix}" in err
        assert err.count("\n") == 1


@pytest.fixture(scope="module")
def raw(folder):
    """A small file of each format."""
    contents = {}
    for suffix in FORMATS:
        for kind, layer in [("model", tagger(num_layers=2)), ("layer", nb.GRU(2, 3, rng=0))]:
            write_weights(folder / f"raw{suffix}", layer, ABOUT)
            contents[kind, suffix] = (folder / f"raw{suffix}").read_bytes()
    return contents


@pytest.mark.parametrize("kind", ["model", "layer"])
@pytest.mark.parametrize("suffix", FORMATS)
@given(st.data())
def test_a_damaged_file_is_a_sentence_or_still_a_layer(raw, folder, suffix, kind, data):
    """Bytes changed, or the end cut off: never an error of another kind."""
    content = bytearray(raw[kind, suffix])
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    for _ in range(data.draw(st.integers(0, 3))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = folder / f"damaged{suffix}"
    path.write_bytes(content)
    try:
        layer, _ = read_weights(path)
    except ValueError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)
    else:
        assert all(np.isfinite(p).all() for p in layer.params.values())

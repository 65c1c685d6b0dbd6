"""`npbilstm inspect` of weights: one layer of a file, on numbers from another file or on drawn ones."""

import json
import re

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.cli import main
from npbilstm.commands.inspect_weights import OF_THE_SUM
from npbilstm.interop import to_pytorch, write_weights

X = np.random.default_rng(0).standard_normal((2, 6, 3))


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """inspect(*arguments) -> (exit code, standard output, standard error), in a folder with weights and numbers."""
    gru = to_pytorch(nb.GRU(3, 2, rng=0))
    lstm = {f"encoder.{name}": w for name, w in to_pytorch(nb.BiLSTM(3, 4, rng=0)).items()}
    np.savez(tmp_path / "gru.npz", **gru)
    np.savez(tmp_path / "net.npz", **lstm, **{"fc.weight": np.zeros((2, 8), np.float32)})
    np.savez(tmp_path / "two.npz", **lstm, **{f"decoder.{name}": w for name, w in gru.items()})
    write_weights(tmp_path / "pair.npz", nb.BiLSTM(3, 2, merge=None, rng=0))
    np.savez(tmp_path / "rnn.npz", **to_pytorch(nb.RNN(3, 2, rng=0)))
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "row.npy", X[0])
    np.save(tmp_path / "wide.npy", np.zeros((4, 5)))
    monkeypatch.chdir(tmp_path)

    def inspect(*arguments):
        code = main(["inspect", *arguments])
        return code, *capsys.readouterr()

    return inspect


def page(path="p.html"):
    with open(path, encoding="utf-8") as file:
        return json.loads(re.search(r'id="trace">(.*?)</script>', file.read(), re.DOTALL)[1])


def test_weights_open_on_a_drawn_input_which_is_said(run):
    code, out, err = run("net.npz", "--unit", "1")
    assert code == 0
    assert out.startswith("net.npz: LSTM(3, 4, 1, bidirectional=True)\n\nLSTM, layer 0, unit 1\n\nforward, reads")
    assert err == (
        "What stands beside this layer is not read: fc.\n"
        "Nobody gave an input, so it is drawn: 12 steps of standard normal numbers, seed 0.\n"
    )
    assert "npbilstm" not in err
    assert "The weights do not tell the RNN's nonlinearity; tanh is taken.\n" in run("rnn.npz")[2]
    assert "taken" not in run("rnn.npz", "--nonlinearity", "relu")[2]


def test_the_page_says_whose_weights_and_numbers_it_shows_and_has_no_labels(run):
    assert run("gru.npz", "x.npy", "--line", "2", "--steps", "4", "--out", "p.html")[0] == 0
    shown = page()
    assert shown["title"] == "GRU(3, 2, 1)"
    assert shown["notes"] == [
        "weights from gru.npz, on numbers from x.npy",
        "left out of x.npy: 1 other series and 2 steps after",
        OF_THE_SUM,
    ]
    assert (shown["steps"], shown["gradients"], shown["classes"], shown["predicted"]) == (4, True, None, None)
    assert run("pair.npz", "--out", "pair.html")[0] == 0
    assert "drawn" in page("pair.html")["notes"][1]


def test_of_a_drawn_input_too_a_part_may_be_chosen(run):
    assert run("gru.npz", "--line", "5", "--steps", "2", "--out", "drawn.html")[0] == 0
    shown = page("drawn.html")
    assert shown["steps"] == 2
    assert "left out of the drawn input: 4 steps before and 6 steps after" in shown["notes"]


def test_a_units_equations_and_gradients_are_those_of_the_sum_of_the_outputs(run):
    layer = nb.read_weights("gru.npz")[0]
    code, out, err = run("gru.npz", "row.npy", "--unit", "1", "--step", "3", "--line", "2")
    expected = nb.trace(layer, X[:1, 1:], upstream=np.ones((1, 5, 2), np.float32))
    assert code == 0
    assert str(expected.explain(step=3, unit=1)).split("\n", 1)[1] in out
    assert err == f"Left out of row.npy: 1 step before.\n{OF_THE_SUM.capitalize()}.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            "two.npz",
            "two.npz: it holds 2 recurrent layers, under the prefixes 'encoder.' (LSTM(3, 4, 1, bidirectional=True))",
        ),
        ("two.npz --prefix lstm.", "two.npz: state lacks 'lstm.weight_ih_l0'"),
        ("gru.npz wide.npy", "wide.npy: x has 5 features at its last axis; this layer was made with input_size=3"),
        ("gru.npz --text abc", "gru.npz holds weights, which read numbers, and --text is given; they need a FILE"),
        ("gru.npz gru.csv", "gru.csv: No such file"),
        ("gru.npz x.npy --line 3", "x.npy has 2 series; --line is 3"),
        ("gru.npz row.npy --line 7", "row.npy has 6 steps; --line is 7"),
        ("gru.npz --line 13", "the drawn input has 12 steps; --line is 13"),
        ("gru.npz --steps 3 --step 3", "--step is 3; what is read has 3 steps, 0 to 2"),
        ("gru.npz --unit 2", "--unit is 2; the layer has 2 units, 0 to 1"),
        ("gru.npz --layer 1", "--layer is 1"),
        ("gru.npz row.npy --step 6", "--step is 6; what is read has 6 steps, 0 to 5"),
        ("net.pt", "net.pt: No such file or directory"),
        ("net.pkl", "net.pkl ends in '.pkl'; it needs to end in .npz"),
        ("net.keras", "net.keras ends in '.keras'"),
        ("gru.npz --node 0", "gru.npz: node is '0'; the file holds no graph"),
    ],
)
def test_what_cannot_be_looked_into_is_a_sentence_and_leaves_no_page(run, arguments, sentence, tmp_path):
    code, out, err = run(*arguments.split(), "--out", "p.html")
    assert (code, out) == (2, "")
    assert err.startswith(f"npbilstm: {sentence}")
    assert err.count("\n") == 1
    assert not (tmp_path / "p.html").exists()


def test_options_of_weights_are_refused_of_a_model_file(run):
    nb.save_model("model.npz", nb.SequenceTagger(9, 2, embedding_size=3, hidden_size=2, rng=0))
    code, _, err = run("model.npz", "--text", "a", "--prefix", "lstm.")
    assert (code, err) == (2, "npbilstm: --prefix is given, which is for weights; model.npz is a model file\n")

"""npbilstm demo --classic."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.cli import main
from npbilstm.commands.classic import LAYERS, TASKS, Learner, fading


@pytest.mark.parametrize("name", TASKS)
def test_the_gradients_of_a_learner_are_those_of_its_loss(name):
    learner = Learner(TASKS[name]._replace(hidden_size=2), LAYERS["GRU"], seed=0)
    for part in ("layer", "linear"):
        layer = getattr(learner, part)
        setattr(learner, part, layer.with_params({key: p.astype(float) for key, p in layer.params.items()}))
    rng = np.random.default_rng(0)
    small = {"adding": {"T": 22}, "temporal-order": {"T": 10}, "parity": {"T": 5}}.get(name, {})
    draw = {"adding": nb.datasets.adding, "temporal-order": nb.datasets.temporal_order}.get(
        name, nb.datasets.parity if name == "parity" else nb.datasets.embedded_reber
    )
    batch = draw(rng, 2, **small)
    params = {"layer." + key: p for key, p in learner.layer.params.items()}

    def loss(params):
        other = learner.layer.with_params({key[6:]: p for key, p in params.items()})
        y, h, _ = other.forward(batch.x, batch.lengths)
        outputs, _ = learner.linear.forward(y if learner.task.at_every_step else h[-1])
        return learner.task.forward(outputs, batch.targets, *([batch.lengths] if learner.task.at_every_step else []))[0]

    _, grads = learner.gradients(batch)
    own = {key: dp for key, dp in grads.items() if key in params}
    assert nb.check_gradients(loss, params, own).ok


def test_an_open_forget_gate_lets_more_of_the_gradient_through():
    left = {
        name: fading(Learner(TASKS["temporal-order"], LAYERS[name], seed=0))
        for name in ("LSTM, forget bias 0", "LSTM, forget bias 5")
    }
    assert [curve[0] for curve in left.values()] == [1, 1]
    assert left["LSTM, forget bias 5"][50] > 1e-2 > 1e-5 > left["LSTM, forget bias 0"][50]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--classic", "copying"], "--classic is 'copying'; it needs one of adding, "),
        (["--classic", "--sequences", "10"], "--sequences is 10; it needs to be at least 2000"),
        (["--sequences", "5000"], "--sequences goes with --classic"),
        (["--plot", "a.png"], "--plot goes with --classic"),
        (["--classic", "--plot", "fading.gif"], "it needs a name that ends in .png or .svg or .pdf"),
        (["--classic", "--plot", "nowhere/fading.png"], "there is no folder"),
    ],
)
def test_what_it_cannot_do_it_says_before_all_the_work(arguments, sentence, capsys):
    try:
        code = main(["demo", *arguments])
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.slow
def test_parity_is_solved_by_all_and_the_picture_is_drawn(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    assert main(["demo", "--quiet", "--classic", "parity", "--plot", str(tmp_path / "fading.svg")]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in LAYERS)
    assert "not solved" not in out
    assert b"</svg>" in (tmp_path / "fading.svg").read_bytes()

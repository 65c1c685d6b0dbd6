"""What a model asks of its head: with one that has a parameter of its own and one prediction per row."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.models import classes_head, heads
from tests.cases import assert_close

OPTIONS = {"embedding_size": 3, "hidden_size": 4, "dtype": np.float64, "rng": 0}
ROWS = [(np.array([1, 2, 3, 4]), np.array([0, 1, 2, 0])), (np.array([5]), np.array([2])), (np.array([3, 3]), [1, 1])]


class Scaled(classes_head.ClassesHead):
    """The scores times a learned number each; one score more than classes; the likeliest class of each row's first."""

    def __init__(self, num_classes, per_step, dtype=np.float32, rng=None):
        super().__init__(num_classes, per_step)
        self.params = {"scale": np.full(self.num_scores, 2.0, dtype)}

    @property
    def num_scores(self):
        return self.size + 1

    @property
    def param_shapes(self):
        return {"scale": (self.num_scores,)}

    def loss_forward(self, scores, targets, lengths=None):
        loss, cache = super().loss_forward(scores * self.params["scale"], targets, lengths)
        return loss, (scores, self.params["scale"].copy(), cache)

    def loss_backward(self, dloss, cache):
        scores, scale, inner = cache
        dz, _ = super().loss_backward(dloss, inner)
        return dz * scale, {"scale": (dz * scores).sum(axis=(0, 1))}


@pytest.fixture
def scaled(monkeypatch):
    monkeypatch.setitem(heads.HEADS, "scaled", Scaled)
    return nb.SequenceTagger(7, 3, head="scaled", **OPTIONS)


def test_the_loss_of_a_model_is_its_heads_and_its_gradient_has_the_names_of_all_params(scaled):
    batch = scaled.collate(ROWS)
    loss, cache = scaled.loss_forward(*batch, training=True)
    scores, _ = scaled.forward(batch[0], batch[2])
    assert loss == scaled.head.loss_forward(scores, batch[1], batch[2])[0]
    report = nb.check_gradients(
        lambda params: scaled.with_params(params).loss_forward(*batch, training=True)[0],
        dict(scaled.params),
        scaled.loss_backward(1.0, cache),
    )
    assert report.ok
    assert "head.scale" in scaled.params


def test_the_trainer_changes_what_a_head_has_and_a_file_keeps_it(scaled, tmp_path):
    trainer = nb.Trainer(scaled, nb.Adam(0.05), nb.Settings(epochs=30))
    history = trainer.train(ROWS, ROWS, show=False)
    assert history[-1]["loss"] < history[0]["loss"] / 2
    assert (scaled.params["head.scale"] != 2).all()
    nb.save_checkpoint(tmp_path / "run.npz", trainer)
    model, _ = nb.load_model(tmp_path / "run.npz")
    assert_close(model.params["head.scale"], trainer.best_params["head.scale"])
    assert model.config == scaled.config
    assert model.linear.output_size == 4


def test_a_model_without_a_head_of_that_name_names_those_there_are():
    with pytest.raises(ValueError, match="head is 'softmax'; it needs one of 'classes'"):
        nb.SequenceTagger(7, 3, head="softmax")


def test_the_head_of_classes_is_not_told_of_in_config_so_that_files_stay_what_they_were():
    assert "head" not in nb.SequenceTagger(7, 3, **OPTIONS).config

"""Runs of a model of any head, whole or in two parts."""

import npbilstm as nb


def trained(model, rows, path=None, stop_after=None):
    """A run on rows; with stop_after stopped behind so many batches, and taken up again from its file."""
    trainer = nb.Trainer(model, nb.Adam(0.1), nb.Settings(epochs=15, batch_size=2))
    if path is not None:
        calls = []
        trainer.train(
            rows,
            rows,
            save=lambda: nb.save_checkpoint(path, trainer),
            should_stop=lambda: calls.append(0) or len(calls) > stop_after,
            show=False,
        )
        trainer, _ = nb.load_trainer(path)
        assert not trainer.finished
    trainer.train(rows, rows, show=False)
    return trainer

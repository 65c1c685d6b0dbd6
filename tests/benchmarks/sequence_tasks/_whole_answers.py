"""What the tasks of dates, digits and sums share: a Seq2Seq trained once, and how many of its answers are right."""

import numpy as np

import npbilstm as nb
from npbilstm.datasets.string_pairs import generated
from npbilstm.training import predict_sequences


def share_right(task, seed, attention, *, hidden_size, epochs, pairs=10_000, batch_size=32, rate=0.01, above=0):
    """Of 1,000 answers that nobody trained on, those of more than `above` symbols, the share that is wholly right."""
    data = generated(task, pairs, seed)
    sizes = {"num_symbols": len(data.sources), "num_targets": len(data.targets), "hidden_size": hidden_size}
    model = nb.Seq2Seq(**sizes, attention=attention, rng=seed)
    settings = nb.Settings(epochs=epochs, batch_size=batch_size, seed=seed)
    nb.Trainer(model, nb.Adam(rate), settings).train(data.train, show=False)
    some = [(ids, target) for ids, target in data.test if len(target) > above]
    answers = predict_sequences(model, [ids for ids, _ in some])
    return float(np.mean([np.array_equal(answer, target) for answer, (_, target) in zip(answers, some)]))

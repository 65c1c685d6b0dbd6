"""Morse sent by hand, read by a bidirectional LSTM with CTC: words that it has never seen, nobody says which runs are
which letter."""

import npbilstm as nb
from npbilstm.training.evaluation import predict_sequences
from npbilstm.training.metrics import label_error_rate

TARGET = "character errors at most 6 % in some 2 minutes, for each of three seeds"


def run(seed):
    """The errors of the best path and of the beam search (on a tenth), as shares of all characters."""
    data = nb.datasets.morse(seed=seed)
    model = nb.SequenceTagger(input_size=2, num_classes=28, hidden_size=48, head="ctc", rng=seed)
    nb.Trainer(model, nb.Adam(0.01), nb.Settings(epochs=10, seed=seed)).train(data.train, data.valid, show=False)
    true = [labels for _, labels in data.test]
    greedy = predict_sequences(model, [x for x, _ in data.test])
    some = data.test[: len(data.test) // 10]
    x, _, lengths = model.collate(some)
    labels, counts, _ = nb.ctc_beam(model.forward(x, lengths)[0], lengths, width=4)
    beam = [row[:count] for row, count in zip(labels, counts)]
    return {
        "character errors": label_error_rate(true, greedy),
        "of a tenth": label_error_rate(true[: len(some)], greedy[: len(some)]),
        "with a beam of 4": label_error_rate(true[: len(some)], beam),
    }


def holds(results):
    return all(result["character errors"] <= 0.06 for result in results)

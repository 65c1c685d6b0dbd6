"""What WordTagger is for, on data that is not in this repository; see tests/benchmarks/sequence_tasks/danish.py."""

import os
from pathlib import Path

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.training import accuracy, count

FOLDER = os.environ.get("UD_DANISH")


@pytest.mark.slow
@pytest.mark.skipif(FOLDER is None, reason="UD_DANISH names no folder of UD Danish-DDT")
def test_after_two_epochs_nine_of_ten_words_are_right_and_more_than_without_characters():
    train, dev = Path(FOLDER, "train.conllu"), Path(FOLDER, "dev.conllu")
    right = {}
    for spelled in (True, False):
        data = nb.tagged_text(train, dev, dev, spelled=spelled)
        if spelled:
            counts = np.bincount(np.concatenate([words[:, 0] for words, _ in data.train]))
            sizes = len(data.vocabulary), len(data.characters), len(data.classes)
            model = nb.WordTagger(*sizes, word_counts=counts.tolist(), dropout=0.3, rng=0)
        else:
            sizes = len(data.vocabulary), len(data.classes)
            model = nb.SequenceTagger(*sizes, embedding_size=64, hidden_size=100, dropout=0.3, rng=0)
        nb.Trainer(model, nb.Adam(0.002), nb.Settings(epochs=2, batch_size=16)).train(data.train, show=False)
        right[spelled] = accuracy(count(model, data.test))
    assert right[True] > 0.9
    assert right[True] > right[False] + 0.04

"""The good files that the fuzzer begins with, and those that stand beside each file that is tried."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

import npbilstm as nb
from npbilstm.commands.data import TEXT as TEXT_KIND
from npbilstm.commands.data import about_data
from npbilstm.datasets.python_source import CHARACTERS, CLASSES
from npbilstm.interop import export_onnx, to_pytorch, write_weights
from npbilstm.layers import Layer
from tests.fuzz.cases import PACKAGES

SENTENCES = [[("the", "DET"), (noun, "NOUN"), ("runs", "VERB")] for noun in ("cat", "dog", "cow") * 4]
COLUMNS = "# doc\n" + "\n".join("".join(f"{word}\t{tag}\n" for word, tag in words) for words in SENTENCES)
SPACED = COLUMNS.replace("\t", " ")
FOUR = "-DOCSTART- -X- -X- O\n\n" + "\n".join("".join(f"{w} x y {tag}\n" for w, tag in words) for words in SENTENCES)
CONLLU = "".join(
    f"# text = {n}\n1-2\tthecat"
    + "\t_" * 8
    + "\n"
    + "".join(f"{k}\t{word}\t_\t{tag}\tX\t_\t0\t_\t_\t_\n" for k, (word, tag) in enumerate(words, 1))
    + "\n"
    for n, words in enumerate(SENTENCES)
)
SOURCE = """import os


class A(list):
    '''One
    two'''

    def f(self, x=1.5):  # why
        return g(x) + f'{x!r} {len(self)}'
"""
TEXT = "The cat runs over it, doesn't it?\nOslo, 12 May.\n\nEnde gut – alles gut\n"
CHECK = """import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def lstm_step_forward(x, h_prev, c_prev, params):
    Wx, Wh, b = params
    a = x @ Wx + h_prev @ Wh + b
    i, f, g, o = np.split(a, 4, axis=1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c = f * c_prev + i * g
    h = o * np.tanh(c)
    return h, c, None
"""

CODE_SAID = {"data": {"kind": "python source", "window": 16}, "symbols": None, "classes": CLASSES}


def words_data(folder: Path) -> tuple[nb.TaggedData, dict[str, Any]]:
    """The data of a model of words, and what its file says of it: that it stands in words.txt."""
    (folder / "words.txt").write_text(COLUMNS)
    description = {"kind": TEXT_KIND, "train": "words.txt", "valid": None, "test": None, "seed": 0}
    data = nb.tagged_text(folder / "words.txt")
    return data, about_data(data, description).to_json()


def words_model() -> nb.SequenceTagger:
    """A small tagger of that data's words."""
    return nb.SequenceTagger(6, 3, embedding_size=3, hidden_size=4, rng=0)


def write_companions(folder: Path) -> None:
    """What commands need beside the file that is tried: models, a text, and good files for a folder of source."""
    _, said = words_data(folder)
    nb.save_model(folder / "words.npz", words_model(), said)
    code = nb.SequenceTagger(len(CHARACTERS), len(CLASSES), embedding_size=3, hidden_size=3, rng=0)
    nb.save_model(folder / "code.npz", code, CODE_SAID)
    (folder / "text.txt").write_text("the cat runs\n")
    (folder / "folder").mkdir()
    for n in range(3):
        (folder / "folder" / f"m{n}.py").write_text(f"x{n} = f(1)\n" * 40)


def good_files(folder: Path) -> dict[str, list[bytes]]:
    """Some good files of each kind, as far as the packages that they need are there; folder is for making them."""
    texts = {
        "columns": [COLUMNS, SPACED, FOUR],
        "conllu": [CONLLU],
        "source": [SOURCE],
        "text": [TEXT, FOUR, CONLLU],
        "check": [CHECK],
    }
    found = {kind: [text.encode() for text in several] for kind, several in texts.items()}
    data, said = words_data(folder)
    trainer = nb.Trainer(words_model(), nb.Adam(0.01), nb.Settings(epochs=2))
    trainer.train(data.train, data.valid, should_stop=lambda: trainer.position.epoch == 1, show=False)
    nb.save_checkpoint(folder / "run.npz", trainer, said)
    nb.save_model(folder / "words.npz", words_model(), said)
    found["model"] = [(folder / "run.npz").read_bytes(), (folder / "words.npz").read_bytes()]
    layers: list[Layer] = [nb.BiLSTM(3, 2, rng=0), nb.GRU(3, 2, 2, rng=0), words_model()]
    found["weights"] = [npz(to_pytorch(layer)) for layer in layers] + [written(layers[1], folder / "gru.npz")]
    if installed("safetensors"):
        found["safetensors"] = [written(layer, folder / "l.safetensors") for layer in layers]
    if installed("onnx"):
        for n, layer in enumerate(layers):
            export_onnx(layer, folder / f"{n}.onnx")
        found["onnx"] = [(folder / f"{n}.onnx").read_bytes() for n in range(len(layers))]
    return found


def installed(kind: str) -> bool:
    """Whether what reads files of a kind is there."""
    try:
        __import__(PACKAGES.get(kind, "numpy"))
    except ImportError:
        return False
    return True


def npz(arrays: dict[str, np.ndarray]) -> bytes:
    """Arrays as a .npz archive."""
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def written(layer: Layer, path: Path) -> bytes:
    """The bytes of a layer's file."""
    write_weights(path, layer)
    return path.read_bytes()

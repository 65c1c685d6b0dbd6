"""The good files that the fuzzer begins with, and those that stand beside each file that is tried."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

import npbilstm as nb
from npbilstm.commands.data import TEXT as TEXT_KIND
from npbilstm.commands.data import about_data
from npbilstm.commands.tasks.language import encoded, fingerprint
from npbilstm.datasets.python_source import CHARACTERS, CLASSES
from npbilstm.interop import export_onnx, to_pytorch, write_weights
from npbilstm.layers import Layer
from tests.fuzz.cases import PACKAGES
from tests.interop.torch_files import saved

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

VECTORS = "4 3\nthe 0.5 -1 2.25\ncat 1 2 3e-1\ndog -0.1 .5 7\nover 0 0 0\n"
TABLE = "a,b\n1.5,-2\n0,3e-1\n.25,7\n"
LETTERS = {f"folder/m{n}.py": f"x{n} = f(1)\n" * 40 for n in range(3)}
CODE_SAID = {"data": {"kind": "python source", "window": 16}, "symbols": None, "classes": CLASSES}


def words_data(folder: Path, **spelled: Any) -> tuple[nb.TaggedData, dict[str, Any]]:
    """The data of a model of words, and what its file says of it: that it stands in words.txt."""
    (folder / "words.txt").write_text(COLUMNS)
    description = {"kind": TEXT_KIND, "train": "words.txt", "valid": None, "test": None, "seed": 0, **spelled}
    data = nb.tagged_text(folder / "words.txt", **spelled)
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
    (folder / "lstm.npz").write_bytes(npz(to_pytorch(nb.LSTM(2, 2, rng=0))))
    (folder / "text.txt").write_text("the cat runs\n")
    (folder / "folder").mkdir()
    for path, text in LETTERS.items():
        (folder / path).write_text(text)


def language_run(folder: Path) -> bytes:
    """A run of a language model on those good files, stopped within its epoch."""
    (folder / "folder").mkdir(exist_ok=True)
    for path, text in LETTERS.items():
        (folder / path).write_text(text)
    data = nb.plain_text([folder / path for path in LETTERS])
    model = nb.LanguageModel(len(data.vocabulary), embedding_size=3, hidden_size=3, window=16, rng=0)
    trainer = nb.Trainer(model, nb.Adam(0.01), nb.Settings(epochs=2, batch_size=4))
    trainer.train(encoded(model, data, data.train), should_stop=lambda: True, show=False)
    described = {"kind": "language", "files": [*LETTERS], "characters": None, "fingerprint": fingerprint(data)}
    nb.save_checkpoint(folder / "run.npz", trainer, {"data": described, "symbols": data.vocabulary.symbols[1:]})
    return (folder / "run.npz").read_bytes()


def spelled_run(folder: Path) -> bytes:
    """A run of a tagger of words and their characters, stopped within its epoch, when rows of its table are late."""
    data, said = words_data(folder, spelled=True)
    sizes = len(data.vocabulary), len(said["characters"]) + 1, len(data.classes)
    small: Any = {"embedding_size": 3, "character_embedding_size": 2, "character_hidden_size": 2, "hidden_size": 3}
    model = nb.WordTagger(*sizes, **small, word_counts=[0] + [4] * (sizes[0] - 1), head="crf", rng=0)
    trainer = nb.Trainer(model, nb.Adam(0.01), nb.Settings(epochs=2, batch_size=4))
    trainer.train(data.train, should_stop=lambda: trainer.position.batch == 2, show=False)
    nb.save_checkpoint(folder / "run.npz", trainer, said)
    return (folder / "run.npz").read_bytes()


def good_files(folder: Path) -> dict[str, list[bytes]]:
    """Some good files of each kind, as far as the packages that they need are there; folder is for making them."""
    texts = {
        "columns": [COLUMNS, SPACED, FOUR],
        "conllu": [CONLLU],
        "source": [SOURCE],
        "text": [TEXT, FOUR, CONLLU],
        "check": [CHECK],
        "table": [TABLE, "series,class," + TABLE.replace("\n", "\nx,u,")[: -len("x,u,")]],
        "vectors": [VECTORS, VECTORS.partition("\n")[2]],
    }
    found = {kind: [text.encode() for text in several] for kind, several in texts.items()}
    data, said = words_data(folder)
    trainer = nb.Trainer(words_model(), nb.Adam(0.01), nb.Settings(epochs=2))
    trainer.train(data.train, data.valid, should_stop=lambda: trainer.position.epoch == 1, show=False)
    nb.save_checkpoint(folder / "run.npz", trainer, said)
    nb.save_model(folder / "words.npz", words_model(), said)
    found["model"] = [(folder / "run.npz").read_bytes(), (folder / "words.npz").read_bytes()]
    found["language"] = [language_run(folder)]
    found["spelled"] = [spelled_run(folder)]
    np.save(folder / "x.npy", np.arange(12.0).reshape(2, 3, 2))
    np.save(folder / "row.npy", np.arange(6, dtype=np.float32).reshape(3, 2))
    found["numbers"] = [(folder / name).read_bytes() for name in ("x.npy", "row.npy")]
    layers: list[Layer] = [nb.BiLSTM(3, 2, rng=0), nb.GRU(3, 2, 2, rng=0), words_model()]
    found["weights"] = [npz(to_pytorch(layer)) for layer in layers] + [written(layers[1], folder / "gru.npz")]
    found["torch"] = [saved(to_pytorch(layer)) for layer in layers]
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

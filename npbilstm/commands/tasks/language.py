"""A language model: text files, or the standard library's source, character by character; and how many bits a character
takes with it, beside what compressors need."""

from __future__ import annotations

import hashlib
import lzma
import zlib
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from npbilstm.commands.data import read_again
from npbilstm.commands.tasks.run import Run, optimizer_of, require_memory, settings_of
from npbilstm.datasets import PlainText, plain_text
from npbilstm.models import LanguageModel
from npbilstm.models.hollow import count_of_numbers, hollow_language_model
from npbilstm.training import Trainer, symbol_costs

LANGUAGE = "language"
KINDS = (LANGUAGE,)
DEFAULTS = {"hidden_size": 128, "window": 64, "epochs": None, "characters": None}
UNUSED = frozenset({"spans", "vectors", "attention", "pairs", "head", "valid", "test", "columns", "one_direction"})
CHARACTERS = 10_000_000
"""Of the standard library, where nothing is said."""
READ, MOST_EPOCHS = 10_000_000, 10
"""Where no epochs are said, so many characters are read in all, the same ones so many times at most."""
PIECE = 10_000
"""Where a text is measured, the model begins anew after so many characters: so texts are read side by side."""
UNKNOWN_BITS = 21
"""What a character that is not in the vocabulary costs more than the symbol for all of them: its number in Unicode."""
PRIMED = 20_000_000
"""Above so many characters of the training part no compressor reads it: that takes too long."""
SHOWN, SAMPLE = 40, 300
"""How many characters of the test part are shown, and how many that the model writes after them."""


def start(options: Any) -> Run:
    """A new run from the command line's options. Raises ValueError or OSError for those that cannot be."""
    usual = options.epochs is None
    settings = settings_of(Namespace(**{**vars(options), "epochs": 1 if usual else options.epochs}))
    optimizer = optimizer_of(options)
    if options.files and options.characters is not None:
        raise ValueError("--characters is for the standard library's source; of files all is taken")
    for path in options.files:
        if not (path and Path(path).exists()):
            raise FileNotFoundError(2, "there is no such file or folder", path)
    files = [str(Path(path).absolute()) for path in options.files]
    characters = CHARACTERS if options.characters is None else options.characters
    description: dict[str, Any] = {"kind": LANGUAGE, "files": files or None, "characters": characters}
    data = load(description)
    arguments = {
        "num_symbols": len(data.vocabulary),
        "cell": options.cell,
        "embedding_size": options.embedding_size,
        "hidden_size": options.hidden_size,
        "num_layers": options.layers,
        "dropout": options.dropout,
        "window": options.window,
    }
    require_memory(count_of_numbers(hollow_language_model(LanguageModel, **arguments)))
    if usual:
        epochs = READ // max(sum(map(len, data.train)), 1)
        settings = replace(settings, epochs=min(max(epochs, 1), MOST_EPOCHS))
    model = LanguageModel(**arguments, rng=options.seed)
    return run_of(Trainer(model, optimizer, settings), data, {**description, "fingerprint": fingerprint(data)})


def load(description: dict[str, Any]) -> PlainText:
    """The data that was described. Raises OSError or ValueError, as plain_text does."""
    return plain_text(description["files"], description["characters"])


def resume(path: Path, said: dict[str, Any], trainer: Trainer[Any], options: Any) -> Run:
    """The run in a file. Raises ValueError where its data cannot be read, or is not what it was."""
    described, model = said["data"], trainer.model
    data = read_again(path, described, lambda: load(described), fingerprint, lambda data: data.name)
    if not isinstance(model, LanguageModel) or model.boundary != len(data.vocabulary):
        raise ValueError(f"{path} is damaged: its model is none for its data")
    return run_of(trainer, data, described)


def fingerprint(data: PlainText) -> str:
    """A hash of all texts: another fingerprint, another run."""
    digest = hashlib.sha256()
    for part in (data.train, data.valid, data.test):
        for text in part:
            raw = text.encode("utf-8", "surrogatepass")
            digest.update(len(raw).to_bytes(8, "little") + raw)
    return digest.hexdigest()


def run_of(trainer: Trainer[Any], data: PlainText, description: dict[str, Any]) -> Run:
    """Its run."""
    model, characters = trainer.model, sum(map(len, data.train))
    unknown = data.unknown_in(data.train)
    rare = f"{unknown:,} of {characters:,} characters to train on are too rare for the vocabulary: read as unknown"
    symbols = data.vocabulary.symbols[1:]
    return Run(
        trainer,
        encoded(model, data, data.train),
        encoded(model, data, pieces(data.valid)),
        {"data": description, "symbols": symbols},
        f"{data.name}: {characters:,} characters to train on, {sum(map(len, data.test)):,} to test on, "
        f"{len(symbols):,} different ones",
        lambda: report(model, data),
        "npbilstm sample {path} --prompt " + ("'def '" if description["files"] is None else "'The '"),
        (rare,) if unknown else (),
    )


def pieces(texts: list[str]) -> list[str]:
    """Texts, the long ones cut."""
    return [text[start : start + PIECE] for text in texts for start in range(0, len(text), PIECE)]


def encoded(model: LanguageModel, data: PlainText, texts: list[str]) -> list[tuple[np.ndarray, np.ndarray]]:
    """What the model reads and puts out of each text."""
    return [model.shifted(data.vocabulary.encode(text)) for text in texts]


def report(model: LanguageModel, data: PlainText) -> list[str]:
    """The bits that a character of the test part takes, with the model and with compressors; and a sample."""
    unknown, count = data.unknown_in(data.test), sum(map(len, data.test))
    bits = {"this model": bits_by_model(model, data), **bits_by_compressors(data)}
    lines = [f"bits a character of the test part: {count:,} characters, of which {unknown:,} are unknown"]
    lines += [f"{name:44}{bits_each:8.3f}" for name, bits_each in bits.items()]
    lines += [
        f"Of the model: what its probabilities cost, {UNKNOWN_BITS} bits more for an unknown character; it begins anew "
        f"every {PIECE:,} characters.",
        f"It has read the training part before, and its {model.num_parameters:,} weights are not counted.",
        "Of the compressors: 8 bits for each byte that they make of the same characters in UTF-8, all as one text "
        "unless said: zlib at level 9, lzma at preset 9.",
        "",
    ]
    shown, symbols = data.test[0][:SHOWN], data.vocabulary.symbols
    prompt = data.vocabulary.encode(shown)
    written = model.sample(SAMPLE, prompt=prompt, temperature=0.7, without=[0], rng=0)
    return [
        *lines,
        f"The test part begins {shown!r}. So the model goes on (temperature 0.7):",
        "",
        *(shown + "".join(symbols[symbol] for symbol in written)).split("\n"),
    ]


def bits_by_model(model: LanguageModel, data: PlainText) -> float:
    """Bits a character of the test part, what an unknown one is included."""
    costs = symbol_costs(model, encoded(model, data, pieces(data.test)))
    bits = sum(float(row.sum(dtype=np.float64)) for row in costs) + UNKNOWN_BITS * data.unknown_in(data.test)
    return bits / sum(map(len, data.test))


def bits_by_compressors(data: PlainText) -> dict[str, float]:
    """Bits a character of the test part, by zlib and lzma: of all its texts as one; of each by itself, as the model
    begins anew with each; and by lzma that has read the training part, as the model has: by how much its result grows
    where the test part follows."""
    read, test = as_one(data.train), as_one(data.test)
    sizes = {"zlib": zlib_size(test), "lzma": lzma_size(test)}
    if len(data.test) > 1:
        for name, size_of in [("zlib", zlib_size), ("lzma", lzma_size)]:
            sizes[f"{name}, each text by itself"] = sum(size_of(as_one([text])) for text in data.test)
    if len(read) <= PRIMED:
        sizes["lzma, the training part read before"] = lzma_size(read + test) - lzma_size(read)
    return {name: 8 * size / sum(map(len, data.test)) for name, size in sizes.items()}


def as_one(texts: list[str]) -> bytes:
    """Texts one after the other, in UTF-8."""
    return "".join(texts).encode("utf-8", "surrogatepass")


def zlib_size(raw: bytes) -> int:
    """Bytes, at level 9."""
    return len(zlib.compress(raw, 9))


def lzma_size(raw: bytes) -> int:
    """Bytes, at preset 9. What it may look back is all there is: more takes memory alone."""
    looked_back = min(max(len(raw), 4096), 64 * 2**20)
    return len(lzma.compress(raw, filters=[{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": looked_back}]))

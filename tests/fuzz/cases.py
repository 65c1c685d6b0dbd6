"""A case of the fuzzer: a file that a command is given, and the commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SUFFIXES = {
    "model": ".npz",
    "language": ".npz",
    "spelled": ".npz",
    "vectors": ".txt",
    "weights": ".npz",
    "safetensors": ".safetensors",
    "onnx": ".onnx",
    "torch": ".pt",
    "numbers": ".npy",
    "table": ".csv",
    "columns": ".txt",
    "conllu": ".conllu",
    "source": ".py",
    "text": ".txt",
    "check": ".py",
}
"""The kinds of files that a command reads, and how their names end."""

SPELLED = "train words.txt --characters-of-words --out new.npz --quiet --epochs 1 --hidden-size 3 --vectors {file}"
LETTERS = "train {file} --task language --out new.npz --quiet --epochs 1 --embedding-size 3 --hidden-size 3"
COMMANDS = {
    "model": [
        "tag {file} text.txt",
        "train --resume {file} --quiet",
        "inspect {file} --text the",
        "convert {file} new.npz",
    ],
    "language": [
        "sample {file} --length 20",
        "train --resume {file} --quiet",
        "tag {file} text.txt",
    ],
    "spelled": [
        "tag {file} text.txt",
        "train --resume {file} --quiet",
        "inspect {file} --text the",
        "convert {file} new.npz",
    ],
    "vectors": [SPELLED],
    "weights": ["convert {file} new.npz", "convert {file} new.npz --model tagger", "inspect {file}"],
    "safetensors": ["convert {file} new.npz", "convert {file} new.npz --model classifier", "inspect {file}"],
    "onnx": ["convert {file} new.npz", "inspect {file}"],
    "torch": ["inspect {file}", "convert {file} new.npz"],
    "numbers": ["inspect lstm.npz {file}"],
    "table": ["inspect lstm.npz {file}"],
    "columns": [
        "train {file} --out new.npz --quiet --epochs 1 --embedding-size 3 --hidden-size 3",
        "tag words.npz {file} --columns",
        "inspect words.npz {file}",
        "train words.txt --valid {file} --out new.npz --quiet --epochs 1 --embedding-size 3 --hidden-size 3",
    ],
    "conllu": [
        "tag words.npz {file} --columns",
        "train {file} --out new.npz --quiet --epochs 1 --embedding-size 3 --hidden-size 3",
        "tag words.npz {file} --columns FORM,XPOS",
    ],
    "source": [
        "tag code.npz {file}",
        "inspect code.npz {file}",
        "train {folder} --out new.npz --quiet --epochs 1 --embedding-size 3 --hidden-size 3 --characters 1000",
    ],
    "text": ["tag words.npz {file}", "tag code.npz {file} --columns", "inspect words.npz {file}", LETTERS],
    "check": ["check {file} --seconds 2"],
}
"""What is done with a file of each kind. {folder} holds it beside a few good ones."""

PACKAGES = {"safetensors": "safetensors", "onnx": "onnx"}
"""What reads the kinds that need more than NumPy."""


class Case(NamedTuple):
    """A file of one kind, and what it is. make writes it, where its bytes alone are not what it is."""

    name: str
    kind: str
    content: bytes = b""
    make: Callable[[Path], None] | None = None
    commands: tuple[str, ...] = ()

    @property
    def tried(self) -> tuple[str, ...]:
        """The commands that are given the file."""
        return self.commands or tuple(COMMANDS[self.kind])

    def write(self, path: Path) -> None:
        """Make the file."""
        if self.make is not None:
            self.make(path)
        else:
            path.write_bytes(self.content)

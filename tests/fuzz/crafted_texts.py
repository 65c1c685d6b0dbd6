"""Texts made to be difficult: tagged ones in columns, Python source, plain text, and files that are no files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.fuzz.bases import CHECK, COLUMNS, CONLLU, FOUR, SOURCE
from tests.fuzz.cases import COMMANDS, Case

TWO = "Oslo\tB-LOC\nsleeps\tO\n\n" * 6
ROW = "\t_\t{}\t_\t_\t_\t_\t_\t_\n"

COLUMN_TEXTS: dict[str, str | bytes] = {
    "a comment without a tab among tabs": "# doc-7\n" + TWO,
    "a comment of two words among blanks": ("# doc-7\n" + TWO).replace("\t", " "),
    "a comment of four words among four columns": "# sent_id = 1\n" + FOUR,
    "a document's first line": "-DOCSTART-\tO\n\n" + TWO,
    "nothing but documents' first lines": "-DOCSTART-\tO\n\n" * 9,
    "four columns": FOUR,
    "three columns with tabs": "a\tb\tC\n" * 9,
    "one column": "a\nb\n\nc\n",
    "one word": "word",
    "columns that say nothing": "\t\n\t\n",
    "a word U+3000": TWO + "\u3000\tO\n\n",
    "a word of a no-break space": TWO + "\xa0\tO\n\n",
    "a tag U+3000": TWO + "a\t\u3000\n\n",
    "a word U+2028": TWO + "\u2028\tO\n\n",
    "a byte order mark": "\ufeff" + TWO,
    "two byte order marks": "\ufeff\ufeff" + TWO,
    "line ends of DOS": TWO.replace("\n", "\r\n"),
    "line ends of old Macs": TWO.replace("\n", "\r"),
    "no line end at the end": TWO.rstrip("\n"),
    "tabs at the ends of lines": TWO.replace("\n", "\t\n"),
    "blanks on the empty lines": TWO.replace("\n\n", "\n \t\n"),
    "tags that are all _": "dogs\t_\nbark\t_\n\n" * 6,
    "tags that are all -": "dogs\t-\nbark\t-\n\n" * 6,
    "two swapped columns": "".join(f"NOUN\tword{k}\n\n" for k in range(30_000)),
    "a tag for every word": "".join(f"word{k}\ttag{k}\n\n" for k in range(3000)),
    "tags of another set": TWO.replace("B-LOC", "LOCATION"),
    "one sentence": "a\tB\n" * 100,
    "one sentence of many words": "a\tB\nc\tD\n" * 100_000,
    "columns of the lists": "a,B\nc,D\n\n" * 9,
    "words with slashes": "the/DET cat/NOUN\n" * 9,
    "an empty word": TWO + "\tO\n",
    "an empty tag": TWO + "a\t\n",
    "null bytes": TWO.replace("sleeps", "sl\0eeps"),
    "UTF-16": TWO.encode("utf-16"),
    "UTF-16 without a mark": TWO.encode("utf-16-le"),
    "UTF-32": TWO.encode("utf-32"),
    "Latin-1": (TWO + "caf\xe9\tO\n").encode("latin-1"),
    "half a character": TWO.encode() + b"\xc3",
    "a lone surrogate": TWO.encode() + b"\xed\xa0\x80\tO\n",
    "a line of 11 MB": "a" * 11_000_000 + "\tO\n\n" + TWO,
    "a line of 11 MB of words": "a O " * 2_750_000,
    "many empty lines": "\n" * 3_000_000 + TWO,
    "many columns": "\t".join("x" * 20 for _ in range(100_000)) + "\n",
    "many columns of nothing": "\t" * 100_000 + "\n",
    "control characters": TWO + "\x1b]0;owned\x07\tO\n\u202e\t\u202e\n",
    "words of hashes": "# SYM\n## SYM\n#a X\n\n" * 9,
    "hashes alone": "#\n#\n#\n",
    "combining marks": ("a" + "\u0301" * 10_000 + "\tO\n\n") * 3 + TWO,
    "the unknown word's own name": "<unknown>\tX\n\n" * 30,
    "CoNLL-U Plus": "# global.columns = ID FORM UPOS\n" + "1\ta\tDET\n\n" * 9,
    "CoNLL-U Plus without a tag": "# global.columns = ID FORM\n" + "1\ta\n\n" * 9,
    "CoNLL-U Plus of other columns than it says": "# global.columns = ID FORM UPOS X Y\n" + "1\ta\tDET\n\n" * 9,
    "CoNLL-U Plus of nothing": "# global.columns = \n1\ta\tDET\n",
    "columns of CoNLL-2012": "#begin document (a); part 0\na 0 0 It PRP (S* - (V*\n\na 0 1 is VBZ *) -\n",
    "lines of unequally many tabs": "a\tB\na\tB\tC\na\na\t\t\tB\n" * 5,
    "nothing": "",
    "blanks": " \n\t\n\n",
    "a model's file": b"PK\x03\x04" + b"\x00" * 100,
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(1, 256)) * 4,
}

CONLLU_TEXTS: dict[str, str] = {
    "ranges and empty nodes": CONLLU,
    "no tags": CONLLU.replace("DET", "_").replace("NOUN", "_").replace("VERB", "_"),
    "tags of another set": CONLLU.replace("NOUN", "NN"),
    "nothing but ranges": ("1-2\ta" + "\t_" * 8 + "\n\n") * 9,
    "numbers of other digits": "\u00b2\ta" + ROW.format("X") + "\u0661\tb" + ROW.format("Y"),
    "numbers of many digits": "9" * 10_000 + "\ta" + ROW.format("X"),
    "a first column of words": "a\tb" + ROW.format("X") * 3,
    "blanks for tabs": CONLLU.replace("\t", " "),
    "eleven columns": CONLLU.replace("\n", "\tX\n"),
    "nine columns": CONLLU.replace("\t_\n", "\n"),
    "an empty form": ("1\t" + ROW.format("X")) * 3,
    "a form of blanks": ("1\t  " + ROW.format("X")) * 3,
    "a form that is a document's first line": "1\t-DOCSTART-" + ROW.format("X") + "\n" + CONLLU,
    "comments alone": "# text = a\n\n" * 9,
    "a comment with tabs": "# text = a\tb\tc\n" + CONLLU,
    "no empty line": CONLLU.replace("\n\n", "\n"),
    "a last column that is empty": CONLLU.replace("\t_\n", "\t\n"),
    "a tag of blanks": ("1\ta" + ROW.format("  ")) * 3,
}

SOURCES: dict[str, str | bytes] = {
    "brackets nested 100,000 deep": "(" * 100_000,
    "lists nested 5,000 deep": "x = " + "[" * 5000 + "]" * 5000 + "\n",
    "a chain of 20,000 sums": "x = " + "1 + " * 20_000 + "1\n",
    "blocks nested 200 deep": "".join(" " * k + "if x:\n" for k in range(200)) + " " * 200 + "y\n",
    "f-strings nested 60 deep": "x = " + "f'{" * 60 + "1" + "}'" * 60 + "\n",
    "a string without an end": SOURCE + "x = '''" + "a\n" * 1000,
    "a string of 3 MB": "x = '''" + "a\n" * 1_500_000 + "'''\n" + SOURCE,
    "a line of 2 MB": "x = [" + "1, " * 700_000 + "]\n",
    "a number of 100,000 digits": "x = " + "9" * 100_000 + "\n",
    "a name of 500,000 letters": "a" * 500_000 + " = 1\n",
    "2 MB of code": SOURCE * 12_000,
    "null bytes": SOURCE + "x = 1\0\n",
    "a cookie of Latin-1": b"# coding: latin-1\n" + SOURCE.encode() + b"# caf\xe9\n",
    "a cookie of nothing known": "# coding: absent\n" + SOURCE,
    "a cookie of hex": b"# coding: hex\n00",
    "a cookie of zip": b"# coding: zip\nx\x9c",
    "a cookie of punycode": b"# coding: punycode\n" + b"-" * 100_000 + b"\xff",
    "a cookie of UTF-16": "# coding: utf-16\n" + SOURCE,
    "a cookie of undefined": "# coding: undefined\n" + SOURCE,
    "a cookie of unicode_escape": "# coding: unicode_escape\nx = '\\N{absent}'\n",
    "a cookie against a byte order mark": b"\xef\xbb\xbf# coding: latin-1\nx = 1\n",
    "Latin-1 without a cookie": SOURCE.encode() + b"# caf\xe9\n",
    "UTF-16": SOURCE.encode("utf-16"),
    "form feeds": SOURCE.replace("\n", "\n\x0c"),
    "a backslash at the end": SOURCE + "x = 1 + \\",
    "tabs and blanks mixed": "if x:\n\ta\n        b\n",
    "wrong indentation": "if x:\n    a\n  b\n",
    "line ends of all kinds": SOURCE.replace("\n", "\r\n") + "y = 1\rz = 2\u2028\x85",
    "numbers run into words": "x = 1if y else 0x1for z\n",
    "odd escapes": "x = '\\d\\w'\n",
    "letters of other scripts": "søk = 'ø'\nпривет = называть(søk)\n𝐱 = 1\n",
    "characters that are none of Python's": "x = $y ? `z`\n",
    "nothing": "",
    "one line end": "\n",
    "200,000 line ends": "\n" * 200_000,
    "a line of 2 MB of a string": "x = '" + "a" * 2_000_000 + "'\n",
}

TEXTS: dict[str, str | bytes] = {
    "two words per line": "the cat\nthe dog\n",
    "one word per line": "the\ncat\n\nruns\n",
    "a heading": "# Title\n",
    "U+3000 alone": "\u3000\n\u3000",
    "no-break spaces alone": "\xa0\n",
    "lines that begin with tabs": "\tthe cat\n\tthe dog runs\n",
    "control characters": "the \x1b]0;owned\x07 cat\u202e \x9b31m\n",
    "a line of 2 MB of words": "the cat " * 250_000,
    "a word of 1 MB": "a" * 1_000_000,
    "emoji": "👩‍👩‍👧‍👦 " * 1000,
    "line ends of Unicode's": "the\u2028cat\u2029runs\x85\x0b\x0c\n",
    "numbered lines of ten words": "1 the cat runs over it and it is gone\n" * 5,
    "_ alone": "_ _\n_ _\n",
    "a table with tabs": "name\tage\tplace\nAda\t36\tOslo\n",
}

CHECKS: dict[str, str | bytes] = {
    "nothing": "",
    "null bytes": "x = 1\0",
    "brackets nested 100,000 deep": "(" * 100_000,
    "a sum nested 3,000 deep": "x = " + "-" * 3000 + "1\n",
    "no function": "x = 1\n",
    "a loop without an end": CHECK + "\nwhile True:\n    pass\n",
    "Latin-1": CHECK.encode() + b"# caf\xe9\n",
    "exit": "raise SystemExit(0)\n" + CHECK,
}


def device(target: str) -> Callable[[Path], None]:
    """A link to a device, or to whatever stands there."""
    return lambda path: path.symlink_to(target)


def hole(megabytes: int) -> Callable[[Path], None]:
    """A file of so many megabytes, all zeros, none of which is on the disk."""

    def make(path: Path) -> None:
        with open(path, "wb") as file:
            file.truncate(megabytes * 2**20)

    return make


NO_FILES: dict[str, Callable[[Path], None]] = {
    "a folder": lambda path: path.mkdir(),
    "a pipe that nobody writes to": lambda path: os.mkfifo(path),
    "a link to nothing": device("absent"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to /dev/zero": device("/dev/zero"),
    "a link to /dev/null": device("/dev/null"),
    "a link to /dev/urandom": device("/dev/urandom"),
    "a hole of 200 MB": hole(200),
    "a hole of 4 GB": hole(4096),
}

READERS = {
    "columns": ("train {file} --out new.npz --quiet --epochs 1", "tag words.npz {file}", "inspect words.npz {file}"),
    "source": ("tag code.npz {file}",),
    "model": ("tag {file} text.txt", "train --resume {file}", "inspect {file} --text the", "convert {file} new.npz"),
    "check": ("check {file}",),
}
"""What reads a file of each kind, where it may be none."""


def made(kind: str, texts: dict[str, str] | dict[str, str | bytes]) -> list[Case]:
    """A case of each text."""
    as_bytes = {name: text.encode() if isinstance(text, str) else text for name, text in texts.items()}
    return [Case(f"{kind}: {name}", kind, content) for name, content in as_bytes.items()]


CASES = [
    *made("columns", COLUMN_TEXTS),
    *made("conllu", CONLLU_TEXTS),
    *made("source", SOURCES),
    *made("text", TEXTS),
    *made("check", CHECKS),
    *[
        Case(f"{kind}: {name}", kind, make=make, commands=commands)
        for kind, commands in READERS.items()
        for name, make in NO_FILES.items()
    ],
    Case(
        "columns: four of which two are said",
        "columns",
        FOUR.encode(),
        commands=("tag words.npz {file} --columns 1,4",),
    ),
    Case("columns: that are not there", "columns", COLUMNS.encode(), commands=("tag words.npz {file} --columns 1,9",)),
    Case("text: a line of 20 MB", "text", b"the " * 5_000_000, commands=("tag words.npz {file}",)),
    Case("source: 20 MB beside good files", "source", SOURCE.encode() * 100_000, commands=(COMMANDS["source"][2],)),
]

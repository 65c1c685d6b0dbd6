import os
import sys
import sysconfig
import tokenize
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.datasets import label_characters
from npbilstm.datasets.python_source import (
    CHARACTERS,
    CLASSES,
    LONGEST,
    READ,
    decode_source,
    folder_files,
    library_files,
    read_source,
    source_files,
    windows,
)


def labelled(source):
    """(class, text) for each run of one class, `other` left out."""
    found, labels = [], label_characters(source)
    for character, k in zip(source, labels):
        name = CLASSES[k]
        if found and found[-1][0] == name:
            found[-1][1] += character
        else:
            found.append([name, character])
    return [(name, text) for name, text in found if name != "other"]


def test_every_kind_of_character_gets_its_class():
    source = "class A(B):\n    def f(self, x=1.5):  # why\n        return g(x) + 'ab'\n"
    assert labelled(source) == [
        ("keyword", "class"),
        ("definition name", "A"),
        ("operator", "("),
        ("other name", "B"),
        ("operator", "):"),
        ("keyword", "def"),
        ("definition name", "f"),
        ("operator", "("),
        ("other name", "self"),
        ("operator", ","),
        ("other name", "x"),
        ("operator", "="),
        ("number", "1.5"),
        ("operator", "):"),
        ("comment", "# why"),
        ("keyword", "return"),
        ("called name", "g"),
        ("operator", "("),
        ("other name", "x"),
        ("operator", ")"),
        ("operator", "+"),
        ("string", "'ab'"),
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("print (1)", ("called name", "print")),
        ("x = not (a)", ("keyword", "not")),
        ("match(x)", ("called name", "match")),
        ('x = f"a{b(1)!r}c{{"', ("string", 'f"a{b(1)!r}c{{"')),
        ('x = f"{f"{1}"}"' if sys.version_info >= (3, 12) else "x = f'{1}'", ("string", None)),
        ('"""two\nlines"""', ("string", '"""two\nlines"""')),
        ("ø = 1", ("other name", "ø")),
        ("a\\\n  (b)", ("called name", "a")),
    ],
)
def test_the_odd_cases(source, expected):
    name, text = expected
    found = dict(labelled(source))
    assert name in found
    assert text is None or found[name] == text


def test_there_is_a_label_for_every_character_of_every_kind_of_line_end():
    for source in ["", "x", "x\n", "\n\n", "x = 1\n\n\n# end", "\tif x:\n\t\ty()\n".lstrip("\t"), "a\x0cb\n"]:
        assert label_characters(source).shape == (len(source),)


@pytest.mark.parametrize("source", ["x = (", "'open\n", '"""open', "if x:\n  a\n b\n", "x = [1,\n"])
def test_what_does_not_tokenise_is_an_error(source):
    with pytest.raises((SyntaxError, tokenize.TokenError)):
        label_characters(source)


@pytest.mark.slow
def test_the_data_is_deterministic_and_no_file_is_in_two_parts():
    one, two = nb.python_source(30_000), nb.python_source(30_000)
    for part in ("train", "valid", "test"):
        for a, b in zip(getattr(one, part), getattr(two, part)):
            assert np.array_equal(a.ids, b.ids)
            assert np.array_equal(a.labels, b.labels)
    files = source_files(30_000)
    paths = [file.path for members in files.values() for file in members]
    assert len(paths) == len(set(paths))


def test_the_parts_have_their_shares_and_windows_their_size():
    data = nb.python_source(100_000, window=64)
    sizes = {part: sum(len(ids) for ids, _ in getattr(data, part)) for part in ("train", "valid", "test")}
    assert sizes["train"] >= 80_000
    assert min(sizes["valid"], sizes["test"]) >= 10_000
    assert sum(sizes.values()) <= 100_000 + 3 * LONGEST
    assert {len(ids) for ids, _ in data.train} <= set(range(1, 65))
    assert sum(len(ids) == 64 for ids, _ in data.train) > 0.9 * len(data.train)
    assert data.classes == CLASSES
    present = np.unique(np.concatenate([labels for _, labels in data.train]))
    assert present.tolist() == list(range(len(CLASSES)))


def test_windows_put_together_are_the_files():
    files = source_files(20_000)["valid"]
    cut = windows(files, 50)
    assert np.array_equal(np.concatenate([w.ids for w in cut]), CHARACTERS.encode("".join(f.text for f in files)))
    assert np.array_equal(np.concatenate([w.labels for w in cut]), np.concatenate([f.labels for f in files]))


def test_the_library_is_there_without_its_tests():
    files = library_files()
    assert len(files) > 100
    assert not any({"test", "tests", "site-packages"} & set(path.parts[-3:-1]) for path in files)


def test_a_folder_of_ones_own_is_read_and_what_is_not_python_is_skipped(tmp_path):
    for n in range(6):
        (tmp_path / f"m{n}.py").write_text(f"def f{n}(x):\n    return x + {n}\n" * 20)
    (tmp_path / "broken.py").write_text("def (\n'")
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "empty.py").write_text("")
    parts = source_files(1000, tmp_path)
    names = {file.path.name for members in parts.values() for file in members}
    assert all(parts.values())
    assert names <= {f"m{n}.py" for n in range(6)}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"characters": 10}, "characters is 10; it needs to be at least 1000"),
        ({"characters": 5000, "window": 1}, "window is 1; it needs to be at least 2"),
        ({"folder": "."}, "there is no .py file in this folder or below it"),
    ],
)
def test_arguments_that_give_no_data_are_named(arguments, sentence, tmp_path):
    if "folder" in arguments:
        arguments["folder"] = tmp_path
    with pytest.raises(ValueError, match=sentence):
        nb.python_source(**arguments)


def test_a_file_that_nothing_can_read_is_skipped(tmp_path):
    for n in range(6):
        (tmp_path / f"m{n}.py").write_text(f"x{n} = 1\n" * 60)
    (tmp_path / "hex.py").write_bytes(b"# coding: hex\n00")
    (tmp_path / "lost.py").symlink_to(tmp_path / "absent.py")
    if os.name == "posix":
        (tmp_path / os.fsdecode(b"bad\xff.py")).write_bytes(b"x = 1\n")
    assert all(source_files(1000, tmp_path).values())


LINE = "value = call(name, 'text')  # why\n"


def test_of_a_long_file_no_more_is_read_than_is_used_and_the_labels_are_those_of_the_whole(tmp_path, monkeypatch):
    text = LINE * 2000 + '"""' + LINE * 8000 + '"""\n'
    (tmp_path / "long.py").write_text(text)
    reads = []
    generate = tokenize.generate_tokens

    def counting(readline):
        return generate(lambda: reads.append(1) or readline())

    monkeypatch.setattr(tokenize, "generate_tokens", counting)
    file = read_source(tmp_path / "long.py")
    assert len(reads) < 1000
    assert file.text == text[:LONGEST]
    assert np.array_equal(file.labels, label_characters(text)[:LONGEST])


def test_a_string_that_goes_on_behind_what_is_read_is_left_out_with_its_lines(tmp_path):
    for string in ('"""' + "a\n" * READ, "'" + "a" * READ):
        (tmp_path / "long.py").write_text(LINE * 3 + f"x = {string}")
        file = read_source(tmp_path / "long.py")
        assert file.text == LINE * 3
        assert np.array_equal(file.labels, label_characters(LINE * 3))
        (tmp_path / "long.py").write_text(f"x = {string}")
        assert read_source(tmp_path / "long.py") is None


def test_a_long_file_that_is_not_python_is_skipped(tmp_path):
    (tmp_path / "long.py").write_text("if x:\n    a\n  b\n" + LINE * 8000)
    assert read_source(tmp_path / "long.py") is None


def test_files_that_cannot_be_opened_are_left_out_and_named(tmp_path, monkeypatch):
    for n in range(9):
        (tmp_path / f"m{n}.py").write_text(f"x{n} = 1\n" * 60)
    real = open

    def forbidding(path, *arguments, **options):
        if Path(path).name in ("m1.py", "m2.py", "m3.py", "m4.py"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr("builtins.open", forbidding)
    (note,) = nb.python_source(10_000, folder=tmp_path).notes
    assert note.startswith("Left out, since it could not be opened: ")
    assert note.count("Permission denied") == 3
    assert note.endswith(" and 1 more.")
    for n in (5, 6, 7):
        (tmp_path / f"m{n}.py").unlink()
    with pytest.raises(
        ValueError, match="each part needs one. Left out, since it could not be opened: .*m[1-4].py: Per"
    ):
        nb.python_source(1000, folder=tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="links and pipes of POSIX")
def test_links_in_a_circle_pipes_and_devices_are_no_files_of_a_folder(tmp_path):
    for n in range(4):
        (tmp_path / f"m{n}.py").write_text(f"x{n} = 1\n" * 60)
    (tmp_path / "below").symlink_to(tmp_path)
    (tmp_path / "self.py").symlink_to(tmp_path / "self.py")
    (tmp_path / "zero.py").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.py")
    assert sorted(path.name for path in folder_files(tmp_path)) == ["m0.py", "m1.py", "m2.py", "m3.py"]


def test_folders_nested_too_deeply_for_python_get_a_sentence(tmp_path, monkeypatch):
    def walk(top, onerror):
        raise RecursionError("maximum recursion depth exceeded")

    monkeypatch.setattr(os, "walk", walk)
    with pytest.raises(ValueError, match="its folders are nested too deeply"):
        folder_files(tmp_path)


@pytest.mark.parametrize(
    "source",
    [
        b"(" * 100_000,
        b"[" * 3000 + b"]" * 3000,
        b"x = 1\0\n",
        b"# coding: punycode\n\xff",
        b"\xef\xbb\xbf# coding: latin-1\n",
    ],
)
def test_what_no_tokenizer_can_take_is_skipped(tmp_path, source):
    (tmp_path / "odd.py").write_bytes(source)
    file = read_source(tmp_path / "odd.py")
    assert file is None or file.text == source.decode()


def test_a_file_is_read_in_the_encoding_that_it_names(tmp_path):
    raw = "# coding: latin-1\nø = 1\n".encode("latin-1")
    (tmp_path / "a.py").write_bytes(raw)
    assert read_source(tmp_path / "a.py").text == decode_source(raw, "a.py") == "# coding: latin-1\nø = 1\n"
    assert decode_source("ø = 1\n".encode(), "a.py") == "ø = 1\n"
    for cookie in ("hex", "absent", "utf-8", "idna"):
        with pytest.raises(ValueError, match="a.py, line 2: this is not UTF-8 text"):
            decode_source(f"# coding: {cookie}\n".encode() + b"\xff", "a.py")


def test_two_files_are_too_few(tmp_path):
    for n in range(2):
        (tmp_path / f"m{n}.py").write_text("x = 1\n" * 100)
    with pytest.raises(ValueError, match="fewer than three files could be read as Python"):
        nb.python_source(1000, folder=tmp_path)


@pytest.mark.slow
@given(st.text(max_size=40))
def test_any_text_encodes_with_unknown_characters_as_0(text):
    ids = CHARACTERS.encode(text)
    assert ids.shape == (len(text),)
    assert all((k == 0) == (c not in CHARACTERS.number) for k, c in zip(ids, text))


def test_a_vocabulary_has_each_symbol_once():
    with pytest.raises(ValueError, match="a vocabulary needs each once"):
        nb.Vocabulary(["a", "b", "a"])


def test_where_the_library_is_in_no_folder_this_packages_source_is_data(monkeypatch, tmp_path):
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    data = nb.python_source(3000)
    assert data.notes == ("The standard library is in no folder here; this is npbilstm's own source instead.",)
    assert "textbook" in {path.parent.name for path in library_files()}

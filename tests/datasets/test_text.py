"""Files that are no text, or have no end, are left after as little as tells it."""

import io
import os

import pytest

from npbilstm.datasets import read_sentences, text


def test_bytes_of_a_byte_order_mark_and_of_any_line_ends_are_read(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffa\tB\r\nc\tD\re\tF".encode())
    assert text.read_text(tmp_path / "a.txt") == "a\tB\nc\tD\ne\tF"


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="this system has no /dev/zero")
def test_a_device_without_an_end_is_refused_at_its_beginning():
    with pytest.raises(ValueError, match="/dev/zero holds null bytes: it is binary data"):
        read_sentences("/dev/zero")


class Endless(io.RawIOBase):
    """Text without an end."""

    def read(self, size=-1):
        return b"word\ttag\n" * (size // 9)


def test_a_stream_without_an_end_is_refused_where_it_is_too_long(monkeypatch):
    monkeypatch.setattr(text, "MOST_MEGABYTES", 3)
    with pytest.raises(ValueError, match="it holds more than 3 MB, which is the most that is read"):
        text.read_stream(Endless(), "it")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    with open(tmp_path / "hole.txt", "wb") as file:
        file.truncate(300 * 2**20)
    with pytest.raises(ValueError, match="hole.txt holds more than 256 MB"):
        text.read_text(tmp_path / "hole.txt")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_read_where_somebody_writes_to_it_and_not_waited_for_where_nobody_does(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match="pipe is a pipe that nobody writes to; there is nothing to read"):
        text.read_text(pipe)
    reader, writer = os.pipe()
    os.write(writer, b"a\tB\n")
    os.close(writer)
    assert text.read_text(f"/dev/fd/{reader}") == "a\tB\n"  # as the shell's <(command) gives it
    os.close(reader)


class Broken(io.RawIOBase):
    """A file that cannot be read on."""

    def read(self, size=-1):
        raise OSError(5, "Input/output error")


def test_an_error_while_reading_names_the_file():
    with pytest.raises(OSError, match="Input/output error: 'a.txt'"):
        text.read_stream(Broken(), "a.txt")


def test_a_line_that_is_no_sentence_is_named(monkeypatch):
    monkeypatch.setattr(text, "MOST_CHARACTERS", 20)
    with pytest.raises(ValueError, match="a.txt, line 2: 21 characters; a line of words may have 20"):
        text.require_lines("a\n" + "b" * 21, "a.txt")

"""Good files, changed a little: their bytes, or what stands in them, packed again so that it is read further."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable

Change = Callable[[bytes, random.Random], bytes]
"""What makes other bytes of bytes."""

ODD_NUMBERS = [b"-1", b"0", b"1", b"2147483648", b"9223372036854775807", b"1" + b"0" * 400, b"1e999", b"NaN", b"1.5"]
ODD_TEXTS = [
    "\u3000",
    "\xa0",
    "\ufeff",
    "\u202e",
    "\x00",
    "\x1b[31m",
    "\r",
    "\t",
    "\n",
    "#",
    "_",
    "-DOCSTART-",
    "😀",
    "\\",
]


def mutated(content: bytes, kind: str, rng: random.Random) -> bytes:
    """The bytes of a file, changed in one to four places."""
    for _ in range(rng.randint(1, 4)):
        ways = WAYS[kind] if rng.random() < 0.7 else BYTES
        content = rng.choice(ways)(content, rng)
    return content


def a_span(content: bytes, rng: random.Random) -> slice:
    """A few bytes, of which the most are at the beginning or the end, where files say what they are."""
    length = min(2 ** rng.randint(0, 8), len(content))
    begin = rng.choice([rng.randint(0, len(content) - length), rng.randint(0, min(400, len(content) - length))])
    return slice(begin, begin + length)


def flipped(content: bytes, rng: random.Random) -> bytes:
    """One bit turned round."""
    if not content:
        return content
    at = a_span(content, rng).start
    at = min(at, len(content) - 1)
    return content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1 :]


def overwritten(content: bytes, rng: random.Random) -> bytes:
    """A few bytes replaced by others, or by all ones or zeros."""
    span = a_span(content, rng)
    size = span.stop - span.start
    other = rng.choice([rng.randbytes(size), b"\xff" * size, b"\0" * size])
    return content[: span.start] + other + content[span.stop :]


def left_out(content: bytes, rng: random.Random) -> bytes:
    """A few bytes fewer."""
    span = a_span(content, rng)
    return content[: span.start] + content[span.stop :]


def doubled(content: bytes, rng: random.Random) -> bytes:
    """A few bytes twice, or often."""
    span = a_span(content, rng)
    return content[: span.start] + content[span] * rng.choice([2, 2, 50]) + content[span.stop :]


def cut(content: bytes, rng: random.Random) -> bytes:
    """No more than the beginning."""
    return content[: rng.randint(0, len(content))]


def moved(content: bytes, rng: random.Random) -> bytes:
    """Bytes of one place at another."""
    span, at = a_span(content, rng), a_span(content, rng).start
    return content[:at] + content[span] + content[at:]


BYTES: list[Change] = [flipped, overwritten, left_out, doubled, cut, moved]


def members_changed(content: bytes, rng: random.Random) -> bytes:
    """A .npz archive with one member changed, doubled or left out, and the sums right."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
    except Exception:  # already changed into something else
        return flipped(content, rng)
    if not members:
        return content
    n = rng.randrange(len(members))
    name, data = members[n]
    described = [k for k, (each, _) in enumerate(members) if each.startswith("meta")]
    if described and rng.random() < 0.6:
        n = described[0]
        name, data = members[n]
        members[n] = (name, array_with(data, json_changed, rng))
    else:
        other = rng.choice([flipped, overwritten, cut, number_changed, header_changed])(data, rng)
        members[n : n + 1] = rng.choice([[(name, other)], [(name, other)], [], [(name[::-1], data)]])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for each, its in members:
            archive.writestr(zipfile.ZipInfo(each), its)
    return packed.getvalue()


def header_changed(data: bytes, rng: random.Random) -> bytes:
    """A .npy array that says another shape or dtype than it has."""
    changes = [
        (b"(", b"(0, "),
        (b"(", b"(100000000, "),
        (b"<f4", b"<f8"),
        (b"<f4", b"|O "),
        (b"False", b"True "),
        (b"(", b"(("),
    ]
    return data.replace(*rng.choice(changes), 1)


def array_with(data: bytes, change: Callable[[bytes, random.Random], bytes], rng: random.Random) -> bytes:
    """A .npy array of bytes whose content is changed, with a header that fits it."""
    start = data.index(b"\n") + 1
    content = change(data[start:], rng)
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({len(content)},), }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def json_changed(content: bytes, rng: random.Random) -> bytes:
    """JSON with one value replaced by an odd one, or left out."""
    try:
        said = json.loads(content)
    except ValueError:
        return number_changed(content, rng)
    places = list(containers(said))
    if not places:
        return content
    place = rng.choice(places)
    key = rng.choice(list(place)) if isinstance(place, dict) else rng.randrange(len(place))
    odd = [None, True, -1, 0, 1.5, 10**30, 3000, "", "x", [], {}, [[]], float("nan"), "\ud800", rng.choice(places)]
    if isinstance(place, dict) and rng.random() < 0.2:
        del place[key]
    else:
        place[key] = rng.choice(odd)
    try:
        return json.dumps(said).encode()
    except ValueError:  # it holds itself now
        return content


def containers(said: object) -> list:
    """All dicts and lists of a JSON value that hold something."""
    found, left = [], [said]
    while left:
        each = left.pop()
        if isinstance(each, dict | list) and each:
            found.append(each)
            left += each.values() if isinstance(each, dict) else each
    return found


def number_changed(content: bytes, rng: random.Random) -> bytes:
    """A number in the first part of the file replaced by an odd one."""
    digits = [k for k, c in enumerate(content[:5000]) if chr(c).isdigit()]
    if not digits:
        return overwritten(content, rng)
    at = rng.choice(digits)
    return content[:at] + rng.choice(ODD_NUMBERS) + content[at + 1 :]


def safetensors_changed(content: bytes, rng: random.Random) -> bytes:
    """A .safetensors file whose header is changed, and whose length says so."""
    size = int.from_bytes(content[:8], "little")
    if size > len(content):
        return flipped(content, rng)
    header = rng.choice([json_changed, json_changed, number_changed])(content[8 : 8 + size], rng)
    return struct.pack("<Q", len(header)) + header + content[8 + size :]


def torch_changed(content: bytes, rng: random.Random) -> bytes:
    """A file of torch.save whose pickle is changed, packed again so that it is read further."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            members = {name: packed.read(name) for name in packed.namelist()}
    except Exception:
        return flipped(content, rng)
    name = rng.choice(sorted(members)) if rng.random() < 0.2 else "net/data.pkl"
    if members.get(name):
        members[name] = rng.choice([flipped, flipped, overwritten])(members[name], rng)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for each, own in members.items():
            packed.writestr(zipfile.ZipInfo(each), own)
    return file.getvalue()


def text_changed(content: bytes, rng: random.Random) -> bytes:
    """Text with an odd character in it, or blanks for tabs."""
    at = a_span(content, rng).start
    ways = [
        content[:at] + rng.choice(ODD_TEXTS).encode() + content[at:],
        content.replace(b"\t", b" ", rng.randint(1, 9)),
        content.replace(b"\n", b"\r\n"),
        content.replace(b"\n\n", b"\n"),
        content.replace(b" ", b"\t", rng.randint(1, 9)),
        b"\xef\xbb\xbf" + content,
        content.rstrip(b"\n"),
    ]
    return rng.choice(ways)


def lines_changed(content: bytes, rng: random.Random) -> bytes:
    """Text with a line moved, doubled, left out or changed in its columns."""
    lines = content.split(b"\n")
    n = rng.randrange(len(lines))
    line = lines[n]
    odd = [
        b"# doc",
        b"",
        b"-DOCSTART- -X- O O",
        b"x" * 5000,
        line + b"\t",
        b"\t" + line,
        line + b"\tX",
        b"\t".join(line.split(b"\t")[::-1]),
    ]
    lines[n : n + 1] = rng.choice([[], [line, line], [rng.choice(odd)], [rng.choice(odd), line]])
    return b"\n".join(lines)


NPZ: list[Change] = [members_changed]
TEXT: list[Change] = [text_changed, lines_changed]
WAYS: dict[str, list[Change]] = {
    "model": NPZ,
    "language": NPZ,
    "spelled": NPZ,
    "vectors": TEXT,
    "weights": NPZ,
    "safetensors": [safetensors_changed],
    "onnx": [flipped, overwritten, number_changed],
    "torch": [torch_changed],
    "numbers": [flipped, overwritten, number_changed],
    "table": TEXT,
    "columns": TEXT,
    "conllu": TEXT,
    "source": TEXT,
    "text": TEXT,
    "check": TEXT,
}

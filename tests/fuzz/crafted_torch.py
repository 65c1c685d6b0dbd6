"""Files of torch.save, and of numbers for a layer to read, made to be difficult."""

from __future__ import annotations

import numpy as np

from tests.fuzz.bases import npz
from tests.fuzz.cases import Case
from tests.fuzz.crafted_weights import STATE, array_file, header
from tests.interop.torch_files import saved, state, table, tensor, torch_file


def torch_files() -> dict[str, bytes]:
    """Pickles that would run something, or make much of a few bytes, and archives around them."""
    twice = b"q\x00" + b"".join(b"(h%ch%ctq%c" % (k, k, k + 1) for k in range(60))
    good = saved(STATE)
    return {
        "as it should be": good,
        "a command": torch_file(b"cos\nsystem\n(X\x04\x00\x00\x00echotR", {}),
        "a command for a name": torch_file(b"}cos\nsystem\n(X\x04\x00\x00\x00echotRNs", {}),
        "tuples within tuples": torch_file(b"]" + twice, {}),
        "tuples within tuples for a name": torch_file(b"}]" + twice + b"Ns", {}),
        "tuples within tuples for a module": torch_file(b"]" + twice + b"h\x05\x93", {}),
        "marks alone": torch_file(b"(" * 10**6, {}),
        "a million lists": torch_file(b"](" * 10**6, {}),
        "a number of 250 bytes": torch_file(b"\x8a\xfa" + b"\x7f" * 250, {}),
        "a number of 5,000 digits": torch_file(b"L" + b"9" * 5000 + b"L\n", {}),
        "a place of 2^31 in the memo": torch_file(b"Nr\xff\xff\xff\x7f", {}),
        "a text longer than the file": torch_file(b"X\xff\xff\xff\x7fa", {}),
        "a shape of 10^18": torch_file(table({"weight_ih_l0": tensor(WIDE, "0", shape=(10**9, 10**9))}), {"w": WIDE}),
        "a stride of 0": torch_file(
            table({"weight_ih_l0": tensor(WIDE, "0", shape=(10**9, 10**9), strides=(0, 0))}), {"w": WIDE}
        ),
        "the other order of bytes": torch_file(state(STATE), STATE, byteorder=b"big"),
        "no storage": torch_file(state(STATE), {}),
        "an empty pickle": torch_file(b"", {}),
        "cut": good[:-40],
        "PK alone": b"PK\x03\x04",
        "a .npz archive": npz(STATE),
        "of an old PyTorch": b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.",
    }


WIDE = np.zeros((2, 2), np.float32)


def number_files() -> dict[str, bytes]:
    """Arrays that are said to be more than they are, or of something else."""
    said = {
        "a shape of 10^12": header("(1000000, 1000000)"),
        "a shape of (0, 10^8)": header("(0, 100000000)"),
        "no features": header("(100000000, 0)"),
        "a negative shape": header("(-8, 3)"),
        "objects": header("(8, 2)", "'|O'"),
        "text": header("(8, 2)", "'<U4'"),
        "long doubles": header("(3, 2)", "'<f16'"),
        "no bytes": header("(3, 2)", "'|V0'"),
        "booleans": header("(48, 2)", "'|b1'"),
        "a header nested 2,000 deep": b"(" * 2000 + b")" * 2000,
    }
    return {name: array_file(each, bytes(96)) for name, each in said.items()} | {
        "nothing": b"",
        "no data": array_file(header("(100000000, 0)")),
        "NaN": array_file(header("(3, 2)", "'<f8'"), b"\xff" * 48),
    }


CASES = [Case(f"torch: {name}", "torch", content) for name, content in torch_files().items()]
CASES += [Case(f"numbers: {name}", "numbers", content) for name, content in number_files().items()]

"""Files of torch.save are read without PyTorch, and nothing of them is run.

tests/oracles/test_opened_states.py has PyTorch itself write them.
"""

import re

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.interop import open_weights, read_weights, to_pytorch
from tests.interop import torch_files
from tests.interop.drawing import assert_same, with_random_weights
from tests.interop.torch_files import saved, table, tensor, text, torch_file

LAYER = with_random_weights(nb.LSTM(3, 4, 2, bidirectional=True, dtype=np.float64, rng=0), 0)
STATE = to_pytorch(LAYER)


@pytest.fixture
def write(tmp_path):
    def write(content, name="net.pt"):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


def test_a_state_dict_is_read_from_every_suffix_that_it_has(write):
    for name in ("net.pt", "net.pth", "net.bin", "net.CKPT"):
        assert_same(read_weights(write(saved(STATE), name))[0], LAYER)
    both = {**{f"encoder.{name}": w for name, w in STATE.items()}, "fc.weight": np.ones((2, 8), np.float32)}
    assert open_weights(write(saved(both)))[1] == {"left_out": ["fc"]}


def test_a_checkpoint_is_read_by_the_state_dict_that_stands_in_it(write):
    optimizer = b"cnumpy\nscalar\n(" + text("x") + b"tR"
    for name in ("state_dict", "model"):
        program = table({"epoch": torch_files.whole(3), "optimizer": optimizer, name: torch_files.state(STATE)})
        assert_same(read_weights(write(torch_file(program, STATE)))[0], LAYER)
    several = table({"ema": torch_files.state(STATE), "model": torch_files.state(STATE)})
    with pytest.raises(ValueError, match="net.pt is a checkpoint with 2 state_dicts, 'ema', 'model'"):
        read_weights(write(torch_file(several, STATE)))


def test_views_shared_storages_and_halves_are_read(write):
    small = to_pytorch(with_random_weights(nb.GRU(2, 2, dtype=np.float32, rng=0), 0))
    stored = {name: w.astype(np.float16) if "bias" in name else np.asfortranarray(w) for name, w in small.items()}
    expected = {name: w.astype(np.float32) for name, w in stored.items()}
    assert_same(read_weights(write(saved(stored)))[0], nb.interop.from_pytorch(expected))
    upper = {name: (w.view(np.uint32) >> 16).astype("<u2") for name, w in small.items()}
    lower = {name: (w.astype(np.uint32) << 16).view(np.float32) for name, w in upper.items()}
    items = {name: tensor(w, str(k), "BFloat16Storage") for k, (name, w) in enumerate(upper.items())}
    assert_same(read_weights(write(torch_file(table(items), upper)))[0], nb.interop.from_pytorch(lower))
    flat = {"all": np.concatenate([w.ravel() for w in STATE.values()])}
    ends = dict(zip(STATE, np.cumsum([w.size for w in STATE.values()])))
    of_one = {
        name: tensor(w, "0", offset=int(ends[name]) - w.size, count=flat["all"].size) for name, w in STATE.items()
    }
    assert_same(read_weights(write(torch_file(table(of_one), flat)))[0], LAYER)


def called(module, name, *arguments):
    """The instructions of a call with texts."""
    return f"c{module}\n{name}\n(".encode() + b"".join(map(text, arguments)) + b"tR"


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        (
            called("os", "system", "echo run"),
            "holds an object, os.system, of which nothing is run; torch.save(net.state",
        ),
        (
            table({"weight_ih_l0": called("builtins", "exec", "1/0")}),
            "state['weight_ih_l0'] has dtype object, of builtins",
        ),
        (called("torch._utils", "_rebuild_qtensor", "x"), "of which nothing is run"),
        (table({"weight_ih_l0": called("torch._utils", "_rebuild_qtensor")}), "has dtype quantized"),
        (tensor(np.ones(3), "0"), "holds a tensor alone"),
        (torch_files.whole(3), "holds a int; torch.save(net.state_dict(), path) writes what can be read"),
        (tensor(np.ones(3), "0", shape=(10**6, 10**6), strides=(0, 0)), "a tensor of shape (1000000, 1000000) in a"),
        (tensor(np.ones(3), "0", offset=1), "a tensor of shape (3,) in a storage of 3 numbers"),
        (tensor(np.ones(3), "0", shape=(-3,)), "a tensor whose shape makes no sense"),
        (tensor(np.ones(3), "0", count=4), "storage '0' is said to have 4 numbers; it has 24 bytes"),
        (tensor(np.ones(3), "9"), "net.pt is damaged or cut short"),
        (b"}(" + b"}" + text("a") + b"u", "it has a name that is no text"),
        (b"cos\nsystem\n(" + text("echo") + b"o", "the instruction OBJ, which torch.save does not write"),
        (b"u", "net.pt is damaged or cut short"),
        (b"X\xff\xff\xff\x7f", "net.pt is damaged or cut short"),
    ],
)
def test_what_is_no_state_dict_is_a_sentence_and_nothing_is_run(program, sentence, write, monkeypatch):
    import os
    import pickle

    def run(*arguments):
        raise AssertionError("something was run")

    path = write(torch_file(program, {"w": np.ones(3)}))
    for module, name in [
        (os, "system"),
        (pickle, "Unpickler"),
        (pickle, "loads"),
        (pickle, "load"),
    ]:
        monkeypatch.setattr(module, name, run)
    with pytest.raises((TypeError, ValueError), match=re.escape(sentence)):
        open_weights(path)


def test_files_of_other_kinds_are_sentences(write):
    good = saved(STATE)
    for content, sentence in [
        (
            b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.rest",
            "net.pt is of a PyTorch before 1.6; a newer one writes it anew",
        ),
        (b"hello", "net.pt is no file of torch.save, which writes a zip archive"),
        (good[: len(good) // 2], "net.pt is damaged or cut short"),
        (torch_file(b"}", {}, **{"constants.pkl": b""}), "holds a compiled module of TorchScript"),
        (torch_file(b"}", {}), "it holds no recurrent layer under a known name"),
    ]:
        with pytest.raises(ValueError, match=re.escape(sentence)):
            open_weights(write(content))


def test_a_few_bytes_that_name_one_list_many_times_over_take_no_time(write):
    nested = b"]q\x00" + b"".join(
        b"(h" + bytes([k]) * 1 + b"h" + bytes([k]) + b"tq" + bytes([k + 1]) for k in range(60)
    )
    for end in (b"", text("a") + b"\x93"):
        with pytest.raises(ValueError, match=r"holds a tuple|no text"):
            open_weights(write(torch_file(nested + end, {})))

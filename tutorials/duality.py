"""Forward mode beside reverse mode, measured: the tables of guides/duality.md.

python -m tutorials.duality                print them
python -m tutorials.duality --write        write them into the guide, without the times

JVP     J v, how the outputs move when all weights and inputs move along v: one complex step
VJP     J^T u, the gradient of sum(u * outputs): the backward pass
RTRL    forward mode for every weight at once (Williams & Zipser 1989), textbook/rtrl.py
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import npbilstm as nb
from npbilstm.textbook import LSTMParams, lstm_backward, lstm_forward, lstm_rtrl

GUIDE = Path(__file__).parent / "guides" / "duality.md"
BEGIN, END = "<!-- measured -->\n", "<!-- end -->\n"
LAYERS: dict[str, Any] = {
    "LSTM": nb.LSTM,
    "BiLSTM": nb.BiLSTM,
    "GRU": nb.GRU,
    "RNN": nb.RNN,
}
STEP = 1e-20


def both_modes(name: str) -> tuple[float, float]:
    """<u, J v> by forward mode and <J^T u, v> by reverse mode, of a layer with two rows of unequal length."""
    rng = np.random.default_rng(0)
    layer = LAYERS[name](3, 4, dtype=np.float64, rng=0)
    x, lengths = rng.standard_normal((2, 6, 3)), [6, 4]
    v = {key: rng.standard_normal(p.shape) for key, p in layer.params.items()}
    moved = layer.with_params({key: p + 1j * STEP * v[key] for key, p in layer.params.items()})
    Jv = moved.forward(x, lengths, training=True)[0].imag / STEP
    y, _, cache = layer.forward(x, lengths, training=True)
    u = rng.standard_normal(y.shape)
    JTu = layer.backward(u, cache)[1]
    return float((u * Jv).sum()), float(sum((JTu[key] * v[key]).sum() for key in v))


def rtrl_beside_bptt(H: int, T: int = 20, N: int = 4, D: int = 2) -> tuple[float, int, int, float]:
    """The largest difference of their gradients relative to the largest; the numbers that each keeps; RTRL's time as a
    multiple of BPTT's."""
    rng = np.random.default_rng(0)
    params = LSTMParams(*(rng.standard_normal(shape) / H**0.5 for shape in ((D, 4 * H), (H, 4 * H), 4 * H)))
    x, dh, zero = rng.standard_normal((N, T, D)), rng.standard_normal((N, T, H)), np.zeros((N, H))
    start = perf_counter()
    bptt = lstm_backward(dh, zero, zero, lstm_forward(x, zero, zero, params)[3])[3]
    middle = perf_counter()
    rtrl = lstm_rtrl(x, zero, zero, params, dh)[1]
    end = perf_counter()
    off = max(np.abs(one - other).max() / np.abs(other).max() for one, other in zip(rtrl, bptt))
    kept_by_bptt = N * T * (D + 7 * H)
    kept_by_rtrl = N * 8 * H**2 * (D + H + 1)
    return float(off), kept_by_bptt, kept_by_rtrl, (end - middle) / (middle - start)


def tables(times: bool) -> str:
    """Both of the guide's tables."""
    lines = ["| | <u, J v>, forward mode | <J^T u, v>, reverse mode | they differ by |", "|---|---|---|---|"]
    for name in LAYERS:
        forward, reverse = both_modes(name)
        lines.append(f"| {name} | {forward:.12f} | {reverse:.12f} | {small(abs(forward - reverse))} |")
    more = " | its time, BPTT's being 1 |" if times else " |"
    lines += ["", f"| H | RTRL's gradients differ by | numbers kept, BPTT | numbers kept, RTRL{more}"]
    lines += ["|---|---|---|---|" + "---|" * times]
    for H in (2, 4, 8, 16):
        off, bptt, rtrl, ratio = rtrl_beside_bptt(H)
        lines.append(f"| {H} | {small(off)} | {bptt} | {rtrl} |" + f" {ratio:.0f} |" * times)
    return "\n".join(lines) + "\n"


def small(difference: float) -> str:
    """A difference that is nothing but rounding as a bound that holds on every machine."""
    return "less than 1e-12" if difference < 1e-12 else f"{difference:.1e}"


def main(arguments: list[str] | None = None) -> int:
    """The command -> its exit code: 0, or 2 for an argument that there is not."""
    given = sys.argv[1:] if arguments is None else arguments
    if given not in ([], ["--write"]):
        print(f"python -m tutorials.duality takes --write or nothing; it got {' '.join(given)}", file=sys.stderr)
        return 2
    print(tables(times=True), end="")
    if given:
        before, _, rest = GUIDE.read_text(encoding="utf-8").partition(BEGIN)
        page = before + BEGIN + "\n" + tables(times=False) + "\n" + END + rest.partition(END)[2]
        GUIDE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

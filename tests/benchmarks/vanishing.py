"""How far the gradient reaches back: in a trained model, in a fresh one, and in one whose forget gates begin half shut.

    python -m tests.benchmarks.vanishing npbilstm-demo/model.npz        a model of npbilstm demo

For held-out windows of 60 characters of Python, and every step t of them that is 20 steps away from where a direction
begins:
    dh, dc      |dL_t/dh| 20 steps earlier in reading order, as a share of |dL_t/dh| at t, with L_t the loss at t alone
    kept        the product of the forget gates over those 20 steps: the mean over the units, and the largest
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

import npbilstm as nb
from npbilstm.datasets.python_source import CHARACTERS, source_files
from npbilstm.inspector.flow import flow_of_every_step, forgetting
from npbilstm.models import SequenceModel

BACK, WINDOW, COUNT = 20, 60, 20
CHARACTERS_OF_THE_DEMONSTRATION = 1_000_000
"""So that its held-out files are held out here."""


def windows() -> Iterator[tuple[str, np.ndarray]]:
    """Texts and classes from held-out files."""
    rng = np.random.default_rng(0)
    files = [file for file in source_files(CHARACTERS_OF_THE_DEMONSTRATION)["test"] if len(file.text) > WINDOW]
    for _ in range(COUNT):
        file = files[rng.integers(len(files))]
        begin = rng.integers(len(file.text) - WINDOW)
        yield file.text[begin : begin + WINDOW], file.labels[begin : begin + WINDOW]


def with_forget_bias(model: SequenceModel, bias: float) -> SequenceModel:
    """A model whose forget gates' biases are all `bias`."""
    H = model.recurrent.hidden_size
    for name, b in model.recurrent.params.items():
        if name.endswith(".b"):
            b[H : 2 * H] = bias
    return model


def medians(model: SequenceModel) -> dict[str, list[float]]:
    """Of dh, dc, and what is kept, for each direction."""
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in ("dh", "dc", "kept", "most kept")}
    for text, labels in windows():
        trace = nb.trace(model, CHARACTERS.encode(text)[None], target=np.asarray(labels)[None], tokens=text)
        dh, dc = flow_of_every_step(trace)
        assert dc is not None, "a model of LSTMs is needed"
        for s, back in ((0, -BACK), (1, BACK)):
            for t in range(BACK, WINDOW) if s == 0 else range(WINDOW - BACK):
                for name, sizes in (("dh", dh), ("dc", dc)):
                    found[name][s].append(sizes[0, s, t, t + back] / sizes[0, s, t, t])
                products = forgetting(trace, t)
                assert products is not None
                kept = products[0, s, t + back]
                found["kept"][s].append(kept.mean())
                found["most kept"][s].append(kept.max())
    return {name: [float(np.median(values)) for values in both] for name, both in found.items()}


def main() -> None:
    """Print the table."""
    trained, _ = nb.load_model(sys.argv[1])
    models = {
        "trained": trained,
        "fresh, forget bias 1": type(trained)(**trained.config, rng=0),
        "fresh, forget bias 0": with_forget_bias(type(trained)(**trained.config, rng=0), 0),
    }
    print(
        f"| {BACK} steps back, forward / reverse | dh | dc | kept, mean unit | kept, best unit |\n|---|---|---|---|---|"
    )
    for name, model in models.items():
        cells = (f"{forward:.2g} / {reverse:.2g}" for forward, reverse in medians(model).values())
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

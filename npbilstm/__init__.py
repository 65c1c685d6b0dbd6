"""npbilstm: bidirectional LSTMs in plain NumPy, to read, run, check and learn from.

    import npbilstm as nb

    layer = nb.BiLSTM(input_size=3, hidden_size=4)
    y, (h_n, c_n), cache = layer.forward(x, lengths, training=True)
    dx, grads, (dh_0, dc_0) = layer.backward(dy, cache)
    nb.check_gradients(loss, params, grads)
    nb.diagnose(my_module)
    nb.trace(layer, x, lengths, dy).explain(direction="reverse", step=5, unit=3)

textbook/   the mathematics, one equation per line: start reading here
engine/     the same, fast
layers/     parameters and an engine: LSTM, BiLSTM, GRU, RNN, Linear, Embedding, Dropout, and models made of them
gradcheck/  is this gradient right?
mistakes/   what people get wrong: the catalogue, and how a mistake is planted
submission/ somebody's own code, called in its own way
diagnosis/  what is wrong with it?
classroom/  for exercises; there are none yet
training/   optimizers, the loop, checkpoints
interop/    weights from and to PyTorch, Keras and ONNX
datasets/   Python source code and tagged text
inspector/  what happens inside: every number of a run, one unit's equations, the page; tagged text in colour

Each room is imported when one of its names is first used, so that `import npbilstm` costs next to nothing.
"""

TYPE_CHECKING = False  # typing's own takes time to import, before the command line knows what to do with Ctrl-C
if TYPE_CHECKING:
    from typing import Any

    from npbilstm import (
        classroom,
        datasets,
        diagnosis,
        engine,
        gradcheck,
        inspector,
        interop,
        layers,
        mistakes,
        submission,
        textbook,
        training,
    )
    from npbilstm.datasets import TaggedData, Vocabulary, python_source, tagged_text
    from npbilstm.diagnosis import DiagnosisReport, diagnose
    from npbilstm.gradcheck import Blocks, GradientReport, check_gradients, check_pair
    from npbilstm.inspector import Trace, trace
    from npbilstm.interop import (
        export_onnx,
        from_keras,
        from_onnx,
        from_pytorch,
        read_weights,
        to_keras,
        to_pytorch,
        write_weights,
    )
    from npbilstm.layers import (
        GRU,
        LSTM,
        RNN,
        BiLSTM,
        Dropout,
        Embedding,
        Linear,
        Recurrent,
        SequenceClassifier,
        SequenceTagger,
    )
    from npbilstm.textbook import (
        binary_cross_entropy_backward,
        binary_cross_entropy_forward,
        flip,
        mean_squared_error_backward,
        mean_squared_error_forward,
        softmax_cross_entropy_backward,
        softmax_cross_entropy_forward,
    )
    from npbilstm.training import (
        SGD,
        Adam,
        Settings,
        Trainer,
        clip_by_global_norm,
        load_model,
        load_trainer,
        pad,
        save_checkpoint,
        save_model,
        windows,
    )

__version__ = "0.6.0"

_LOSSES = ("binary_cross_entropy", "mean_squared_error", "softmax_cross_entropy")
_HOMES = {
    "classroom": [],
    "datasets": ["TaggedData", "Vocabulary", "python_source", "tagged_text"],
    "diagnosis": ["DiagnosisReport", "diagnose"],
    "engine": [],
    "gradcheck": ["Blocks", "GradientReport", "check_gradients", "check_pair"],
    "inspector": ["Trace", "trace"],
    "interop": [
        *("export_onnx", "from_keras", "from_onnx", "from_pytorch", "to_keras", "to_pytorch"),
        *("read_weights", "write_weights"),
    ],
    "layers": [
        *("GRU", "LSTM", "RNN", "BiLSTM", "Dropout", "Embedding", "Linear", "Recurrent"),
        *("SequenceClassifier", "SequenceTagger"),
    ],
    "mistakes": [],
    "submission": [],
    "textbook": [
        "flip",
        *(f"{loss}_{way}" for loss in _LOSSES for way in ("forward", "backward")),
    ],
    "training": [
        *("SGD", "Adam", "Settings", "Trainer", "clip_by_global_norm", "load_model", "load_trainer", "pad"),
        *("save_checkpoint", "save_model", "windows"),
    ],
}
"""The rooms, and which public names live in each."""

__all__ = [*_HOMES, *(name for names in _HOMES.values() for name in names)]


def __getattr__(name: str) -> "Any":
    from importlib import import_module

    if name in _HOMES:
        return import_module(f"npbilstm.{name}")
    for room, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"npbilstm.{room}"), name)
    raise AttributeError(f"npbilstm has no {name!r}; its public names are {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

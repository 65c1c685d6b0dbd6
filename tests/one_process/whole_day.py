"""All that a person does in a browser, in one process: run as `python whole_day.py HOW FOLDER PACKAGE [LIBRARY]`.

HOW: "patching" or "system", what forbids processes and threads; or "nothing", where there are none. LIBRARY: where
Python's own library is to be, "as it is" or the path of a zip; without it no data are made from it and no command
trains, which takes long. It prints a JSON of what came of each step.
"""

import os
import sys

HERE, HOW, FOLDER, PACKAGE, *LIBRARY = os.path.dirname(os.path.abspath(__file__)), *sys.argv[1:]
sys.path[:] = [PACKAGE, HERE, *(path for path in sys.path if path != HERE)]

if HOW != "nothing":
    import forbidden  # type: ignore[import-not-found]

    if LIBRARY and LIBRARY != ["as it is"]:
        forbidden.from_zip(LIBRARY[0])
    forbidden.by_patching() if HOW == "patching" else forbidden.by_the_system()

import contextlib  # noqa: E402
import io  # noqa: E402
import json  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

import npbilstm as nb  # noqa: E402
from npbilstm.classroom.stubs import solution, stub  # noqa: E402
from npbilstm.cli import main  # noqa: E402
from npbilstm.datasets.words import unspaced_words  # noqa: E402
from npbilstm.training.evaluation import confusion  # noqa: E402

if HOW == "patching":
    forbidden.index_by_32_bits()
os.chdir(FOLDER)
found = {}


def command(*arguments):
    """The exit code of a command, and what it says."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = main(arguments)
    return [code, said.getvalue()]


def layers():
    """One BiLSTM, large enough for a second thread where there is one."""
    layer = nb.BiLSTM(64, 64, rng=0)
    x = np.random.default_rng(0).normal(size=(16, 60, 64)).astype(np.float32)
    y, _, cache = layer.forward(x, training=True)
    return [list(y.shape), list(layer.backward(np.ones_like(y), cache)[0].shape)]


def training():
    """Two epochs of a tagger on Python source."""
    data = nb.python_source(3000, window=32, folder=None if LIBRARY else f"{PACKAGE}/npbilstm/textbook")
    model = nb.SequenceTagger(len(data.vocabulary), len(data.classes), hidden_size=8, rng=0)
    trainer = nb.Trainer(model, settings=nb.Settings(epochs=2, batch_size=16))
    trainer.train(data.train, data.valid)
    return [data.name, list(data.notes), trainer.position.epoch]


def gradients():
    """One check of a gradient."""
    w = np.array([0.5, 2.0])
    return nb.check_gradients(lambda p: (p["w"] ** 2).sum(), {"w": w}, {"w": 2 * w}).ok


def exercise(answer):
    """What `exercise check` says of an answer to the exercise flip."""
    place = Path("hw/ex09_flip.py")
    place.write_text(unwritten.replace(stub("flip"), answer))
    return command("exercise", "check", "hw", "--only", "flip")


def commands():
    """What the commands that train and read models say: of each that failed, all."""
    textbook, small = f"{PACKAGE}/npbilstm/textbook", ("--epochs", "1", "--hidden-size", "8")
    Path("words.txt").write_text("the\tD\ncat\tN\n\n" * 12)
    said = [
        command("train", textbook, "--characters", "3000", *small, "--out", "model.npz"),
        command("train", "--resume", "model.npz", "--epochs", "2"),
        command("tag", "model.npz", "right.py", "--html", "page.html"),
        command("inspect", "model.npz", "--text", "return x", "--out", "inside.html"),
        command("train", "words.txt", "--characters-of-words", *small, "--out", "words.npz"),
        command("train", "--task", "dates", "--pairs", "40", *small, "--out", "dates.npz"),
        command("inspect", "dates.npz", "--text", "12 May 1988", "--out", "answer.html"),
        command("train", "--task", "language", "--characters", "12000", *small, "--out", "language.npz"),
        command("sample", "language.npz", "--prompt", "def ", "--length", "30"),
    ]
    return [text for code, text in said if code]


def stored():
    """Whether a model that was written and read gives the same numbers, and what is said of an ONNX file."""
    model = nb.SequenceTagger(5, 3, hidden_size=4, rng=0)
    nb.save_model("tagger.npz", model)
    again, _ = nb.load_model("tagger.npz")
    try:
        nb.export_onnx(model, "tagger.onnx")
        said = "written"
    except ValueError as error:
        said = str(error)
    ids = np.array([[1, 2, 3]])
    return [bool((model.forward(ids)[0] == again.forward(ids)[0]).all()), said]


def public():
    """What cannot be imported of the public names."""
    return [name for name in dir(nb) if not name.startswith("_") and getattr(nb, name) is None]


found["public"] = public()
found["layers"] = layers()
found["gradients"] = gradients()
found["training"] = training()
found["confusion"] = confusion(np.array([0, 1, 1]), np.array([0, 1, 0]), 2).tolist()
if LIBRARY:
    found["plain text"] = nb.plain_text(characters=20_000).name
    found["words"] = len(unspaced_words(60).train)
right = "def sigmoid_derivative(s):\n    return s * (1 - s)\n"
for name, text in {"right": right, "wrong": right.replace("-", "+")}.items():
    namespace: dict = {}
    exec(text, namespace)
    found[f"diagnose {name}"] = nb.diagnose(namespace).verdict
    Path(f"{name}.py").write_text(text)
    found[f"check {name}"] = command("check", f"{name}.py")
found["exercise start"] = command("exercise", "start", "hw", "--only", "flip", "activations")
unwritten = Path("hw/ex09_flip.py").read_text()
found["exercise unwritten"] = command("exercise", "check", "hw")
found["exercise right"] = exercise(solution("flip"))
found["exercise wrong"] = exercise(stub("flip").partition("    raise")[0] + "    return x[:, ::-1]")
found["hunt new"] = command("hunt", "new", "hunt", "--seed", "1")
found["hunt check"] = command("hunt", "check", "hunt")
Path("submitted").mkdir()
found["grade"] = command("grade", "submitted", "--out", "results")
if LIBRARY:
    found["commands"] = commands()
    found["stored"] = stored()
print(json.dumps(found))

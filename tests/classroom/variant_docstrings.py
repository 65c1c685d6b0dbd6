"""A variant's docstrings, held against what its functions take and give: equations are run, shapes and indices read."""

import re

import numpy as np

from npbilstm.classroom import given
from npbilstm.classroom.rewording import reworded, signature_in
from npbilstm.classroom.stubs import docstring
from npbilstm.submission.conventions import conventions_of
from npbilstm.submission.given import moving_to
from npbilstm.submission.layouts import submitted_axes
from npbilstm.textbook.activations import sigmoid, sigmoid_derivative, tanh, tanh_derivative
from tests.docstring_equations import lines_of

SIZES = {"N": 4, "T": 3, "D": 2, "H": 5, "V": 6, "L": 2, "1": 1, "2": 2}
STEPS = {
    "rnn_step": ("RNNParams", "", ("step_forward", "step_backward")),
    "lstm_step": ("LSTMParams", "gates", ()),
    "gru_step": ("GRUParams", "gru_gates", ()),
    "gru_reset_before_step": ("GRUResetBeforeParams", "gru_gates", ()),
}
"""The params of each step, its gates, and what else has its equations."""
BESIDES = {
    "attention": {"scores": "NS", "z": "NSA", "a": "NSA"},
    "crf": dict.fromkeys(("log_alpha", "log_beta", "marginals", "came_from", "best"), "NTV")
    | {"pairs": "NTVV", "log_Z": "N", "score": "N"},
    "ctc": {"y": "NTV", "log_p": "N"},
}
OF_A_ROW = {"ctc": {"alpha": "TS", "beta": "TS", "b": "TS", "gamma": "TS", "share": "TV"}}
"""In functions of such a name: axes in the textbook's order, and of one row, which no layout moves (beta is b where
that is another name for a bias)."""
AXES = re.compile(r"(\w+(?:, \w+)*(?: and \w+)?) \((\w+(?:, \w+)*)\)")


def shape(axes):
    """A shape of axes as a docstring has them."""
    letters = [axis.strip() for axis in axes.rstrip(",").split(",")]
    return tuple(int(letter[:-1] or 1) * SIZES[letter[-1]] if len(letter) > 1 else SIZES[letter] for letter in letters)


def textbooks_names(text, conventions):
    """A text with the textbook's symbols again."""
    for name, own in conventions.names:
        text = re.sub(rf"(?<!\w)(d?){own}(?=0?(?![A-Za-z0-9]))", rf"\1{name}", text)
    return text


def axes_besides(function, layout):
    """The axes of what a function's equations have besides what it takes and gives, dx for x too."""
    kind = next((each for each in BESIDES if each in function), "")
    axes = {name: submitted_axes(list(axes), layout) for name, axes in BESIDES.get(kind, {}).items()}
    axes |= {name: list(axes) for name, axes in OF_A_ROW.get(kind, {}).items()}
    return {prefix + name: ", ".join(each) for name, each in axes.items() for prefix in ("", "d")}


def docstring_in(function, conventions):
    """A function's docstring in a variant, but for the names."""
    text = signature_in(function, conventions).partition('"""')[2]
    return textbooks_names(text, conventions)


def run(lines, values, gates):
    """Compute equations in columns, blocks of gates one below the other."""
    meaning = {
        "rows": lambda array: array.sum(axis=1, keepdims=True),
        "blocks": lambda *parts: np.concatenate(parts),
        "sigmoid": sigmoid,
        "tanh": tanh,
        "sigmoid_derivative": sigmoid_derivative,
        "tanh_derivative": tanh_derivative,
        "derivative": tanh_derivative,
    }
    for line in lines:
        right = eval(line.right, meaning, values)
        values[line.name] = values[line.name] + right if line.sign == "+=" else right
        if gates and line.name in ("a", "u"):
            values |= {f"{line.name}_{gate}": part for gate, part in zip(gates, np.split(right, len(gates)))}


def wrong_equations(step, variant):
    """The names whose equations, as a variant's docstrings have them, do not give what its functions give."""
    conventions = conventions_of(variant)
    kind, gates, quoted = STEPS[step]
    gates = getattr(conventions.layout, gates) if gates else ""
    forward, backward = given(variant, f"{step}_forward", f"{step}_backward")
    rng = np.random.default_rng(0)
    count = len(gates) or 1
    H, D, N = SIZES["H"], SIZES["D"], SIZES["N"]
    params = {"Wx": (count * H, D), "Wh": (count * H, H), "b": (count * H, 1), "b_hn": (H, 1)}
    made = moving_to(conventions).own[kind]
    names = list(params)[: len(made._fields)]
    states = {"h_prev": (H, N), "c_prev": (H, N)} if step == "lstm_step" else {"h_prev": (H, N)}
    values = {name: rng.standard_normal(params[name]) for name in names}
    values |= {name: rng.standard_normal(size) for name, size in {"x": (D, N), **states, "dh": (H, N)}.items()}
    values |= {"mask": 1.0, "dc": rng.standard_normal((H, N))}
    for gate, part in zip(gates, np.split(values["Wh"], count)):
        values[f"Wh_{gate}"] = part
    outputs = [name.removesuffix("_prev") for name in states]
    *out, cache = forward(made(*(values[name] for name in names)), values["x"], *(values[name] for name in states))
    *grads, weights = backward(*(values[f"d{name}"] for name in outputs), cache)
    expected = dict(zip(outputs, out)) | dict(zip(["dx", *(f"d{name}" for name in states)], grads))
    expected |= {f"d{name}": part for name, part in zip(names, weights)}
    lines = lines_of(docstring_in(f"{step}_forward", conventions))
    said = textbooks_names(reworded(docstring(quoted[1]), conventions), conventions) if quoted else ""
    lines += lines_of(said or docstring_in(f"{step}_backward", conventions))
    try:
        run(lines, values, gates)
    except ValueError:
        return {"shapes that do not fit"}
    return {name for name, right in expected.items() if not is_same(values[name], right)}


def is_same(one, other):
    """Whether two arrays are the same but for round-off."""
    return one.shape == other.shape and np.allclose(one, other, rtol=1e-10, atol=1e-12)


def shapes_said(text):
    """The shapes that a docstring tells: names -> axes. "and all of dh and dc (N, H)" is one for each."""
    found = {}
    for names, axes in AXES.findall(text):
        for name in re.split(r", | and ", names):
            found.setdefault(name, axes)
    return found


def wrong_indices(text, shapes):
    """The arrays with indices, x[n, t], of which one does not stand where its axis does."""
    wrong = []
    for name, inside in re.findall(r"(\w+)\[([^\[\]]*)\]", text):
        axes = shapes.get(name, "").split(", ")
        items = inside.split(", ")
        if len(items) == len(axes) - 1 and not re.search(r"\bn\b", inside):  # of each row n
            axes = [axis for axis in axes if axis != "N"]
        for letter, axis in (("n", "N"), ("t", "T"), ("v", "V"), ("s", "S")):  # of a row, a step, a class
            if letter in items and axes[items.index(letter) :][:1] != [axis]:
                wrong.append(f"{name}[{inside}]")
    return wrong

"""What people do otherwise in a right file of any form: the rewrites by name."""

from __future__ import annotations

import ast
import re

from tests.submission.variants.rewrites import (
    SLOPES,
    TIMED,
    TOP,
    Rewrite,
    buffers_of,
    by_keyword,
    decorated,
    expression,
    functions_in,
    in_expressions,
    in_tree,
    inside,
    locals_renamed,
    loops_back,
    loops_while,
    products,
    returned_as,
    sigmoid_as,
    sigmoid_as_lambda,
    sigmoid_inside,
    slope_helpers,
    sums_of_rows,
    sums_written_out,
    tanh_as,
    transposes,
    with_docstrings,
    with_first_line,
    with_hints,
    with_top,
    written_as,
)

CACHES = ("cache", "self.cache", "cache[0]", "caches[0]")
PARTS_OF_CACHES = {
    "Wx, Wh = cache[0][2:4]": "_, _, Wx, Wh, _ = cache[0]",
    "Wx, Wh = cache[0][3:5]": "_, _, _, Wx, Wh, _, _, _, _, _ = cache[0]",
    "parameters = caches[0][-1]": "_, _, _, _, _, _, _, _, _, parameters = caches[0]",
}
"""A part of a cache, and the same by taking all of it apart."""


def taking_all(source: str) -> str:
    """A source that takes a cache apart wherever it uses it."""
    for part, whole in PARTS_OF_CACHES.items():
        source = source.replace(part, whole)
    return source


def cache_as(make: str, take: str) -> Rewrite:
    """The cache of a pair, a tuple of names that the backward pass parts again, in another container. make: of the
    dict's items as text; take: of one key."""

    def rewrite(source: str) -> str:
        tree = ast.parse(taking_all(source))
        for function in functions_in(tree):
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                    cache = node.value.elts[-1]
                    if isinstance(cache, ast.Tuple) and len(cache.elts) > 2:
                        node.value.elts[-1] = packed(cache, make)
                elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
                    kept = ast.unparse(node.targets[0]) == "self.cache"
                    node.value = packed(node.value, make) if kept else node.value
            function.body = [each for statement in function.body for each in parted(statement, take)]
        return ast.unparse(ast.fix_missing_locations(tree)) + "\n"

    return rewrite


def packed(cache: ast.Tuple, make: str) -> ast.expr:
    """A tuple in another container, by the numbers of its parts."""
    items = ", ".join(make.format(k=k, value=ast.unparse(part)) for k, part in enumerate(cache.elts))
    return ast.parse(f"pack({items})", mode="eval").body


def parted(statement: ast.stmt, take: str) -> list[ast.stmt]:
    """a, b, c = cache, part by part."""
    if isinstance(statement, ast.Assign) and ast.unparse(statement.value) in CACHES:
        target, value = statement.targets[0], ast.unparse(statement.value)
        if isinstance(target, ast.Tuple) and len(target.elts) > 2:
            lines = "\n".join(f"{ast.unparse(each)} = {value}{take.format(k=k)}" for k, each in enumerate(target.elts))
            return ast.parse(lines).body
    return [statement]


NAMESPACE = "\n\ndef pack(**parts):\n    return type('Cache', (), parts)()\n\n\n"
OBJECT = """

class Store:
    def __init__(self, *parts):
        self.parts = list(parts)

    def get(self, k):
        return self.parts[k]


pack = Store
"""

SAMPLE = """

def rel_error(a, b):
    return np.max(np.abs(a - b) / np.maximum(1e-8, np.abs(a) + np.abs(b)))


def eval_numerical_gradient(f, x, df, h=1e-5):
    grad = np.zeros_like(x)
    it = np.nditer(x, flags=["multi_index"], op_flags=["readwrite"])
    while not it.finished:
        ix = it.multi_index
        old = x[ix]
        x[ix] = old + h
        pos = f(x).copy()
        x[ix] = old - h
        neg = f(x).copy()
        x[ix] = old
        grad[ix] = np.sum((pos - neg) * df) / (2 * h)
        it.iternext()
    return grad
"""
"""A gradient check's tools, as a course hands them out."""

OPTIMIZER = """

class SGD:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, {}

    def update(self, params, grads):
        for key in params:
            self.v[key] = self.momentum * self.v.get(key, 0.0) - self.lr * grads[key]
            params[key] += self.v[key]


def clip_gradients(grads, max_norm):
    total = np.sqrt(sum((g**2).sum() for g in grads))
    rate = max_norm / (total + 1e-6)
    if rate < 1:
        for g in grads:
            g *= rate


def load_data(path="input.txt"):
    with open(path) as file:
        text = file.read()
    chars = sorted(set(text))
    return text, {ch: k for k, ch in enumerate(chars)}


def plot_loss(losses):
    import matplotlib.pyplot as plt

    plt.plot(losses)
    plt.show()
"""

STYLE = re.compile(r"^( +)", re.MULTILINE)


def appended(text: str) -> Rewrite:
    """Lines at the end of a file."""
    return lambda source: source + text


def squares(text: str) -> Rewrite:
    """a**2 and a * a as a text of a."""

    def change(node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.BinOp):
            square = isinstance(node.op, ast.Pow) and ast.unparse(node.right) == "2"
            if square or (isinstance(node.op, ast.Mult) and ast.unparse(node.left) == ast.unparse(node.right)):
                return expression(text, a=node.left)
        return None

    return in_expressions(change)


def imported(lines: str, **names: str) -> Rewrite:
    """Functions of NumPy by names of their own."""

    def rewrite(source: str) -> str:
        for name, new in names.items():
            source = re.sub(rf"\bnp\.{name}\b(?!\.)", new, source)
        return source

    return with_top(rewrite, lines)


GERMAN = ["wert", "zwischen", "ergebnis", "alt", "neu", "summe", "zahl", "vorne", "hinten", "rest"]
TASTES: dict[str, Rewrite] = {
    "sigmoid by tanh": sigmoid_as("return 0.5 * (1 + np.tanh(0.5 * z))"),
    "sigmoid as a quotient of exponentials": sigmoid_as("return np.exp(z) / (1 + np.exp(z))"),
    "sigmoid by the sign": sigmoid_as(
        "return np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))"
    ),
    "sigmoid by masks": sigmoid_as(
        "z = np.asarray(z, dtype=float)\nout = np.empty_like(z)\nup = z >= 0\nout[up] = 1 / (1 + np.exp(-z[up]))\n"
        "e = np.exp(z[~up])\nout[~up] = e / (1 + e)\nreturn out"
    ),
    "sigmoid by logaddexp": sigmoid_as("return np.exp(-np.logaddexp(0, -z))"),
    "sigmoid by reciprocal": sigmoid_as("y = np.exp(-z)\ny += 1.0\nreturn np.reciprocal(y)"),
    "sigmoid with a clip far out": sigmoid_as("return 1.0 / (1.0 + np.exp(-np.clip(z, -500, 500)))"),
    "sigmoid as a lambda": sigmoid_as_lambda,
    "sigmoid inside": sigmoid_inside,
    "tanh by exp": tanh_as("a, b = np.exp(z), np.exp(-z)\n    return (a - b) / (a + b)"),
    "tanh by exp of two": tanh_as("return 2.0 / (1.0 + np.exp(-2.0 * z)) - 1.0"),
    "tanh by expm1": tanh_as("e = np.expm1(2 * z)\n    return e / (e + 2)"),
    "products by np.dot": products("np.dot(a, b)"),
    "products by matmul": products("np.matmul(a, b)"),
    "products by a method": products("np.asarray(a).dot(b)"),
    "products by tensordot": products("np.tensordot(a, b, axes=1)"),
    "products by einsum": with_top(
        products("mm(a, b)"),
        "\n\ndef mm(a, b):\n    left, right = 'ij'[2 - a.ndim :], 'jk'[: b.ndim]\n"
        "    return np.einsum(f'{left},{right}', a, b)\n\n\n",
    ),
    "products written out": with_top(
        products("mm(a, b)"),
        "\n\ndef mm(a, b):\n    out = 0\n    for k in range(b.shape[0]):\n"
        "        out = out + (np.multiply.outer(a[..., k], b[k]))\n    return out\n\n\n",
    ),
    "multiply by name": written_as(ast.Mult, "np.multiply(a, b)"),
    "slopes as functions": with_top(in_expressions(slope_helpers), *SLOPES),
    "squares by np.square": squares("np.square(a)"),
    "squares by np.power": squares("np.power(a, 2)"),
    "row sums by np.sum": sums_of_rows("np.sum(a, axis=0, keepdims=False)"),
    "row sums by ones": sums_of_rows("np.ones(a.shape[0]) @ a"),
    "row sums by add.reduce": sums_of_rows("np.add.reduce(a)"),
    "transposed by name": transposes("np.transpose(a)"),
    "axes swapped": transposes("np.moveaxis(a, -1, 0)"),
    "sums written out": in_tree(sums_written_out),
    "back by numbers": loops_back("np.arange(n)[::-1]"),
    "back by a slice": loops_back("range(n)[::-1]"),
    "back by a list": loops_back("sorted(range(n), reverse=True)"),
    "back by subtraction": loops_back("[n - 1 - k for k in range(n)]"),
    "loops that count": in_tree(loops_while),
    "one letter a name": locals_renamed(lambda k, name: f"{'abcdefghijklmnopqrstuvwxyz'[k % 26]}{'_' * (k // 26 + 1)}"),
    "names in German": locals_renamed(lambda k, name: f"{GERMAN[k % 10]}_{k}"),
    "names in Chinese": locals_renamed(lambda k, name: f"变量{k}"),
    "names with an ending": locals_renamed(lambda k, name: f"{name}_value"),
    "names of temporaries": locals_renamed(lambda k, name: f"temp{k}"),
    "returned as lists": returned_as(ast.List),
    "returned by a variable": returned_as(None),
    "called by keywords": in_tree(by_keyword),
    "types": in_tree(with_hints),
    "docstrings in French, Russian and Chinese": with_docstrings(
        "La rétropropagation d'un pas.", "Обратное распространение ошибки.", "反向传播一步。"
    ),
    "docstrings with the equations": with_docstrings("h = tanh(x @ Wx + h @ Wh + b)\n\n    >>> 1 + 1\n    2\n    "),
    "comments": lambda source: "# -*- coding: utf-8 -*-\n" + re.sub(r"(?m)$", "  # ok", source),
    "prints": with_first_line("print('in {name}', type({first}))"),
    "asserts": with_first_line("assert {first} is not None, '{name} needs {first}'"),
    "with errstate": inside("with np.errstate(all='ignore'):"),
    "try and raise": inside("try:\n    pass\nexcept ZeroDivisionError:\n    raise"),
    "timed": with_top(in_tree(decorated), TIMED),
    "buffers of float64": buffers_of("np.float64"),
    "buffers of float32": buffers_of("np.float32"),
    "cache as a list": with_top(cache_as("{value}", "[{k}]"), "\n\ndef pack(*parts):\n    return list(parts)\n\n\n"),
    "cache as a dict": with_top(cache_as("k{k}={value}", "['k{k}']"), "\n\ndef pack(**parts):\n    return parts\n\n\n"),
    "cache as attributes": with_top(cache_as("k{k}={value}", ".k{k}"), NAMESPACE),
    "cache as an object": with_top(cache_as("{value}", ".get({k})"), OBJECT),
    "cache copied": with_top(
        cache_as("{value}", "[{k}]"),
        "import copy\n\n\ndef pack(*parts):\n    return tuple(copy.deepcopy(part) for part in parts)\n\n\n",
    ),
    "NumPy by its name": lambda source: re.sub(r"\bnp\.", "numpy.", source).replace(TOP, "import numpy\n", 1),
    "functions imported": imported("from numpy import exp, tanh\n", tanh="tanh", exp="exp"),
    "future annotations": lambda source: f"from __future__ import annotations\n\n{source}",
    "tabs": lambda source: (
        STYLE.sub(lambda indent: "\t" * (len(indent[1]) // 4), ast.unparse(ast.parse(source))) + "\n"
    ),
    "Windows lines": lambda source: source.replace("\n", "\r\n"),
    "a byte order mark": lambda source: f"\ufeff{source}",
    "a gradient check's tools": appended(SAMPLE),
    "an optimizer, a plot, data": appended(OPTIMIZER),
    "a test at the end": appended(
        "\n\ndef test_nothing_is_none():\n    assert np.tanh(0) == 0\n\n\nprint('all fine')\n"
    ),
    "a seed and settings": lambda source: source.replace(
        TOP, TOP + "np.random.seed(1)\nlearning_rate, seq_length, EPSILON = 1e-1, 25, 1e-8\n", 1
    ),
}

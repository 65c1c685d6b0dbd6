"""Rewrites: what somebody does otherwise in a right file, and it stays right. Source in, source out.

Each is a change that a person makes by taste: other words, other operators, other containers, other loops. A source to
which one does not apply comes back as it was.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

Rewrite = Callable[[str], str]
TOP = "import numpy as np\n"


def in_tree(change):
    """A rewrite that changes a source's tree."""

    def rewrite(source):
        tree = ast.parse(source)
        change(tree)
        return ast.unparse(ast.fix_missing_locations(tree)) + "\n"

    return rewrite


def in_expressions(change):
    """A rewrite that puts expressions in the place of others, from the innermost on; None leaves one as it is."""

    class Change(ast.NodeTransformer):
        def visit(self, node):
            node = self.generic_visit(node)
            return change(node) or node

    return in_tree(lambda tree: Change().visit(tree))


def with_top(rewrite, *lines):
    """A rewrite with definitions of its own below the import, those that it has made use of."""

    def both(source):
        new = rewrite(source)
        used = [each for each in lines if any(f"{name}" in new for name in re.findall(r"(?:def|class) (\w+)", each))]
        return new.replace(TOP, TOP + "".join(used or lines), 1) if differ(source, new) else source

    return both


def differ(source, other):
    """Whether two sources are not the same to Python."""
    return ast.dump(ast.parse(source)) != ast.dump(ast.parse(other))


def functions_in(tree):
    """All functions and methods."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def expression(text, **parts):
    """An expression with others in it, by the names that stand for them."""

    class Fill(ast.NodeTransformer):
        def visit_Name(self, node):
            return parts.get(node.id, node)

    return Fill().visit(ast.parse(text, mode="eval").body)


def is_call(node, name):
    """Whether it calls np.name, or something's method of that name."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name


def is_numpy(node, name):
    """Whether it calls np.name."""
    return is_call(node, name) and isinstance(node.func.value, ast.Name) and node.func.value.id == "np"


def written_as(operator, text):
    """a operator b, written as a text of a and b."""

    def change(node):
        if isinstance(node, ast.BinOp) and isinstance(node.op, operator):
            return expression(text, a=node.left, b=node.right)
        return None

    return in_expressions(change)


def dots_as_operator(node):
    """np.dot(a, b) and a.dot(b) as a @ b."""
    if is_numpy(node, "dot") or is_numpy(node, "matmul"):
        return ast.BinOp(node.args[0], ast.MatMult(), node.args[1])
    return ast.BinOp(node.func.value, ast.MatMult(), node.args[0]) if is_call(node, "dot") else None


def products(text):
    """All matrix products as a text of a and b."""
    to_operator, to_text = in_expressions(dots_as_operator), written_as(ast.MatMult, text)
    return lambda source: to_text(to_operator(source))


def sigmoid_as(body):
    """The function sigmoid, or sig, with another body."""

    def change(tree):
        for function in functions_in(tree):
            if function.name in ("sigmoid", "sig"):
                name = function.args.args[0].arg
                function.body = ast.parse(re.sub(r"\bz\b", name, body)).body

    return in_tree(change)


def sigmoid_as_lambda(source):
    """sigmoid = lambda z: ..."""
    return re.sub(r"def (sigmoid|sig)\((\w)\):\n    return (.*)\n", r"\1 = lambda \2: \3\n", source)


def sigmoid_inside(source):
    """A sigmoid of its own in each function that takes one."""

    def change(tree):
        own = next((each for each in tree.body if getattr(each, "name", "") in ("sigmoid", "sig")), None)
        for function in functions_in(tree):
            uses = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
            if own is not None and own.name in uses:
                function.body.insert(0, own)
        tree.body = [each for each in tree.body if each is not own]

    return in_tree(change)(source)


def tanh_as(lines):
    """np.tanh as a function of one's own."""
    own = in_expressions(lambda node: expression("my_tanh(a)", a=node.args[0]) if is_numpy(node, "tanh") else None)
    return with_top(own, f"\n\ndef my_tanh(z):\n    {lines}\n\n\n")


def slope_helpers(node):
    """s * (1 - s) and 1 - t**2 as functions."""
    if not isinstance(node, ast.BinOp):
        return None
    right = node.right
    one_less = isinstance(right, ast.BinOp) and isinstance(right.op, ast.Sub) and ast.unparse(right.left) == "1"
    if isinstance(node.op, ast.Mult) and one_less:
        of = ast.unparse(right.right)
        if ast.unparse(node.left) == of:
            return expression("sigmoid_slope(s)", s=node.left)
        if (
            isinstance(node.left, ast.BinOp)
            and isinstance(node.left.op, ast.Mult)
            and ast.unparse(node.left.right) == of
        ):
            return ast.BinOp(node.left.left, ast.Mult(), expression("sigmoid_slope(s)", s=right.right))
    if isinstance(node.op, ast.Sub) and ast.unparse(node.left) == "1":
        base = right.left if isinstance(right, ast.BinOp) else None
        squared = isinstance(right, ast.BinOp) and (
            (isinstance(right.op, ast.Pow) and ast.unparse(right.right) == "2")
            or (isinstance(right.op, ast.Mult) and ast.unparse(right.left) == ast.unparse(right.right))
        )
        return expression("tanh_slope(t)", t=base) if squared else None
    return None


SLOPES = (
    "\n\ndef sigmoid_slope(s):\n    return s * (1.0 - s)\n\n\n",
    "\n\ndef tanh_slope(t):\n    return 1.0 - t * t\n\n\n",
)


def sums_of_rows(text):
    """a.sum(axis=0) as a text of a."""

    def change(node):
        if is_call(node, "sum") and not is_numpy(node, "sum"):
            axes = [*node.args, *(word.value for word in node.keywords)]
            return expression(text, a=node.func.value) if [ast.unparse(each) for each in axes] == ["0"] else None
        return None

    return in_expressions(change)


def buffers_of(dtype):
    """np.zeros and its like with a dtype."""

    def change(node):
        buffer = any(is_numpy(node, name) for name in ("zeros", "empty", "zeros_like", "empty_like"))
        if buffer and not any(word.arg == "dtype" for word in node.keywords):
            node.keywords.append(ast.keyword("dtype", ast.parse(dtype, mode="eval").body))
        return None

    return in_expressions(change)


def transposes(text):
    """a.T as a text of a."""

    def change(node):
        return expression(text, a=node.value) if isinstance(node, ast.Attribute) and node.attr == "T" else None

    return in_expressions(change)


def sums_written_out(tree):
    """a += b as a = a + b."""

    class Change(ast.NodeTransformer):
        def visit_AugAssign(self, node):
            loaded = ast.parse(ast.unparse(node.target), mode="eval").body
            return ast.Assign([node.target], ast.BinOp(loaded, node.op, node.value))

    Change().visit(tree)


def loops_back(text):
    """reversed(range(n)) and range(n - 1, -1, -1) as a text of n."""

    def change(node):
        if not isinstance(node, ast.Call):
            return None
        called = ast.unparse(node)
        if called.startswith("reversed(range(") and len(node.args[0].args) == 1:
            return expression(text, n=node.args[0].args[0])
        if called.startswith("range(") and called.endswith("- 1, -1, -1)"):
            return expression(text, n=node.args[0].left)
        return None

    return in_expressions(change)


def loops_while(tree):
    """for t in range(n) as a while that counts."""

    class Change(ast.NodeTransformer):
        def visit_For(self, node):
            self.generic_visit(node)
            called = ast.unparse(node.iter)
            if not (isinstance(node.iter, ast.Call) and called.startswith("range(") and len(node.iter.args) == 1):
                return node
            t, n = ast.unparse(node.target), ast.unparse(node.iter.args[0])
            start, loop = ast.parse(f"{t} = 0\nwhile {t} < {n}:\n    pass").body
            loop.body = [*node.body, *ast.parse(f"{t} += 1").body]
            return [start, loop]

    Change().visit(tree)


def locals_renamed(called):
    """The names that functions set by themselves under others; arguments keep theirs."""

    def change(tree):
        for function in functions_in(tree):
            nodes = list(ast.walk(function))
            stored = [each.id for each in nodes if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]
            kept = {each.arg for each in nodes if isinstance(each, ast.arg)}
            names = [name for name in dict.fromkeys(stored) if name not in kept]
            new = {name: called(k, name) for k, name in enumerate(names)}
            for each in nodes:
                if isinstance(each, ast.Name) and each.id in new:
                    each.id = new[each.id]

    return in_tree(change)


def returned_as(kind):
    """return a, b as a list, or through a variable."""

    def change(tree):
        for function in functions_in(tree):
            for body in [
                each.body for each in ast.walk(function) if hasattr(each, "body") and isinstance(each.body, list)
            ]:
                for k, statement in enumerate(body):
                    if isinstance(statement, ast.Return) and isinstance(statement.value, ast.Tuple):
                        if kind is not None:
                            statement.value = kind(statement.value.elts, ast.Load())
                        else:
                            result = ast.Assign([ast.Name("result", ast.Store())], statement.value)
                            body[k : k + 1] = [result, ast.Return(ast.Name("result", ast.Load()))]

    return in_tree(change)


def by_keyword(tree):
    """Calls of the file's own functions with the names of their arguments."""
    own = {each.name: [arg.arg for arg in each.args.args] for each in tree.body if isinstance(each, ast.FunctionDef)}
    for node in ast.walk(tree):
        called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in own
        if called and not any(isinstance(each, ast.Starred) for each in node.args):
            node.keywords += [ast.keyword(name, value) for name, value in zip(own[node.func.id], node.args)]
            node.args = []


def with_hints(tree):
    """Types on all arguments and returns."""
    for function in functions_in(tree):
        for each in function.args.args:
            each.annotation = None if each.arg == "self" else ast.parse('"np.ndarray"', mode="eval").body
        function.returns = ast.parse('"tuple[np.ndarray, ...]"', mode="eval").body


def with_docstrings(*texts):
    """A docstring in each function, in turn."""

    def change(tree):
        for k, function in enumerate(functions_in(tree)):
            function.body.insert(0, ast.Expr(ast.Constant(texts[k % len(texts)])))

    return in_tree(change)


def with_first_line(text):
    """A line at the start of every function; {name} is the function's, {first} its first argument."""

    def change(tree):
        for function in functions_in(tree):
            first = next((each.arg for each in function.args.args if each.arg != "self"), "")
            if function.name != "__init__" and first:
                function.body[:0] = ast.parse(text.format(name=function.name, first=first)).body

    return in_tree(change)


def inside(text):
    """Every body under a with or a try."""

    def change(tree):
        for function in functions_in(tree):
            (block,) = ast.parse(f"{text}\n    pass" if text.startswith("with") else text).body
            block.body = function.body
            function.body = [block]

    return in_tree(change)


def decorated(tree):
    """A decorator on every function at the top."""
    for each in tree.body:
        if isinstance(each, ast.FunctionDef):
            each.decorator_list = [ast.Name("timed", ast.Load())]


TIMED = """import functools
import time


def timed(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            wrapper.seconds = time.perf_counter() - start

    return wrapper


"""

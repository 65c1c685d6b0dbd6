"""Signs of a pass in a body: what of looks.SIGNS a function does, read from its source or from its code."""

from __future__ import annotations

import ast
import dis
from collections.abc import Iterable, Iterator, Sequence
from types import CodeType

from npbilstm.submission.looks import is_gradient_name, is_pass_name

PRODUCTS = {"dot", "matmul", "einsum", "tensordot", "outer", "inner", "vdot", "kron"}
SQUASHINGS = {"tanh", "sigmoid", "sigm", "sig", "logistic", "expit", "softmax", "relu", "softplus", "activation", "act"}
TURNS = {"reversed", "flip", "flipud", "fliplr"}
GIVEN = {"f", "fn", "fun", "func", "function", "g", "loss", "loss_fn", "cost", "objective"}
"""What is called so and is an argument is differentiated, or drawn."""
MOST_FACTORS = 30
"""How many factors of a product are looked at for a slope."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definer = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes under these, but for what is defined in there with a name of its own."""
    waiting = [node for node in nodes if not isinstance(node, Definer)]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [child for child in ast.iter_child_nodes(node) if not isinstance(child, Definer)]


def signs_of_tree(statements: Iterable[ast.AST], arguments: Iterable[str] = ()) -> frozenset[str]:
    """The signs of a pass in some statements of a source. arguments: of the function whose body they are."""
    nodes = list(own_nodes(statements))
    called = {called_name(node) for node in nodes if isinstance(node, ast.Call)}
    divides = any(isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) for node in nodes)
    squashes = bool(called & SQUASHINGS) or any(map(is_rectifier, nodes)) or any(map(is_logistic, nodes))
    passes = any(map(is_pass_name, called))
    found = {
        "product": any(map(is_product, nodes)),
        "weighted sum": not passes and any(map(is_weighted_sum, nodes)),
        "squashing": squashes,
        "exponential": "exp" in called and divides and not squashes,
        "gradient": any(computes_gradient(node, set(arguments)) for node in nodes),
        "logarithm": bool(called & {"log", "log2", "log1p"}) and any(map(multiplies, nodes)),
        "squares": not passes and any(map(is_square, nodes)),
        "given": bool(called & GIVEN & set(arguments)),
        "slope": any(map(is_slope, nodes)),
        "passes": passes and (any(map(carries, nodes)) or any(map(turns, nodes))),
    }
    return frozenset(sign for sign, there in found.items() if there)


def called_name(call: ast.Call) -> str:
    """The last name of what is called: tanh of np.tanh."""
    return last_name(call.func)


def last_name(node: ast.AST) -> str:
    """The last name in W, self.W, W[0]; the key in grads["W"]; "" where there is none."""
    if isinstance(node, ast.Subscript):
        key = node.slice
        text = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
        return text if is_gradient_name(text) else last_name(node.value)
    return getattr(node, "id", "") or getattr(node, "attr", "")


def is_product(node: ast.AST) -> bool:
    """A @ B, A @= B, np.dot(A, B) and their like."""
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        return isinstance(node.op, ast.MatMult)
    return isinstance(node, ast.Call) and called_name(node) in PRODUCTS


def multiplies(node: ast.AST) -> bool:
    """A product of any kind, of which no factor is a plain number."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return not any(isinstance(part, (ast.Constant, ast.UnaryOp)) for part in (node.left, node.right))
    return is_product(node)


def is_weighted_sum(node: ast.AST) -> bool:
    """A * b + c, or s += a * b."""
    if isinstance(node, ast.AugAssign):
        return isinstance(node.op, ast.Add) and multiplies(node.value) and isinstance(node.value, ast.BinOp)
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)):
        return False
    return any(isinstance(part, ast.BinOp) and multiplies(part) for part in (node.left, node.right))


def is_rectifier(node: ast.AST) -> bool:
    """maximum(0, x), or maximum(x, 0.0)."""
    if not (isinstance(node, ast.Call) and called_name(node) == "maximum" and len(node.args) == 2):
        return False
    return any(isinstance(part, ast.Constant) and part.value == 0 for part in node.args)


def is_logistic(node: ast.AST) -> bool:
    """1 / (1 + exp(-x))."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and isinstance(node.right, ast.BinOp)):
        return False
    below = (node.right.left, node.right.right)
    exponential = any(isinstance(part, ast.Call) and called_name(part) == "exp" for part in below)
    return exponential and any(isinstance(part, ast.Constant) and part.value == 1 for part in below)


def is_square(node: ast.AST) -> bool:
    """(a - b) ** 2, np.square(a)."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return isinstance(node.right, ast.Constant) and node.right.value == 2
    return isinstance(node, ast.Call) and called_name(node) == "square"


def is_slope(node: ast.AST) -> bool:
    """1 - y**2, 1 - y * y, or y among the factors beside 1 - y."""
    if not isinstance(node, ast.BinOp):
        return False
    if is_complement(node):
        of = node.right
        if is_square(of):
            return True
        return isinstance(of, ast.BinOp) and isinstance(of.op, ast.Mult) and ast.dump(of.left) == ast.dump(of.right)
    factors = factors_of(node)
    complements = [ast.dump(factor.right) for factor in factors if is_complement(factor)]  # type: ignore[attr-defined]
    return bool(complements) and any(ast.dump(factor) in complements for factor in factors)


def is_complement(node: ast.AST) -> bool:
    """1 - y."""
    one = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and isinstance(node.left, ast.Constant)
    return one and node.left.value == 1  # type: ignore[attr-defined]


def factors_of(node: ast.AST) -> list[ast.AST]:
    """a, b and c of a * b * c, and no more than are looked at."""
    factors: list[ast.AST] = []
    waiting = [node]
    while waiting and len(factors) < MOST_FACTORS:
        node = waiting.pop()
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            waiting += [node.left, node.right]
        else:
            factors.append(node)
    return factors


def computes_gradient(node: ast.AST, arguments: set[str]) -> bool:
    """Whether what is called like a gradient is set to a product, or a product is returned of one that came in."""
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        gradient = any(is_gradient_name(last_name(part)) for target in targets for part in ast.walk(target))
        return gradient and any(map(multiplies, own_nodes([node.value])))
    if isinstance(node, ast.Dict):
        gradient = any(isinstance(key, ast.Constant) and is_gradient_name(str(key.value)) for key in node.keys)
        return gradient and any(map(multiplies, own_nodes(node.values)))
    if isinstance(node, ast.Return) and node.value is not None:
        inside = list(own_nodes([node.value]))
        came = any(is_gradient_name(last_name(part)) and last_name(part) in arguments for part in inside)
        return came and any(map(multiplies, inside))
    return False


def carries(node: ast.AST) -> bool:
    """A loop in which a pass is called with what it gave the time before."""
    if not isinstance(node, (ast.For, ast.While)):
        return False
    for each in own_nodes(node.body):
        if isinstance(each, (ast.Assign, ast.AugAssign)):
            targets = each.targets if isinstance(each, ast.Assign) else [each.target]
            given = set(names_at(targets))
            for call in own_nodes([each.value]):
                if isinstance(call, ast.Call) and is_pass_name(called_name(call)) and given & set(names_at(call.args)):
                    return True
    return False


def names_at(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The variables that stand in some expressions."""
    return (part.id for node in nodes for part in ast.walk(node) if isinstance(part, ast.Name))


def turns(node: ast.AST) -> bool:
    """reversed(x), np.flip(x), x[::-1]."""
    if isinstance(node, ast.Call):
        return called_name(node) in TURNS
    return isinstance(node, ast.Slice) and isinstance(node.step, ast.UnaryOp) and isinstance(node.step.op, ast.USub)


OPERATIONS = {"MATRIX_MULTIPLY": "@", "MULTIPLY": "*", "TRUE_DIVIDE": "/", "SUBTRACT": "-", "ADD": "+", "POWER": "**"}
"""The operations of Python 3.10's code; later ones spell them."""


def signs_of_code(codes: Sequence[CodeType]) -> frozenset[str]:
    """The signs of a pass in the code of a function, for one whose source is not at hand. Less is seen here: which
    names there are and which operations, and not what is done to what."""
    called: set[str] = set()
    held: set[str] = set()
    done: set[str] = set()
    for code in nested_codes(codes):
        called |= set(code.co_names)
        held |= {*code.co_varnames, *code.co_freevars}
        for step in dis.get_instructions(code):
            kind = step.opname.partition("_")[2]
            done.add(OPERATIONS.get(kind) or (step.argrepr.rstrip("=") if kind == "OP" else step.opname))
            if "LOAD" in step.opname and step.argval in (0, 1, 2):
                done.add(str(int(step.argval)))
    passes, product = any(map(is_pass_name, called | held)), "@" in done or bool(called & PRODUCTS)
    written_out = ("exp" in called and {"1", "+", "/"} <= done) or ("maximum" in called and "0" in done)
    squashes = bool(called & SQUASHINGS) or written_out
    plain = any(each.startswith("CALL") for each in done) and not (product or called & SQUASHINGS)
    found = {
        "product": product,
        "weighted sum": not passes and {"*", "+"} <= done,
        "squashing": squashes,
        "exponential": "exp" in called and "/" in done,
        "gradient": any(map(is_gradient_name, called | held)) and bool(done & {"*", "@"}),
        "logarithm": "log" in called and "*" in done,
        "squares": not passes and {"**", "2"} <= done,
        "given": plain and any(GIVEN & set(code.co_varnames[: code.co_argcount]) for code in codes),
        "slope": len(called | held) == 1 and {"1", "-"} <= done and bool(done & {"*", "**"}),
        "passes": passes and "FOR_ITER" in done,
    }
    return frozenset(sign for sign, there in found.items() if there)


def nested_codes(codes: Iterable[CodeType]) -> Iterator[CodeType]:
    """These and what is defined inside them."""
    for code in codes:
        yield code
        yield from nested_codes(each for each in code.co_consts if isinstance(each, CodeType))

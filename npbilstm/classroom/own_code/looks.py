"""What looks like a pass, forward or backward: by its name, and by what it does.

Two signs make a pass. A name such as lstm_backward is two by itself, one such as my_cell is one; a body has one for
each thing that passes do and other functions seldom: a matrix product, a squashing, a gradient computed. So my_cell
with a matrix product looks like a pass, and so does f with a matrix product and a tanh.

Nobody can tell for sure. One too many is named rather than one too few: who reads "not judged: my_plot" knows better,
who reads "It is right" does not.
"""

from __future__ import annotations

import ast
import dis
import re
from collections.abc import Iterable, Iterator
from types import CodeType

ENOUGH = 2
"""How many signs make a pass."""

TWO_SIGNS = re.compile(
    r"forward\w*|backward\w*|feedforward|fwd|bwd|bp|\w*(backprop|bptt|fprop|bprop)\w*|propagat\w*|unroll\w*|"
    r"\w*(lstm|rnn)\w*|(bi)?gru\w*|ctc\w*|bidirectional\w*|recurrent\w*|seq2seq|crf|viterbi|"
    r"\w*(sigmoid|tanh|relu|elu|softmax|softplus|logistic|gelu|swish)|"
    r"affine|dropout|embed|embedding|attention|batchnorm|layernorm|\w*pool|\w*pooling"
)
"""Words in the name of what is a pass."""
ONE_SIGN = re.compile(
    r"cell|gates?|layer|network|net|model|step|timestep|temporal|dense|linear|conv\w*|encode\w*|decode\w*|act\w*|logits|"
    r"loss\w*|cost|\w*entropy|nll|mse|ce|bce|criterion|objective|likelihood|grads?|gradients?|deriv\w*|prime|slope|"
    r"jacobian|deltas?|back|prop|hidden|state|predict|call|compute|calc\w*|run|d|dloss|output"
)
"""Words in the name of what may be one."""
INNOCENT = re.compile(
    r"check\w*|gradcheck|numerical\w*|numeric|num|approx\w*|finite|fd|diffs?|differences?|compare|verify|assert\w*|"
    r"show|print\w*|display|load\w*|save|read\w*|write|parse|download|init\w*|params?|parameters?|weights|make|create|"
    r"build|random|batch\w*|minibatch\w*|main|demo|example|train\w*|optimi[sz]er?|sgd|adam\w*|rmsprop|adagrad|adadelta|"
    r"nesterov|momentum|update\w*|clip\w*|zero|reset|accuracy|metrics?|evaluate|perplexity|shapes?|sizes?|config|"
    r"timeit|benchmark\w*|profile|decay|schedule\w*|repr|str|names?|count\w*"
)
"""Words in the name of what is none, whatever else the name says; what it does may say otherwise."""
NEVER = re.compile(r"tests?|plot\w*|draw\w*|figures?|data|dataset\w*|toy|dummy|synthetic")
"""Words in the name of what is none, whatever it does: a test may work out by hand what it expects."""

PRODUCTS = {"dot", "matmul", "einsum", "tensordot", "outer", "inner", "vdot", "kron"}
SQUASHINGS = {"tanh", "sigmoid", "sigm", "sig", "logistic", "expit", "softmax", "relu", "softplus", "activation", "act"}
TURNS = {"reversed", "flip", "flipud", "fliplr"}
GRADIENT = re.compile(
    r"d_?[A-Z]\w*|d[a-z]{1,2}\d?|d[a-z]{1,2}_\w+|d_\w+|d(next|prev|out|logit|score|value|input|weight|bias|hidden|cell|"
    r"state|raw|emb|gamma|beta|loss)\w*|(\w*_)?(grad|gradient|delta|nabla|deriv|derivative)s?(_\w*)?"
)
NO_GRADIENT = {"dim", "dot", "den", "div", "dev", "det", "dir", "dt"}
SIGNS = {"product": 1, "weighted sum": 1, "squashing": 1, "gradient": 1, "logarithm": 1, "slope": 2, "passes": 2}
"""What a body does, and how many signs of a pass that is.

product         a matrix product
weighted sum    a * b + c, or s += a * b
squashing       tanh, sigmoid, softmax, max(0, .), or exp beside a division
gradient        what is called like a gradient, dWx or grad_h, comes from a multiplication
logarithm       the logarithm in a loss
slope           1 - y**2, or y * (1 - y)
passes          calls a pass and hands it what it gave, in a loop, or calls it on what is turned round
"""
MOST_FACTORS = 30
"""How many factors of a product are looked at for a slope."""
CERTAIN = {"product", "squashing", "gradient", "slope"}
"""What counts where the name is innocent: an optimiser has weighted sums, and a training loop calls passes."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definer = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def words_in(name: str) -> list[str]:
    """The words of a name, in small letters: lossFun, BiLSTMCell and acc_deltas have two and more."""
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return [word for word in re.split(r"[\W_]+", re.sub(r"([A-Z])([A-Z][a-z])", r"\1_\2", parted).lower()) if word]


def signs_of_name(name: str) -> int:
    """How many signs of a pass a name has."""
    words = words_in(name) if name.upper() != name else [name.lower()]
    whole = [*words, name.lower().replace("_", "")]
    if any(map(INNOCENT.fullmatch, words)):
        return 0
    if any(map(TWO_SIGNS.fullmatch, whole)):
        return 2
    return len({word for word in words if ONE_SIGN.fullmatch(word) or is_gradient(word)})


def looks_like_pass(name: str, signs: Iterable[str], of_class: str = "") -> bool:
    """Whether a function of this name, with these signs in its body, looks like a pass. of_class: the class that it is
    a method of: SGD's step is none."""
    words = [*words_in(name), *words_in(of_class)]
    if any(map(NEVER.fullmatch, words)):
        return False
    innocent = any(map(INNOCENT.fullmatch, words))
    done = sum(SIGNS[sign] for sign in signs if not innocent or sign in CERTAIN)
    said = 0 if innocent else signs_of_name(of_class if name == "__call__" else name)
    return said + done >= ENOUGH


def is_gradient(name: str) -> bool:
    """Whether a variable is called as gradients are."""
    return bool(GRADIENT.fullmatch(name)) and name not in NO_GRADIENT


def is_pass(name: str) -> bool:
    """Whether what is called by this name is a pass, as far as the name tells."""
    return signs_of_name(name) >= ENOUGH


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
    squashes = called & SQUASHINGS or any(map(is_rectifier, nodes)) or ("exp" in called and divides)
    passes = any(map(is_pass, called))
    found = {
        "product": any(map(is_product, nodes)),
        "weighted sum": not passes and any(map(is_weighted_sum, nodes)),
        "squashing": bool(squashes),
        "gradient": any(computes_gradient(node, set(arguments)) for node in nodes),
        "logarithm": bool(called & {"log", "log2", "log1p"}) and any(map(multiplies, nodes)),
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
        return text if is_gradient(text) else last_name(node.value)
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


def is_slope(node: ast.AST) -> bool:
    """1 - y**2, 1 - y * y, or y among the factors beside 1 - y."""
    if not isinstance(node, ast.BinOp):
        return False
    if is_complement(node):
        of = node.right
        if isinstance(of, ast.BinOp) and isinstance(of.op, ast.Pow):
            return isinstance(of.right, ast.Constant) and of.right.value == 2
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
        named = any(is_gradient(last_name(part)) for target in targets for part in ast.walk(target))
        return named and any(map(multiplies, own_nodes([node.value])))
    if isinstance(node, ast.Dict):
        named = any(isinstance(key, ast.Constant) and is_gradient(str(key.value)) for key in node.keys)
        return named and any(map(multiplies, own_nodes(node.values)))
    if isinstance(node, ast.Return) and node.value is not None:
        inside = list(own_nodes([node.value]))
        came = any(is_gradient(last_name(part)) and last_name(part) in arguments for part in inside)
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
                if isinstance(call, ast.Call) and is_pass(called_name(call)) and given & set(names_at(call.args)):
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


def signs_of_code(codes: Iterable[CodeType]) -> frozenset[str]:
    """The signs of a pass in the code of a function, for one whose source is not at hand. Less is seen here: which
    names there are and which operations, and not what is done to what."""
    names: set[str] = set()
    done: set[str] = set()
    for code in nested_codes(codes):
        names |= {*code.co_names, *code.co_varnames, *code.co_freevars}
        for step in dis.get_instructions(code):
            kind = step.opname.partition("_")[2]
            done.add(OPERATIONS.get(kind) or (step.argrepr.rstrip("=") if kind == "OP" else step.opname))
            done.add("1" if step.argval == 1 and "LOAD" in step.opname else "")
    passes = any(map(is_pass, names))
    found = {
        "product": "@" in done or bool(names & PRODUCTS),
        "weighted sum": not passes and {"*", "+"} <= done,
        "squashing": bool(names & SQUASHINGS) or ("exp" in names and "/" in done),
        "gradient": any(map(is_gradient, names)) and bool(done & {"*", "@"}),
        "logarithm": "log" in names and "*" in done,
        "slope": len(names) == 1 and {"1", "-"} <= done and bool(done & {"*", "**"}),
        "passes": passes and "FOR_ITER" in done,
    }
    return frozenset(sign for sign, there in found.items() if there)


def nested_codes(codes: Iterable[CodeType]) -> Iterator[CodeType]:
    """These and what is defined inside them."""
    for code in codes:
        yield code
        yield from nested_codes(each for each in code.co_consts if isinstance(each, CodeType))

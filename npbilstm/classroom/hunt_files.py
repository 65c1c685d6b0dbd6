"""What a hunt is written as: a BiLSTM with mistakes in it, bilstm.py, and what finds them, find.py.

The functions are the textbook's, with lines changed. So that no plain comparison with it shows which, statements that
do not depend on one another change places, local names are others, comments and checks of shapes are gone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

import numpy as np

from npbilstm.classroom.hunt import Hunt, edition, new_hunt, planted_bugs
from npbilstm.classroom.stubs import surroundings
from npbilstm.mistakes import Bug, plant
from npbilstm.mistakes.planting import changed, source_of

FUNCTIONS = (
    "sigmoid",
    "sigmoid_derivative",
    "tanh",
    "tanh_derivative",
    "lstm_step_forward",
    "lstm_step_backward",
    "valid_steps",
    "lstm_forward",
    "lstm_backward",
    "flip",
    "bilstm_forward",
    "bilstm_backward",
)
SYNONYMS = {
    "a": ("pre", "z"),
    "a_i": ("pre_i", "z_i"),
    "a_f": ("pre_f", "z_f"),
    "a_g": ("pre_g", "z_g"),
    "a_o": ("pre_o", "z_o"),
    "tanh_c": ("squashed", "c_tanh"),
    "valid": ("real", "is_step"),
    "v": ("keep", "here"),
    "h_new": ("h_now", "h_out"),
    "c_new": ("c_now", "c_out"),
    "h_t": ("h_state", "h_held"),
    "c_t": ("c_state", "c_held"),
    "steps": ("caches", "tape"),
    "source": ("index", "order"),
    "last": ("end", "final"),
    "dh_t": ("dh_here", "dh_now"),
    "dc_t": ("dc_here", "dc_now"),
    "grads_t": ("grads_now", "step_grads"),
    "h_fwd": ("h_forward", "left"),
    "h_rev": ("h_reverse", "right"),
    "cache_fwd": ("cache_f", "cache_left"),
    "cache_rev": ("cache_r", "cache_right"),
}
"""Other names for local variables that the docstrings' equations do not use."""
HEADER = re.compile(r"^# hunt: seed=(\d+) level=(\d) bugs=(\d) edition=([0-9a-f]{8})$", re.MULTILINE)


def hunted_source(hunt: Hunt) -> str:
    """The source of bilstm.py."""
    bugs = planted_bugs(hunt)
    rng = np.random.default_rng([hunt.seed, hunt.level, hunt.bugs, 1])
    types = surroundings(FUNCTIONS).definitions.values()
    count = f"{hunt.bugs} mistake{'s'[: hunt.bugs != 1]}"
    head = (
        f'"""A bidirectional LSTM with {count} in it, each a line or a part of one; level {hunt.level}.\n\n'
        "The docstrings are right, the code is not. find.py has tools, to be read and changed;\n"
        "`npbilstm hunt check` in this folder says how many are left. Leave the names of functions and\n"
        'the next line as they are.\n"""\n\n'
        f"# hunt: seed={hunt.seed} level={hunt.level} bugs={hunt.bugs} edition={edition()}\n\n"
        "from typing import NamedTuple\n\nimport numpy as np\n\nfrom npbilstm.textbook import check_lengths"
    )
    return "\n\n\n".join([head, *types, *(disguised(name, bugs, rng) for name in FUNCTIONS)]) + "\n"


def disguised(function: str, bugs: Iterable[Bug], rng: np.random.Generator) -> str:
    """A function of the textbook with its mistakes, in other words."""
    head, body = source_of(function)
    for bug in bugs:
        if bug.function == function:
            body = changed(body, bug)
    tree = ast.parse(head + body).body[0]
    assert isinstance(tree, ast.FunctionDef)
    tree.body = [statement for statement in tree.body if not requires(statement)]
    tree.returns = None
    for argument in tree.args.args:
        argument.annotation = None
    say_less(tree)
    shuffle(tree.body, rng)
    rename(tree, rng)
    return ast.unparse(tree)


def requires(statement: ast.stmt) -> bool:
    """Whether a statement does nothing but check shapes."""
    if isinstance(statement, ast.For):
        return all(map(requires, statement.body))
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id.startswith("require_")


def say_less(tree: ast.FunctionDef) -> None:
    """Leave out of a docstring what it raises, and examples."""
    first = tree.body[0]
    assert isinstance(first, ast.Expr)
    assert isinstance(first.value, ast.Constant)
    paragraphs = str(first.value.value).split("\n\n")
    kept = [text.rstrip() for text in paragraphs if not text.lstrip().startswith(("Raises ", ">>>"))]
    said = "\n\n".join(re.sub(r" Raises .*", "", text, flags=re.DOTALL) for text in kept)
    first.value.value = said if "\n" not in said else f"{said}\n    "


def names_of(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """The names that a statement sets, or changes a part of; and all that it has."""
    names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    changed_in = {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    return changed_in, {node.id for node in names}


def independent(one: ast.stmt, other: ast.stmt) -> bool:
    """Whether two assignments may change places."""
    if not (isinstance(one, ast.Assign) and isinstance(other, ast.Assign)):
        return False
    (sets, has), (sets_other, has_other) = names_of(one), names_of(other)
    return not (sets & has_other or sets_other & has)


def shuffle(body: list[ast.stmt], rng: np.random.Generator) -> None:
    """Let neighbouring statements that do not depend on one another change places, at random."""
    for statement in body:
        if isinstance(statement, ast.For):
            shuffle(statement.body, rng)
    for _ in range(2 * len(body)):
        k = int(rng.integers(max(len(body) - 1, 1)))
        if k + 1 < len(body) and independent(body[k], body[k + 1]):
            body[k], body[k + 1] = body[k + 1], body[k]


def rename(tree: ast.FunctionDef, rng: np.random.Generator) -> None:
    """Give some local variables other names."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    taken = {node.id for node in nodes} | {argument.arg for argument in tree.args.args}
    own = dict.fromkeys(node.id for node in nodes if isinstance(node.ctx, ast.Store))
    others = {}
    for name in own:
        choice = [name, *(other for other in SYNONYMS.get(name, ()) if other not in taken)]
        others[name] = choice[rng.integers(len(choice))]
        taken.add(others[name])
    for node in nodes:
        node.id = others.get(node.id, node.id)


def hunt_in(source: str) -> Hunt:
    """The hunt that a source is of, by its header. Raises ValueError where it has none, or one that
    no hunt has, or is of another edition."""
    found = HEADER.search(source)
    if found is None:
        raise ValueError("it has no line `# hunt: seed=...` as `npbilstm hunt new` writes it, to be left as it is")
    if found[4] != edition():
        raise ValueError("it was made with another edition of the catalogue: check it with the npbilstm that made it")
    return new_hunt(int(found[1]), int(found[2]), int(found[3]))


TOOLS = '''"""Tools to find what is wrong in bilstm.py: run it, read it, change it.

    python find.py

A gradient check asks whether the backward pass is the derivative of the forward pass there is. Whether that forward
pass is the right one, it cannot know: the rows, the padding, the two directions and numbers worked out beforehand can.
"""

import bilstm as mine
import numpy as np

import npbilstm as nb

N, T, D, H = 3, 4, 2, 3
rng = np.random.default_rng(0)


def draw(*shape):
    return 0.5 * rng.standard_normal(shape)


def show(what, ok):
    print(f"{'ok   ' if ok else 'WRONG'}  {what}")


def wrong_gradients(forward, backward, inputs):
    report = nb.check_pair(forward, backward, inputs)
    return ", ".join(row.name for row in report.rows if not row.ok) or "none"


weights = mine.LSTMParams(draw(D, 4 * H), draw(H, 4 * H), draw(4 * H))
both = mine.BiLSTMParams(weights, mine.LSTMParams(draw(D, 4 * H), draw(H, 4 * H), draw(4 * H)))
x, lengths = draw(N, T, D), np.array([T, 2, 3])
h0, c0 = draw(2, N, H), draw(2, N, H)
zero = np.zeros((2, N, H))

print("Gradients that are not the derivatives of what the forward pass computes:")
step = {"x": x[:, 0], "h_prev": h0[0], "c_prev": c0[0], "params": weights}
print("  one step:       ", wrong_gradients(mine.lstm_step_forward, mine.lstm_step_backward, step))
over_time = {"x": x, "h0": h0[0], "c0": c0[0], "params": weights, "lengths": None}
print("  over time:      ", wrong_gradients(mine.lstm_forward, mine.lstm_backward, over_time))
over_time["lengths"] = lengths
print("  and padded:     ", wrong_gradients(mine.lstm_forward, mine.lstm_backward, over_time))
directions = {"x": x, "h0": h0, "c0": c0, "params": both, "lengths": lengths}
print("  two directions: ", wrong_gradients(mine.bilstm_forward, mine.bilstm_backward, directions))

print("What every forward pass owes:")
y, h_T, c_T, _ = mine.bilstm_forward(x, h0, c0, both, lengths)
padding = np.arange(T) >= lengths[:, None]
other = np.where(padding[:, :, None], 7.0, x)
show("what stands in the padding does not matter", np.allclose(mine.bilstm_forward(other, h0, c0, both, lengths)[0], y))
show("the outputs in the padding are 0", not y[padding].any())
for n in range(N):
    k = lengths[n]
    alone = mine.bilstm_forward(x[n : n + 1, :k], h0[:, n : n + 1], c0[:, n : n + 1], both, None)[0]
    show(f"row {n} alone, without its padding, is as among the others", np.allclose(alone[0], y[n, :k]))
tied = mine.BiLSTMParams(weights, weights)
one = mine.bilstm_forward(x, zero, zero, tied, None)[0]
turned = mine.bilstm_forward(x[:, ::-1], zero, zero, tied, None)[0]
show("turned round, the directions change places", np.allclose(turned, np.roll(one, H, axis=2)[:, ::-1]))
later = x.copy()
later[:, 2:] += 1
before, after = (mine.bilstm_forward(given, h0, c0, both, None)[0][:, :2, :H] for given in (x, later))
show("the forward direction knows nothing of later steps", np.allclose(before, after))

print("Numbers worked out beforehand:")


def wave(start, *shape):
    return np.cos(start + np.arange(np.prod(shape))).reshape(shape)


weights = mine.LSTMParams(wave(0, 2, 8), wave(1, 2, 8), wave(2, 8))
both = mine.BiLSTMParams(weights, mine.LSTMParams(wave(3, 2, 8), wave(4, 2, 8), wave(5, 8)))
h, c, _ = mine.lstm_step_forward(wave(6, 2, 2), wave(7, 2, 2), wave(8, 2, 2), weights)
y, h_T, c_T, _ = mine.bilstm_forward(wave(9, 2, 3, 2), wave(10, 2, 2, 2), wave(11, 2, 2, 2), both, np.array([3, 2]))
expected = {
@EXPECTED@
}
for name, got in {"h": h, "c": c, "y": y, "h_T": h_T, "c_T": c_T}.items():
    ok = np.allclose(got, expected[name], atol=1e-6)
    show(f"{name} of {'one step' if name in 'hc' else 'two directions'}", ok)
    if not ok:
        print("  expected", str(np.round(expected[name], 4).tolist()))
        print("  got     ", str(np.round(got, 4).tolist()))
'''


def tools_source() -> str:
    """The source of find.py, the numbers in it the textbook's."""
    right = plant(())

    def wave(start: int, *shape: int) -> np.ndarray:
        return np.cos(start + np.arange(np.prod(shape))).reshape(shape)

    weights = right.LSTMParams(wave(0, 2, 8), wave(1, 2, 8), wave(2, 8))
    both = right.BiLSTMParams(weights, right.LSTMParams(wave(3, 2, 8), wave(4, 2, 8), wave(5, 8)))
    h, c, _ = right.lstm_step_forward(wave(6, 2, 2), wave(7, 2, 2), wave(8, 2, 2), weights)
    lengths = np.array([3, 2])
    y, h_T, c_T, _ = right.bilstm_forward(wave(9, 2, 3, 2), wave(10, 2, 2, 2), wave(11, 2, 2, 2), both, lengths)
    given = {"h": h, "c": c, "y": y, "h_T": h_T, "c_T": c_T}
    lines = [
        f'    "{name}": np.array({np.round(array, 8).ravel().tolist()}).reshape({array.shape}),'
        for name, array in given.items()
    ]
    return TOOLS.replace("@EXPECTED@", "\n".join(lines))

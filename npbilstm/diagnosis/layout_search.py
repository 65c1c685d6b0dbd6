"""Layout from the numbers: in which layout are somebody's outputs exactly the textbook's?

Gates in another order, weights transposed, columns in place of rows are no mistakes. Where the outputs are not the
textbook's in the layout that a file is read in, every other is tried, the nearest first; where they are exactly the
textbook's in one, the file is read in that.

A mistake may look like a layout: i and f exchanged in the forward pass alone. Then the backward pass does not follow,
and both passes together decide. And what runs with a batch is read with one: one sequence has no rows and no padding
to be wrong about.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import permutations, product
from typing import Any, NamedTuple

import numpy as np

from npbilstm import textbook
from npbilstm.diagnosis.comparison import SAME, error_of, pieces
from npbilstm.diagnosis.diagnosis import diagnose_what_runs
from npbilstm.diagnosis.observations import IMPRECISE
from npbilstm.diagnosis.results import Diagnosis
from npbilstm.diagnosis.stages import SIZES, Stage, draw_inputs, without
from npbilstm.submission.course_specs import ALL_SPECS, RESET_BEFORE
from npbilstm.submission.errors import FINAL
from npbilstm.submission.function_spec import Arrays, FunctionSpec
from npbilstm.submission.joined import joined_arrays, parted_arrays
from npbilstm.submission.layouts import Layout, to_reference, to_submitted, usual_bias
from npbilstm.submission.submitted_pair import submitted_pairs

WEIGHTS = ("D,4H", "4H,D", "4,H,D", "4,D,H")
WEIGHTS_OF_GATES = ("Wx", "Wh", "b")
BIASES = ("4H", "4H,1", "4,H", "4,H,1")
SETTINGS = ("x", "weights", "joined", "b", "gates", "gru_gates", "update", "reset")
"""What a search may change, in the order in which it is told."""
ALIKE = {"weights": "joined", "gates": "gru_gates", "x": "rows"}
"""What a setting tells besides."""
SEEN_IN_GRADIENTS = ("gates", "gru_gates", "update", "joined")
"""What the backward pass may follow otherwise than the forward pass."""
MOST_SHAPES = 3
"""In how many ways of shapes that run the gates' orders are tried."""

Subjects = Callable[[Layout], Mapping[str, tuple[str, ...]]]
"""The specs of which there are functions in a layout, by name, and these functions."""
Make = Callable[[str, Layout], Any]
"""The pair of a spec, by its name, in a layout."""


class Reading(NamedTuple):
    """The layout in which a file is read, and what was told by the outputs of which function, in sentences."""

    layout: Layout
    sentences: tuple[str, ...] = ()


def read_layout(subjects: Subjects, make: Make, layout: Layout, pinned: Collection[str]) -> Reading:
    """The layout in which a file's outputs are the textbook's, as far as there is one.

    layout: in which the file is read where its numbers do not tell
    otherwise. pinned: the settings that stand, whatever the numbers say.
    """
    fixed = set(pinned) | {other for name, other in ALIKE.items() if name in pinned}
    sentences: list[str] = []
    for name, functions in subjects(layout).items():
        resets = [layout.reset]
        if name in ("gru_step", "gru") and "reset" not in fixed:
            resets = ["after", "before"]
        try:
            for reset in resets:
                search = Search(reset_spec(name, reset), make, layout._replace(reset=reset), fixed)
                found = search.run()
                if found is not None:
                    break
            if found is None:
                continue
            if found != layout and not search.backward_follows(found):
                fixed |= set(SEEN_IN_GRADIENTS)  # a mistake here is no layout in what is built on it
                other = search.described(found)
                sentences.append(
                    f"{functions[0]} gives the outputs of another layout, {other}, and {functions[-1]} does not follow "
                    "it"
                )
                continue
        except FINAL:
            break
        if found != layout:
            sentences.append(f"Layout, by the outputs of {functions[0]}: {search.described(found)}")
        layout = found
        fixed |= search.settled()
    return Reading(layout, tuple(sentences))


def reset_spec(name: str, reset: str) -> FunctionSpec:
    """The spec of this name; of a GRU, that in which the reset gate stands there."""
    moved = name in ("gru_step", "gru") and reset == "before"
    return ALL_SPECS[name.replace("gru", f"gru{RESET_BEFORE}") if moved else name]


class Search:
    """The search for a layout in which one spec's outputs are the textbook's."""

    def __init__(self, spec: FunctionSpec, make: Make, layout: Layout, fixed: set[str]) -> None:
        self.spec, self.make, self.layout, self.fixed = spec, make, layout, fixed
        self.gates = {4: "gates", 3: "gru_gates"}.get(len(spec.gates), "")
        self.weights = any(name.endswith("Wh") for name in spec.inputs)
        self.steps = any("T" in axes.split() for axes in spec.inputs.values())

    def settled(self) -> set[str]:
        """What needs no further search, once this spec's outputs are right."""
        kept = {"rows", *(["x"] if self.steps else [])}
        if self.weights:
            kept |= {"weights", "joined", "b", *([self.gates] if self.gates else [])}
        return kept | ({"update", "reset"} if self.gates == "gru_gates" else set())

    def run(self) -> Layout | None:
        """The nearest layout in which the outputs are the textbook's, or some of them are where none is in this one;
        None where there is none."""
        if not (self.weights or self.steps):
            return None
        best, most = None, 0
        running: list[Layout] = []
        batch = self.layout.has_batch and self.exact(self.layout) is not None
        for shaped in self.shapes():
            if batch and not shaped.has_batch:
                continue
            if shaped._replace(b="") in running or self.exact(shaped) is None:
                continue
            running.append(shaped._replace(b=""))
            for layout in self.orders(shaped) if self.gates else [shaped]:
                exact = self.exact(layout)
                if exact and all(exact):
                    return layout
                if exact and sum(exact) > most:
                    best, most = layout, sum(exact)
            if len(running) == MOST_SHAPES:
                break
        return best

    def shapes(self) -> Iterator[Layout]:
        """The layouts that give arrays other shapes, those first that differ the least."""
        now = self.layout
        ways = {
            "x": self.ways_of_x(),
            "weights": WEIGHTS[: 4 if self.gates else 2] if self.weights else (),
            "joined": ("", "H+D", "D+H") if self.weights else (),
        }
        ways = {name: () if name in self.fixed else values for name, values in ways.items()}
        own = [tuple(dict.fromkeys([getattr(now, name), *values])) for name, values in ways.items()]
        found = [now]
        for values in sorted(product(*own), key=lambda some: sum(a != b[0] for a, b in zip(some, own))):
            moved = now._replace(**dict(zip(ways, values)))
            biases = (moved.b,) if "b" in self.fixed else dict.fromkeys([usual_bias(moved), moved.b, *BIASES])
            found += [moved._replace(b=b) for b in (biases if self.weights else [moved.b])]
        yield from dict.fromkeys(found)

    def ways_of_x(self) -> list[str]:
        """The orders of rows, steps and features."""
        if not self.steps:
            return [] if "rows" in self.fixed else ["NTD", "TDN", "TD"]
        orders = ["".join(order) for letters in ("NTD", "TD") for order in permutations(letters)]
        rows = self.layout.x.replace("T", "")
        return [order for order in orders if "rows" not in self.fixed or order.replace("T", "") == rows]

    def orders(self, layout: Layout) -> Iterator[Layout]:
        """The layouts that differ in the order of the gates, and in what a GRU's z does, the nearest first."""
        updates = [layout.update]
        if self.gates == "gru_gates" and "update" not in self.fixed:
            updates = sorted(("keeps", "writes"), key=lambda update: update != layout.update)
        order = getattr(layout, self.gates)
        orders = [order] if self.gates in self.fixed else ["".join(some) for some in permutations(order)]
        orders.sort(key=lambda some: sum(a != b for a, b in zip(some, order)))
        for update, some in product(updates, orders):
            yield layout._replace(**{"update": update, self.gates: some})

    def case(self, pair: Any) -> Arrays:
        """Inputs such as the pair takes."""
        absent = set(pair.absent)
        sizes = {**SIZES, "N": 1} if "rows" in absent else SIZES
        return without(draw_inputs(self.spec, Stage("layout"), np.random.default_rng(7), sizes), absent)

    def exact(self, layout: Layout) -> list[bool] | None:
        """Which outputs are the textbook's in this layout; None where the functions do not run in it."""
        try:
            pair = self.make(self.spec.name, layout)
            inputs = self.case(pair)
            got, _ = pair.forward({name: np.array(value) for name, value in inputs.items()})
        except FINAL:
            raise
        except Exception:  # that is what a wrong layout does
            return None
        right, _ = self.spec.in_textbook_form(textbook).forward(inputs)
        return [error_of(array, right[name]) <= IMPRECISE for name, array in got.items()]

    def backward_follows(self, found: Layout) -> bool:
        """Whether the backward pass agrees that it is this layout, and not a mistake of the forward pass that looks
        like it. It disagrees where its gradients are right as this layout was before, and where a mistake that is known
        explains both passes in that layout and none does in this one."""
        before = found._replace(**{name: getattr(self.layout, name) for name in SEEN_IN_GRADIENTS})
        if before == found or not self.weights:
            return True
        pair = self.make(self.spec.name, found)
        if pair.backward is None:
            return True
        try:
            got, right = self.gradients(pair)
        except FINAL:
            raise
        except Exception:  # it is judged later, and said then
            return True
        if all(error_of(got[name], right[name]) <= IMPRECISE for name in got):
            return True
        as_before = self.read_again(got, found, before)
        if self.right_blocks(as_before, right) > self.right_blocks(got, right):
            return False
        here, there = map(self.judge, (found, self.layout))
        return bool(here.named) or not there.named or there.by_outputs

    def judge(self, layout: Layout) -> Diagnosis:
        """The diagnosis in a layout."""
        pairs = submitted_pairs({self.spec.name: ()}, lambda name: self.make(name, layout))
        return diagnose_what_runs(self.spec, pairs[self.spec.name], 0, SIZES, (), frozenset(), False)

    def read_again(self, grads: Arrays, found: Layout, before: Layout) -> Arrays:
        """Gradients of weights that were read in one layout, read in another."""
        grads = {name: grad for name, grad in grads.items() if name in self.spec.inputs}
        shapes = {name: grad.shape for name, grad in grads.items()}
        if found.joined and before.joined and all(name[:-1] + "h" in grads for name in grads if name.endswith("Wx")):
            grads = parted_arrays(joined_arrays(grads, found.joined), shapes, before.joined)
        return {
            name: to_reference(name, to_submitted(name, grad, axes, found), axes, before, shapes[name])
            for name, grad in grads.items()
            if (axes := self.spec.inputs[name]) and name.rpartition(".")[2] in WEIGHTS_OF_GATES
        }

    def right_blocks(self, grads: Arrays, right: Arrays) -> int:
        """How many blocks of the gradients of weights are right."""
        pairs = (
            (pieces(some[name], self.spec.blocks(name)) for some in (grads, right)) for name in self.told_apart(grads)
        )
        return sum(error_of(got[block], true[block]) <= SAME for got, true in pairs for block in got)

    def told_apart(self, grads: Arrays) -> list[str]:
        """The weights among some gradients."""
        return [name for name in grads if name.rpartition(".")[2] in ("Wx", "Wh", "b")]

    def gradients(self, pair: Any) -> tuple[Arrays, Arrays]:
        """The gradients that a pair gives, and the textbook's."""
        inputs = self.case(pair)
        reference = self.spec.in_textbook_form(textbook)
        right, right_cache = reference.forward(inputs)
        outputs, cache = pair.forward({name: np.array(value) for name, value in inputs.items()})
        rng = np.random.default_rng(8)
        upstream = {name: np.zeros_like(out) for name, out in right.items()}
        upstream |= {name: rng.standard_normal(np.shape(right[name])) for name in outputs if name not in pair.absent}
        got = pair.backward({name: upstream[name].copy() for name in outputs}, cache)
        return got, reference.backward(upstream, right_cache)  # type: ignore[misc]

    def described(self, found: Layout) -> str:
        """What there is to say of a layout."""
        before, count = self.layout, {4: "4", 3: "3"}.get(len(self.spec.gates), "")
        x = found.x if self.steps else found.x.replace("T", "")
        weights = found.weights.replace("D", found.joined or "D").replace("4,", f"{count}," if count else "")
        words = {
            "x": f"x is ({','.join(x)})",
            "weights": f"weights ({weights.replace('4', count)})",
            "b": f"b ({found.b.replace('4', count)})",
            "gates": f"gates {', '.join(found.gates)}",
            "gru_gates": f"gates {', '.join(found.gru_gates)}",
            "update": f"z {found.update}",
            "reset": f"reset {found.reset} the product",
        }
        changed = [name for name in SETTINGS if getattr(before, name) != getattr(found, name)]
        changed = list(dict.fromkeys("weights" if name == "joined" else name for name in changed))
        if "b" in changed and found.b == usual_bias(found) and before.b == usual_bias(before):
            changed.remove("b")
        if found.reset == "before":
            changed = list(dict.fromkeys([*changed, "reset"]))
        return "; ".join(words[name] for name in changed)

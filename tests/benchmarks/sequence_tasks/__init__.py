"""One file a task: what tests/benchmarks/tasks.py runs. Each has

TARGET          one sentence: what its numbers have to be
run(seed)       trains and tests once -> {what: number}, the first of them the one that TARGET is about
holds(results)  whether the results of all seeds, in their order, are what TARGET says; None: nothing is promised
SEEDS           how many seeds that needs, where it is not 3
"""

from npbilstm.commands.classic import LAYERS, TASKS, Learner


def solve_classic(name: str, layer: str, seed: int) -> dict[str, float]:
    """What `npbilstm demo --classic` does for one layer, with a seed of its own."""
    task = TASKS[name]
    seen, right = Learner(task, LAYERS[layer], seed).learn(task.limit, layer, bars=False)
    return {"right": right, "sequences": seen}

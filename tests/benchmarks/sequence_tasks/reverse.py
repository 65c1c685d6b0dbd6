"""Digits from behind: what attention is for. Without it all of them have to go through one state."""

from tests.benchmarks.sequence_tasks._whole_answers import share_right

TARGET = "digits wholly right, up to 20: at least 99 %; without attention, above 10 of them, less than 5 %"


def run(seed):
    """The same model with additive attention, and without."""
    size = {"hidden_size": 16, "epochs": 5}
    without = share_right("reverse", seed, None, **size, above=10)
    return {"additive": share_right("reverse", seed, "additive", **size), "without, above 10": without}


def holds(results):
    return all(result["additive"] >= 0.99 and result["without, above 10"] < 0.05 for result in results)

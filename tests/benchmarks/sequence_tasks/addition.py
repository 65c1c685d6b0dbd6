"""Sums of two numbers of up to three digits, the last digit first."""

from tests.benchmarks.sequence_tasks._whole_answers import share_right

TARGET = "sums wholly right, at least 99 %, in 150 seconds"


def run(seed):
    size = {"hidden_size": 64, "epochs": 12, "pairs": 40_000, "batch_size": 128}
    return {"additive": share_right("addition", seed, "additive", **size)}


def holds(results):
    return all(result["additive"] >= 0.99 for result in results)

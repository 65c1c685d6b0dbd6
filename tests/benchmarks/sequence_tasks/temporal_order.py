"""Temporal order, 100 to 110 steps: an LSTM-32 that begins with spans up to 110."""

from tests.benchmarks.sequence_tasks import solve_classic

TARGET = "solved (99.5 % of the last 2,000 sequences right) within 100,000 sequences"


def run(seed: int) -> dict[str, float]:
    """-> the share right of the last 2,000, sequences seen."""
    return solve_classic("temporal-order", "LSTM, chrono", seed)


def holds(results: list[dict[str, float]]) -> bool:
    """For every seed."""
    return all(result["right"] >= 0.995 for result in results)

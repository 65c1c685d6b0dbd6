"""How fast, against whom, on what: `python -m tests.benchmarks`."""

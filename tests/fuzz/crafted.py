"""All files that are made to be difficult."""

from __future__ import annotations

from functools import cache

from tests.fuzz.cases import Case


@cache
def crafted_cases() -> list[Case]:
    """Every one. They are made here, a second's work, and not where this is imported."""
    from tests.fuzz import crafted_onnx, crafted_texts, crafted_torch, crafted_weights

    return [*crafted_texts.CASES, *crafted_weights.cases(), *crafted_onnx.cases(), *crafted_torch.CASES]

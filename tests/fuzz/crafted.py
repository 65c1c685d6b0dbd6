"""All files that are made to be difficult."""

from __future__ import annotations

from tests.fuzz import crafted_onnx, crafted_texts, crafted_weights
from tests.fuzz.cases import Case

CRAFTED: list[Case] = [*crafted_texts.CASES, *crafted_weights.cases(), *crafted_onnx.cases()]

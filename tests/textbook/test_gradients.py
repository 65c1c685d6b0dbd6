"""Every gradient of the textbook against numerical derivatives: the complex step, and central differences."""

import pytest

from npbilstm.commands.checks import textbook_attention, textbook_cells, textbook_ctc, textbook_lstm

CHECKS = {**textbook_lstm.CHECKS, **textbook_cells.CHECKS, **textbook_attention.CHECKS, **textbook_ctc.CHECKS}


@pytest.mark.few(6)
@pytest.mark.parametrize(
    ("method", "tolerance"), [("complex", 1e-12), pytest.param("central", 1e-7, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", [name.removeprefix("textbook: ") for name in CHECKS])
def test_every_gradient_of_the_textbook_agrees_with_numerical_derivatives(name, method, tolerance):
    report = CHECKS[f"textbook: {name}"](method=method)
    assert report.ok, report
    assert report.tolerance <= tolerance

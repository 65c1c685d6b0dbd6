"""Every gradient of the layers and models against numerical derivatives: the complex step, and central differences."""

import pytest

from npbilstm.commands.checks.layers import CHECKS


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("method", "tolerance"), [("complex", 1e-12), pytest.param("central", 1e-7, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", CHECKS)
def test_every_gradient_of_the_layers_agrees_with_numerical_derivatives(name, method, tolerance):
    report = CHECKS[name](method=method)
    assert report.ok, report
    assert report.tolerance <= tolerance

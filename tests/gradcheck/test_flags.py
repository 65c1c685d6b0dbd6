"""What a wrong block looks like does not depend on how large the gradient is."""

import numpy as np
import pytest

from npbilstm.gradcheck.flags import flags_of

EXPECTED = np.array([1.0, -2.0, 0.5])


@pytest.mark.parametrize("size", [1e-12, 1e-5, 1.0, 1e9])
@pytest.mark.parametrize(
    ("change", "flags"),
    [
        (lambda g: 3 * g, ("constant ratio 3",)),
        (lambda g: g / 3, ("constant ratio 0.333 (1/3)",)),
        (lambda g: -g, ("sign flipped",)),
        (lambda g: -2 * g, ("constant ratio -2",)),
        (lambda g: 0 * g, ("exactly zero",)),
        (lambda g: g[::-1], ()),
        (lambda g: g * [0, 1, 1], ()),  # zero in one place only
    ],
)
def test_a_flag_is_the_same_at_every_scale(size, change, flags):
    assert flags_of(change(size * EXPECTED), size * EXPECTED, False, False, 1e-9) == flags


def test_a_right_block_has_no_flag_but_its_kink():
    assert flags_of(EXPECTED, EXPECTED, True, False, 1e-9) == ()
    assert flags_of(EXPECTED, EXPECTED, True, True, 1e-9) == ("kink",)
    assert flags_of(np.zeros(3), EXPECTED, False, True, 1e-9) == ("exactly zero", "kink")
    assert flags_of(np.full(3, np.inf), EXPECTED, False, True, 1e-9) == ("not finite", "kink")

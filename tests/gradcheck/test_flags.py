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
        (lambda g: np.sqrt(3) * g, ("constant ratio 1.73 (sqrt(3))",)),
        (lambda g: -g / np.sqrt(2), ("constant ratio -0.707 (-sqrt(1/2))",)),
        (lambda g: 1.00005 * g, ("constant ratio 1.00005 (an epsilon in the loss?)",)),
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


CUT = np.array([7.0, -2.0, 0.5, -9.0, 3.0])


@pytest.mark.parametrize("bound", [1, 2.5, 5])
def test_what_is_clipped_is_told_with_its_bound(bound):
    assert flags_of(CUT.clip(-bound, bound), CUT, False, False, 1e-9) == (f"cut off at {bound}",)


@pytest.mark.parametrize(
    ("got", "flags"),
    [
        (CUT.clip(-8, 8), ()),  # one entry alone at the bound is the largest of any array
        (CUT * [1, 1, 1, 0.5, 1], ()),
        (np.full(5, 2.0), ()),  # the same everywhere
        (np.array([2.0, -2.0, 0.1, 1.0, 0.3]), ()),  # two that are equal but for the sign, as of two classes
        (np.array([2.0, -2.0, 2.0, 1.0, -0.3]), ("cut off at 2",)),  # cut off on the way, and more added
        (np.array([20.0, -20.0, 20.0, 1.0, 0.3]), ()),  # larger than what is expected
    ],
)
def test_what_only_looks_clipped_is_not(got, flags):
    assert flags_of(got, CUT, False, False, 1e-9) == flags

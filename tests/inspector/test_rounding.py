from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npbilstm.inspector import rounding
from npbilstm.inspector.rounding import number, power_of, shared, whole_quanta, written
from tests.planting import planted

floats = st.floats(-1e12, 1e12, allow_subnormal=False) | st.floats(-1e-9, 1e-9, allow_subnormal=False)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *((0.73105857, "0.7311"), (0.04213, "0.04213"), (12.345678, "12.35"), (1.0, "1.000"), (-0.5, "-0.5000")),
        *((0.0, "0"), (-0.0, "0"), (1e-4, "0.0001000"), (9.9999e-5, "0.0001000"), (1.2344e-5, "1.234e-05")),
        *((12345.6, "12350"), (99999.0, "1.000e+05"), (-3e-12, "-3.000e-12"), (1.0625, "1.063"), (9.9996, "10.00")),
        *((0.99998312, "0.9999831"), (-0.9996, "-0.999600"), (0.9989, "0.9989"), (1.0003, "1.000"), (-1.0, "-1.000")),
        *((float("inf"), "inf"), (float("nan"), "nan"), (5e-324, "4.941e-324")),
    ],
)
def test_a_number_is_shown_with_four_digits_and_just_below_1_with_three_of_what_is_missing(value, shown):
    assert number(value) == shown


@given(floats)
def test_a_shown_number_is_off_by_half_its_last_digit_at_most(value):
    shown = Decimal(number(value))
    last = Decimal(1).scaleb(shown.as_tuple().exponent if shown < 10_000 else power_of(value))
    assert abs(shown - Decimal(value)) <= last / 2


def sum_as_shown(module, parts):
    """The parts and their total as a sum shows them."""
    total = sum(parts)
    power = module.power_of(max(map(abs, [*parts, total])))
    counts = module.shared(parts, module.whole_quanta(total, power), power)
    return [module.written(count, power) for count in counts], module.written(module.whole_quanta(total, power), power)


@given(st.lists(floats, min_size=1, max_size=6))
def test_shown_parts_add_up_to_the_shown_total(parts):
    shown, total = sum_as_shown(rounding, parts)
    assert sum(map(Decimal, shown)) == Decimal(total)


@given(st.lists(floats, min_size=1, max_size=6))
def test_a_shown_part_is_less_than_a_quantum_off(parts):
    shown, _ = sum_as_shown(rounding, parts)
    quantum = Decimal(1).scaleb(power_of(max(map(abs, [*parts, sum(parts)]))))
    assert all(abs(Decimal(text) - Decimal(part)) < quantum for text, part in zip(shown, parts))


def test_missing_quanta_go_to_the_parts_that_lost_most_and_then_to_the_earlier():
    assert shared([0.4, 0.5, 0.3, 0.8], 2, 0) == [0, 1, 0, 1]
    assert shared([0.5, 0.5, 1.0], 2, 0) == [1, 0, 1]


def test_parts_are_shared_out_whatever_the_total_is():
    assert [sum(shared([0.2, 0.3, -0.1], total, 0)) for total in range(-5, 6)] == list(range(-5, 6))


def test_halves_are_rounded_away_from_zero():
    assert [whole_quanta(value, 0) for value in (0.5, -0.5, 2.5, -2.5)] == [1, -1, 3, -3]


def test_small_sums_are_written_with_one_exponent():
    assert sum_as_shown(rounding, [1.234e-5, 1.2e-6]) == (["1.234e-05", "0.120e-05"], "1.354e-05")


def test_nothing_is_written_as_0_alone():
    assert [written(0, power) for power in (-12, -4, 3)] == ["0", "0", "0"]


def test_parts_rounded_by_themselves_would_not_add_up():
    counts = "    return [whole_quanta(part, power) for part in parts]"
    wrong = planted(rounding, "    return counts\n", f"{counts}\n")
    shown, total = sum_as_shown(wrong, [1 / 3, 1 / 3, 1 / 3])
    assert sum(map(Decimal, shown)) != Decimal(total)

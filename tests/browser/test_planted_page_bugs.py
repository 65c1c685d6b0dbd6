"""A bug planted in the page's script makes the test of what it breaks fail."""

import functools
import json

import pytest

from npbilstm.inspector import page
from npbilstm.inspector.page import page_html
from tests.browser import pages
from tests.browser import test_order_of_units as order
from tests.browser import test_page_for_everybody as everybody
from tests.browser import test_page_in_chromium as claims
from tests.browser import test_step_map as step_map
from tests.browser import test_transitions as transitions
from tests.browser import test_what_if as what_if

PLANTED = {
    "what if: what follows later is not computed again": (
        "readsNewState = states.some(",
        "readsNewState = [].some(",
        functools.partial(what_if.test_a_changed_run_is_the_engines, k=10),
    ),
    "what if: a run of float32 is kept in float64": (
        'stored("arrays", name)?.values.constructor ?? Float64Array',
        "Float64Array",
        functools.partial(what_if.test_a_changed_run_is_the_engines, k=11),
    ),
    "of a changed run gradients pass through what is set": (
        "if (passesNothing(name, cell)) return 0;",
        "",
        what_if.test_a_changed_run_has_a_page_of_its_own_that_says_what_is_set,
    ),
    "what if: what was set before is computed again": (
        "(isSet(name, { ...at, step, unit })",
        "(false",
        what_if.test_a_changed_run_can_be_changed_again_on_its_page,
    ),
    "units that go down with it are sorted to the end": (
        "Math.abs(correlations[b]) - Math.abs(correlations[a])",
        "correlations[b] - correlations[a]",
        order.test_the_maps_are_sorted_as_python_sorts_units,
    ),
    "what if: the labels that change are those that stay": (
        "(name === now[step] ? [] : [step])",
        "(name === now[step] ? [step] : [])",
        what_if.test_the_labels_that_change_are_told_and_outlined,
    ),
    "a CRF's pair is taken of the step after": (
        "data.tags.indexOf(data.predicted[step - 1])",
        "data.tags.indexOf(data.predicted[step])",
        transitions.test_the_pair_at_the_chosen_step_is_outlined_and_told,
    ),
    "the map's line is taken from the left": (
        "line: Math.floor(y * lines)",
        "line: Math.floor(x * lines)",
        step_map.test_pointing_at_a_weight_shows_its_equations_and_chooses_the_encoders_step,
    ),
    "the map is drawn by columns": (
        "values[y * data.steps + x], scale",
        "values[(y + x) % values.length], scale",
        step_map.test_the_map_is_coloured_by_value_as_the_gates_are,
    ),
    "of the vector before the score the first unit is shown": (
        "Math.max(0, sizes.indexOf(Math.max(...sizes)))",
        "0",
        step_map.test_the_score_is_that_of_the_textbook,
    ),
    "on the map the arrows choose units": (
        "? { line: within(cell.line + by, data.map.lines.length) }",
        "? { unit: within(cell.unit + by, data.units) }",
        step_map.test_m_goes_to_the_map_where_arrows_walk_through_outputs_and_back,
    ),
    "the reverse direction's c_prev is taken at t - 1": (
        "step: cell.step - way(cell)",
        "step: cell.step - 1",
        claims.test_every_equation_of_every_step_holds_in_the_numbers_shown,
    ),
    "the reverse direction's next step is t + 1": (
        "step: cell.step + way(cell)",
        "step: cell.step + 1",
        claims.test_every_equation_of_every_step_holds_in_the_numbers_shown,
    ),
    "the gates' blocks are swapped": (
        "blocks.indexOf(letter) * width",
        "(blocks.length - 1 - blocks.indexOf(letter)) * width",
        claims.test_every_equation_of_every_step_holds_in_the_numbers_shown,
    ),
    "Wh.T is Wh": (
        "node.transposed ? matrix.at(cell.unit, k) : matrix.at(k, cell.unit)",
        "matrix.at(k, cell.unit)",
        claims.test_every_equation_of_every_step_holds_in_the_numbers_shown,
    ),
    "every layer shows the first": (
        "((layer * S + direction) * T",
        "(direction * T",
        claims.test_every_equation_of_every_step_holds_in_the_numbers_shown,
    ),
    "the directions below are joined the wrong way round": (
        'return value("h", { layer: layer - 1, direction,',
        'return value("h", { layer: layer - 1, direction: 1 - direction,',
        claims.test_every_equation_of_every_step_holds_in_the_numbers_shown,
    ),
    "the terms that are not shown are dropped": (
        "if (others.length) {",
        "if (!others) {",
        claims.test_every_equation_of_every_step_holds_in_the_numbers_shown,
    ),
    "parts are rounded each for itself": (
        "const counts = exact.map(Math.floor);",
        "return exact.map(Math.round);",
        claims.test_every_equation_of_every_step_holds_in_the_numbers_shown,
    ),
    "the square is forgotten": (
        '"^2": (a) => a * a',
        '"^2": (a) => a',
        claims.test_every_equation_of_every_step_holds_in_the_numbers_shown,
    ),
    "the initial state is 0": (
        "return values[(cell.layer * shape[1]",
        "return 0 * values[(cell.layer * shape[1]",
        claims.test_a_state_and_its_gradient_that_were_given_are_shown,
    ),
    "unit and step are swapped in the maps": (
        "const unit = units[Math.floor(y * width)];",
        "const unit = Math.floor(x * width);",
        claims.test_pointing_at_a_cell_shows_the_numbers_that_the_trace_holds,
    ),
    "a map answers for the other direction": (
        "point({ direction, step, unit, name }, true);",
        "point({ direction: 0, step, unit, name }, true);",
        claims.test_pointing_at_a_cell_shows_the_numbers_that_the_trace_holds,
    ),
    "maps are drawn in reading order": (
        "values[x * width + units[y]]",
        "values[(direction ? data.steps - 1 - x : x) * width + units[y]]",
        claims.test_maps_are_coloured_by_value_in_input_time_order,
    ),
    "strips show unit 0": (
        "values[x * width + unit]",
        "values[x * width]",
        claims.test_each_strip_is_the_chosen_units_row_of_its_map,
    ),
    "the state's arrow is on the left in both directions": (
        "Math.max(cell.step, readBefore(cell).step)",
        "cell.step",
        claims.test_where_the_state_came_from_is_marked_in_each_direction,
    ),
    "the scale of 16-bit numbers is lost": (
        "* scales[Math.floor(k / width)]",
        "",
        claims.test_rounded_numbers_are_still_right_to_what_rounding_leaves,
    ),
    "influence is read by column": (
        "return found.values.subarray(start, start + U);",
        "return found.values.filter((_, k) => k % U === step);",
        claims.test_bars_over_the_tokens_are_the_influence_of_each_input,
    ),
    "the kept product counts the gate of the step itself": (
        "new Float64Array(H).fill(1)",
        "gates.slice(lossStep(cell) * H, (lossStep(cell) + 1) * H)",
        claims.test_curves_over_time_are_those_of_the_chosen_steps_loss,
    ),
    "text is read as markup": (
        "made.append(...[content].flat().filter((part) => part || part === 0));",
        "for (const part of [content].flat()) part?.nodeType ? made.append(part) : (made.innerHTML += part);",
        claims.test_hostile_tokens_and_classes_stay_text,
    ),
    "leaving does not go back": (
        "if (left) goBack();",
        "",
        claims.test_clicking_pins_leaving_goes_back_and_escape_frees,
    ),
    "keys are taken from the fields": (
        "return target === document.body && (",
        "return true || (",
        claims.test_keys_are_left_to_the_fields_that_need_them,
    ),
    "keys move the cell pointed at, not the pinned one": (
        "  goBack();\n  choose(part(view.cell), true);",
        "  choose(part(view.cell), true);",
        everybody.test_keys_move_the_pinned_cell_and_the_panel_goes_with_it,
    ),
    "curves are absolute": (
        "v / values[step]",
        "v",
        everybody.test_a_curve_of_one_steps_loss_is_a_share_of_its_size_there,
    ),
    "what is not finite has a colour of the ramp": (
        "isFinite(v) ? colours[k] : strange",
        "colours[k || 0]",
        everybody.test_what_is_not_finite_has_a_colour_of_its_own_and_the_legend_says_so,
    ),
    "maps keep the colours of the other ground": (
        'groundChange.addEventListener("change", drawLayer);',
        "",
        claims.test_maps_are_drawn_anew_when_the_ground_changes,
    ),
}

ARGUMENTS = {
    step_map.test_pointing_at_a_weight_shows_its_equations_and_chooses_the_encoders_step: [{"kind": "dot"}],
    claims.test_every_equation_of_every_step_holds_in_the_numbers_shown: [
        {"layer": layer, "direction": direction} for layer in (0, 1) for direction in ("forward", "reverse")
    ],
    claims.test_pointing_at_a_cell_shows_the_numbers_that_the_trace_holds: [
        {"layer": 0, "direction": direction, "step": step, "unit": unit}
        for direction, step, unit in (("forward", 3, 4), ("reverse", 1, 2))
    ],
    claims.test_a_state_and_its_gradient_that_were_given_are_shown: [{"kind": "BiLSTM"}],
}


def holds(claim, visits, **arguments):
    """Whether a claim's test passes."""
    try:
        claim(visits, **arguments)
        assert visits.seen == []
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(visits, monkeypatch, bug):
    old, new, claim = PLANTED[bug]

    def planted(document, **options):
        assert document.count(old) == 1, "the line to be broken is not there"
        return visits(document.replace(old, new), **options)

    planted.seen = visits.seen
    document = page_html(pages.tagger())
    assert document.count(old) == 1
    sets = ARGUMENTS.get(claim, [{}])
    if claim is claims.test_rounded_numbers_are_still_right_to_what_rounding_leaves:
        sets = [{"monkeypatch": monkeypatch}]
    assert not all(holds(claim, planted, **arguments) for arguments in sets)


def test_a_token_that_ends_the_data_is_found(visits, monkeypatch):
    monkeypatch.setattr(page.document, "json_in_html", json.dumps)
    assert not holds(claims.test_hostile_tokens_and_classes_stay_text, visits)

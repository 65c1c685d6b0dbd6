"""The page of weights from elsewhere: a layer alone, without labels, on an input that is said to be drawn."""

import numpy as np

from npbilstm.inspector import trace
from npbilstm.interop import to_pytorch
from tests.browser import pages
from tests.browser.reader import check_adds_up, check_recomputes, equations, frames


def test_a_state_dict_without_labels_has_notes_steps_and_equations_that_hold(opened):
    layer = pages.layer_trace(num_layers=2).layer
    state = {f"encoder.{name}": w for name, w in to_pytorch(layer).items()}
    page = opened(trace({**state, "fc.weight": np.zeros((2, 10))}).to_html())
    notes = page.locator("#notes").inner_text()
    assert "what stands beside this layer is not read: fc" in notes
    assert "so it is drawn: 12 steps of standard normal numbers, seed 0" in notes
    assert page.locator("#strips .labels.quiet", has_text="step").count() == 1
    assert page.locator("#strips .labels.quiet", has_text="token").count() == 0
    assert page.locator("#classes li").count() == 0
    for equation in equations(page).values():
        check_adds_up(equation)
        check_recomputes(equation)
    page.locator("#step-field").fill("11")
    frames(page)
    assert page.locator(".tokens .token.chosen").inner_text() == "11"

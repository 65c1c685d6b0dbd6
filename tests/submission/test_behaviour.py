"""What is wrong with how submitted passes behave, not with their numbers: what they change, keep and call."""

import sys

import pytest

from tests.submission.submitted_files import assert_agrees, drawn, pair_from
from tests.submission.test_pairs import GRADIENTS, changed


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        (
            "    return textbook.lstm_step_forward(",
            "    params.b[:] += 1\n    return textbook.lstm_step_forward(",
            "lstm_step_forward changes its b in place; it must leave it as it was",
        ),
        (
            GRADIENTS,
            f"dc *= 2\n    {GRADIENTS}",
            "lstm_step_backward changes its dc in place; it must leave it as it was",
        ),
        (
            GRADIENTS,
            f"cache.i[0] = 0\n    {GRADIENTS}",
            "lstm_step_backward gives another dx, dh_prev, dWx, db when it is called again on the same cache: "
            "something is kept, added up or used up from call to call",
        ),
        (
            GRADIENTS,
            f"cache.x[0] = 7\n    {GRADIENTS}",
            "lstm_step_backward changes its x in place; it must leave it as it was",
        ),
        (
            GRADIENTS,
            f"TOTAL.append(1)\n    dx = len(TOTAL) * dx\n    {GRADIENTS}",
            "lstm_step_backward gives another dx when it is called again on the same cache: something is kept, added "
            "up or used up from call to call",
        ),
        (
            GRADIENTS,
            f"if cache.i[0, 0] == 7: raise IndexError('used up')\n    cache.i[0, 0] = 7\n    {GRADIENTS}",
            "lstm_step_backward stops when it is called again on the same cache (used up)",
        ),
        (
            GRADIENTS,
            f"[lstm_step_forward(*cache[:3], cache.params) for _ in range(3)]\n    {GRADIENTS}",
            "lstm_step_backward calls lstm_step_forward 3 times in one pass; differences of the forward pass are no "
            "backward pass",
        ),
    ],
)
def test_how_a_pass_behaves_is_found_once(old, new, finding):
    submitted = pair_from("TOTAL = []\n" + changed((old, new)), "lstm_step")
    _, inputs, upstream = drawn("lstm_step", submitted)
    for _ in range(2):
        _, run = submitted.forward(inputs)
        submitted.backward(upstream, run)
    assert submitted.findings[0] == finding
    assert len(submitted.findings) == 1 or "changes its x" in finding


STORED = """
from npbilstm import textbook
class Layer:
    def __init__(self, inner):
        self.inner, self.grads, self.dWx = inner, [inner.i * 0], None
def lstm_step_forward(x, h_prev, c_prev, params):
    h, c, inner = textbook.lstm_step_forward(x, h_prev, c_prev, params)
    return h, c, Layer(inner)
def lstm_step_backward(dh, dc, layer):
    dx, dh_prev, dc_prev, grads = textbook.lstm_step_backward(dh, dc, layer.inner)
    layer.dWx, layer.grads[0][...], layer.grads[0][0] = grads.Wx, 1.0, dh[0]
    return dx, dh_prev, dc_prev, grads
"""


def test_a_backward_pass_may_store_its_gradients_in_what_it_is_given_as_cache():
    submitted = pair_from(STORED, "lstm_step")
    assert_agrees("lstm_step", submitted)
    assert (submitted.findings, submitted.changed) == ([], [])


def test_gradients_that_are_added_up_from_call_to_call_are_found():
    added = changed(
        ("layer.dWx, layer", "layer.dWx = grads.Wx + (0 if layer.dWx is None else layer.dWx)\n    _, layer"),
        ("    return dx, dh_prev, dc_prev, grads", "    return dx, dh_prev, dc_prev, grads._replace(Wx=layer.dWx)"),
        source=STORED,
    )
    submitted = pair_from(added, "lstm_step")
    assert_agrees("lstm_step", submitted)
    assert "lstm_step_backward gives another dWx when it is called again on the same cache" in submitted.findings[0]


def test_a_backward_pass_may_run_the_forward_pass_again():
    again = "[lstm_step_forward(*cache[:3], cache.params) for _ in range(2)]\n    "
    submitted = pair_from(changed((GRADIENTS, again + GRADIENTS)), "lstm_step")
    assert_agrees("lstm_step", submitted)
    assert submitted.findings == []
    assert sys.getprofile() is None

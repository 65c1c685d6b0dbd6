"""In a changed run of a Seq2Seq the decoder reads the changed encoder: answers, where it looks, loss and gradients."""

import copy

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.inspector import consequences, intervention
from tests.cases import assert_close
from tests.inspector.test_step_maps import ANSWERS, IDS, LENGTHS, check_equations, made
from tests.planting import planted

KINDS = ("additive", "dot", None)
SETTINGS = [("f", 0.9, 1, "forward", [1, 2]), ("h", -2.0, 0, "reverse", [0, 3]), ("c", 3.0, 2, "reverse", None)]


def changed_run(one):
    for name, to, unit, direction, steps in SETTINGS:
        one = one.intervene(name, to, unit=unit, direction=direction, steps=steps)
    return one


class ChangedEncoder:
    """An encoder that, as a layer alone, has these numbers set; how that is computed has tests of its own."""

    def __init__(self, encoder):
        self.encoder = encoder

    def forward(self, x, lengths=None, training=False):
        one = changed_run(nb.trace(self.encoder, x, lengths))
        last = np.where([[True], [False]], LENGTHS - 1, 0)  # where each direction reads last
        final = tuple(one[part][0][[[0], [1]], [[0, 1]], last] for part in "hc")
        return one.output, final, self.encoder.forward(x, lengths, training=training)[2]

    def __getattr__(self, name):
        return getattr(self.encoder, name)


def with_changed_encoder(model):
    other = copy.copy(model)
    other.encoder = ChangedEncoder(model.encoder)
    return other


def as_lists(answers):
    return [answer.tolist() for answer in answers]


def require_changed_answers(kind):
    """-> the answers before and after."""
    model = made(kind)
    other = with_changed_encoder(model)
    given, own = (changed_run(nb.trace(model, IDS, LENGTHS, target=target)) for target in (ANSWERS, None))
    targets, target_lengths = nb.pad([np.array(answer) for answer in ANSWERS])
    memory, state, encoder = other.encode(IDS, LENGTHS, True)
    loss, cache = other.answers_forward(memory, state, encoder, targets, target_lengths)
    assert_close(given.loss, loss)
    assert as_lists(given.answers) == ANSWERS
    assert as_lists(own.answers) == as_lists(other.predict(IDS, LENGTHS))
    assert own.loss is None
    assert (given.step_maps is None) == (own.step_maps is None) == (kind is None)
    for found in [*(given.step_maps or []), *(own.step_maps or [])]:
        check_equations(found)
    for n, found in enumerate(given.step_maps or []):
        assert_close(found.values, cache.decoder.alpha[: len(ANSWERS[n]) + 1, n, : LENGTHS[n]])
    return as_lists(model.predict(IDS, LENGTHS)), as_lists(own.answers)


@pytest.mark.parametrize("kind", KINDS)
def test_answers_loss_and_where_it_looks_are_those_of_a_changed_encoder(kind):
    before, after = require_changed_answers(kind)
    assert before != after


def require_gradients(kind):
    """Central differences of the loss of runs in which h of one more cell is set."""
    run = changed_run(nb.trace(made(kind), IDS, LENGTHS, target=ANSWERS))
    for side, row, step, unit in [(0, 0, 4, 1), (1, 0, 2, 1), (0, 1, 0, 2), (1, 1, 0, 1)]:
        h = run["h"][0, side, row, step, unit]
        place = {"unit": unit, "direction": run.directions[side], "steps": step, "row": row}
        above, below = (run.intervene("h", h + by, **place).loss for by in (1e-5, -1e-5))
        np.testing.assert_allclose(run["dh"][0, side, row, step, unit], (above - below) / 2e-5, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_the_changed_runs_loss_and_none_passes_what_is_set(kind):
    require_gradients(kind)
    run = changed_run(nb.trace(made(kind), IDS, LENGTHS, target=ANSWERS))
    assert not run["dh"][0, 1, :, [0, 3], 0].any()
    assert not run["dc"][0, 1, :, :, 2].any()
    assert (run.upstream is None) == (kind is None)
    assert "set, whatever the equation says" in str(run.explain(step=1, unit=1))


def test_to_set_what_is_there_changes_nothing():
    trace = nb.trace(made(), IDS, LENGTHS, target=ANSWERS)
    same = trace.intervene("h", float(trace["h"][0, 0, 0, 2, 1]), unit=1, steps=2, row=0)
    assert_close(same.loss, trace.loss)
    assert_close(same.step_maps[0].values, trace.step_maps[0].values)
    assert_close(same.dx[1], trace.dx[1])


def test_a_changed_run_of_float32_has_a_page_with_the_new_answer_and_says_what_is_set():
    model = nb.Seq2Seq(6, 4, hidden_size=3, embedding_size=4, rng=0)
    model = model.with_params({name: 3 * p for name, p in model.params.items()})
    before = nb.trace(model, [1, 2, 3], classes=["a", "b", "c", "d"])
    run = before.intervene("c", 9, unit=1).intervene("h", -4, unit=0, direction="reverse")
    assert run["h"].dtype == np.float32
    assert as_lists(run.answers) != as_lists(before.answers)
    assert run.step_maps[0].lines == [*("abcd"[k] for k in run.answers[0]), "end"]
    page = run.to_html()
    assert "a changed run, in which trace.intervene has set numbers: 3 of c, 3 of h" in page


def test_where_what_is_set_leaves_no_answer_it_is_said_and_given_answers_need_none():
    model = nb.Seq2Seq(8, 5, attention="dot", hidden_size=32, rng=0)
    with pytest.raises(ValueError, match="^to leaves the decoder with scores that are NaN or infinite"):
        nb.trace(model, [1, 2, 3]).intervene("h", 3e38)
    given = nb.trace(model, [1, 2, 3], target=[1, 2]).intervene("h", 3e38)
    assert as_lists(given.answers) == [[1, 2]]
    assert not np.isfinite(given.loss)


PLANTED = {
    "the final h for the final c": ("for part in changed.layer.state_parts)", "for part in 'hh')"),
    "the end of the forward direction for both": ('if way == "forward" else 0 * last', "if way else 0 * last"),
    "the answers of before": ("if changed.loss is None:", "if False:"),
    "the answers of its own in place of those given": ("if changed.loss is None:", "if True:"),
    "the state in which it started": ("bridged=state[0]", "bridged=encoder.bridged"),
    "the padding looked at": ("valid_steps(lengths, changed.ids.shape[1])", "np.ones(changed.ids.shape, bool)"),
    "the loss of the run before": ("*handed_over(changed), changed.answers)", "*handed_over(trace), changed.answers)"),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_seen(bug, monkeypatch):
    wrong = planted(consequences, *PLANTED[bug])
    for name in ("with_output", "with_gradients"):
        monkeypatch.setattr(intervention, name, vars(wrong)[name])
    with pytest.raises(AssertionError):
        [check(kind) for check in (require_changed_answers, require_gradients) for kind in KINDS]

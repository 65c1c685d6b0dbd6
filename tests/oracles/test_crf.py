"""pytorch-crf in float64 as the judge of the CRF: loss, every gradient, and Viterbi."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npbilstm.textbook import CRFParams, crf_backward, crf_forward, crf_viterbi
from tests.cases import assert_all_close, assert_close

torch = pytest.importorskip("torch", reason="torch is not installed (group oracles)")
torchcrf = pytest.importorskip("torchcrf", reason="pytorch-crf is not installed (group oracles)")


@st.composite
def cases(draw):
    """No row without steps: pytorch-crf has no answer for it."""
    N, T, V = draw(st.integers(1, 5)), draw(st.integers(1, 8)), draw(st.integers(1, 6))
    lengths = np.array(draw(st.lists(st.integers(1, T), min_size=N, max_size=N)))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    params = CRFParams(rng.standard_normal((V, V)), rng.standard_normal(V), rng.standard_normal(V))
    return 2 * rng.standard_normal((N, T, V)), rng.integers(0, V, (N, T)), params, lengths


def theirs(params):
    """pytorch-crf's layer with these params."""
    layer = torchcrf.CRF(len(params.start), batch_first=True).double()
    with torch.no_grad():
        for p, own in zip((layer.transitions, layer.start_transitions, layer.end_transitions), params):
            p.copy_(torch.tensor(own))
    return layer


@settings(max_examples=60)
@given(cases())
def test_loss_and_gradients_and_best_paths_are_pytorch_crf_s(case):
    scores, targets, params, lengths = case
    loss, cache = crf_forward(scores, targets, params, lengths)
    dscores, grads = crf_backward(1.5, cache)

    layer, emissions = theirs(params), torch.tensor(scores, requires_grad=True)
    # pytorch-crf wants the first step of every row valid, and cuts the batch where the longest row ends: so does this
    mask = torch.tensor(np.arange(scores.shape[1]) < lengths[:, None])
    T = lengths.max()
    per_step = -layer(emissions[:, :T], torch.tensor(targets[:, :T]), mask[:, :T], reduction="sum") / lengths.sum()
    (1.5 * per_step).backward()
    weights = (layer.transitions, layer.start_transitions, layer.end_transitions)
    expected = [np.zeros(p.shape) if p.grad is None else p.grad.numpy() for p in weights]  # None: rows of one step
    assert_close(loss, per_step.item(), 1e-10)
    assert_all_close((dscores, *grads), (emissions.grad.numpy(), *expected), 1e-10)

    path, _ = crf_viterbi(scores, params, lengths)
    decoded = layer.decode(emissions[:, :T], mask[:, :T])
    assert [list(row[:length]) for row, length in zip(path, lengths)] == decoded

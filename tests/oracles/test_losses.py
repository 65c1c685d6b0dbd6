"""PyTorch in float64 as the judge of losses with class weights and of steps that do not count."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from npbilstm import textbook
from tests.cases import assert_close

torch = pytest.importorskip("torch", reason="torch is not installed (group oracles)")
F = torch.nn.functional


@given(st.integers(1, 4), st.integers(1, 6), st.integers(1, 5), st.integers(0, 999), st.booleans(), st.booleans())
def test_class_weights_and_ignore_index_are_pytorchs(N, T, V, seed, weighted, by_mask):
    rng = np.random.default_rng(seed)
    logits, targets = 3 * rng.standard_normal((N, T, V)), rng.integers(0, V, (N, T))
    holes = rng.random((N, T)) < 0.4
    assume(not holes.all())  # of no step at all PyTorch's mean is NaN, and ours 0
    ignored = np.where(holes, -100, targets)
    weights = rng.uniform(0.1, 4, V) if weighted else None
    x = torch.tensor(logits, requires_grad=True)
    expected = F.cross_entropy(
        x.reshape(-1, V),
        torch.tensor(ignored.reshape(-1)),
        weight=None if weights is None else torch.tensor(weights),
        ignore_index=-100,
    )
    expected.backward()
    mask = ~holes if by_mask else textbook.counted_steps(ignored, ignore_index=-100)
    loss, cache = textbook.weighted_cross_entropy_forward(logits, targets if by_mask else ignored, weights, mask)
    assert_close(loss, expected.item())
    assert_close(textbook.weighted_cross_entropy_backward(1.0, cache), x.grad.numpy())


@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 999))
def test_a_loss_of_the_entries_of_a_mask_is_pytorchs_of_the_same_entries(N, T, seed):
    """Of numbers the losses take any shape, so a mask with holes picks what they see."""
    rng = np.random.default_rng(seed)
    a, y, mask = rng.standard_normal((N, T, 2)), rng.random((N, T, 2)), rng.random((N, T)) < 0.6
    assume(mask.any())
    for ours, theirs in [
        ("mean_squared_error", F.mse_loss),
        ("binary_cross_entropy", F.binary_cross_entropy_with_logits),
    ]:
        x = torch.tensor(a, requires_grad=True)
        expected = theirs(x[torch.tensor(mask)], torch.tensor(y[mask]))
        expected.backward()
        loss, cache = getattr(textbook, f"{ours}_forward")(a[mask], y[mask])
        dx = np.zeros_like(a)
        dx[mask] = getattr(textbook, f"{ours}_backward")(1.0, cache)
        assert_close(loss, expected.item())
        assert_close(dx, x.grad.numpy())

"""The CTC loss and its gradient are PyTorch's, in float64."""

import numpy as np
import pytest
from hypothesis import given, settings

from npbilstm.models.ctc_batch import ctc_batch_backward, ctc_batch_forward
from npbilstm.textbook import ctc_backward, ctc_forward
from tests.cases import assert_all_close
from tests.ctc_cases import ctc_cases, make_ctc_case

torch = pytest.importorskip("torch")


def by_torch(logits, targets, lengths, target_lengths):
    """PyTorch's loss, whose "mean" divides each row's by its labels: ours is its sum by the number of rows."""
    theirs = torch.tensor(logits, requires_grad=True)
    labels = np.where(np.arange(targets.shape[1]) < target_lengths[:, None], targets, 1)
    loss = torch.nn.functional.ctc_loss(
        theirs.log_softmax(dim=2).transpose(0, 1),
        torch.tensor(labels),
        torch.tensor(lengths),
        torch.tensor(target_lengths),
        reduction="sum",
    ) / len(logits)
    loss.backward()
    return loss.item(), theirs.grad.numpy()


def by_textbook(case):
    loss, cache = ctc_forward(*case)
    return loss, ctc_backward(1.0, cache)


def by_engine(case):
    loss, _, cache = ctc_batch_forward(*case)
    return loss, ctc_batch_backward(1.0, cache)


@settings(max_examples=60)
@given(ctc_cases(most_steps=9, most_classes=6).filter(lambda case: case[0].size and case[1].size))
def test_the_loss_and_its_gradient_agree_with_pytorch(case):
    expected = by_torch(*case)
    assert_all_close(by_textbook(case), expected, 1e-10)
    assert_all_close(by_engine(case), expected, 1e-10)


def test_so_do_those_of_two_hundred_steps():
    case = make_ctc_case(0, N=4, T=200, V=20, U=40)
    expected = by_torch(*case)
    assert_all_close(by_textbook(case), expected, 1e-10)
    assert_all_close(by_engine(case), expected, 1e-10)


def test_a_bug_would_be_seen():
    logits, targets, lengths, target_lengths = make_ctc_case(3, N=4, T=9)
    turned = targets[:, ::-1].copy()
    with pytest.raises(AssertionError):
        assert_all_close(
            by_textbook((logits, targets, lengths, target_lengths)), by_torch(logits, turned, lengths, target_lengths)
        )

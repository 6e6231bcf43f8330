"""Accuracy and loss of a net that overflows."""

import torch

from bnviz.measure.curves import accuracy, mean_loss


def test_the_accuracy_of_nan_logits_is_nan():
    logits = torch.tensor([[[1.0, 2.0]], [[torch.nan, 0.0]]])
    labels = torch.tensor([[1], [0]])
    assert accuracy(logits, labels)[0] == 1
    assert bool(accuracy(logits, labels)[1].isnan())
    assert mean_loss(logits, labels).isnan().tolist() == [False, True]

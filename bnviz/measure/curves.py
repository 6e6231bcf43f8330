"""Loss and accuracy of logits."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def mean_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy in nats, shape (trials,), of logits (trials, samples, classes) and labels (trials, samples)."""
    return cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view(labels.shape).mean(1)


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Share of samples whose largest logit is the label's, shape (trials,); NaN for a trial with a NaN logit."""
    share = (logits.argmax(2) == labels).to(logits.dtype).mean(1)
    return share.masked_fill(logits.isnan().flatten(1).any(1), torch.nan)  # argmax would take the NaN for the largest

"""The loss of the test set against one torch.nn network with running statistics."""

import torch

from tests.measure.moments import layers_of, loss_of


def REFERENCE(moment, trial):
    test, labels = torch.from_numpy(moment.dataset.test_inputs), torch.from_numpy(moment.dataset.test_labels)
    return {"test_loss": loss_of(layers_of(moment, trial).eval(), test, labels).item()}

"""The loss of the step's batch against one torch.nn network."""

from tests.measure.moments import layers_of, loss_of


def REFERENCE(moment, trial):
    return {"train_loss": loss_of(layers_of(moment, trial), moment.inputs[trial], moment.labels[trial]).item()}

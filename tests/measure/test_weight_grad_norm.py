"""Gradient norms of the weights against those of one torch.nn network."""

from tests.measure.moments import graded, layers_of


def REFERENCE(moment, trial):
    layers = layers_of(moment, trial)
    graded(layers, moment.inputs[trial], moment.labels[trial])
    gradients = [layer[0].weight.grad.flatten().tolist() for layer in list(layers)[:-1]]
    return {"weight_grad_norm": [sum(entry**2 for entry in gradient) ** 0.5 for gradient in gradients]}

"""How far plain gradient descent moves the weights of one torch.nn network."""

from tests.measure.moments import graded, layers_of


def REFERENCE(moment, trial):
    layers = layers_of(moment, trial)
    graded(layers, moment.inputs[trial], moment.labels[trial])
    hidden = [layer[0].weight for layer in list(layers)[:-1]]
    return {"update_ratio": [moment.arm.arm.lr * (weight.grad.norm() / weight.norm()).item() for weight in hidden]}

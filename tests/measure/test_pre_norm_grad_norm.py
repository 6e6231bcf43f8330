"""Gradient norms of the pre-norms against those of one torch.nn network."""

from tests.measure.moments import layers_of, loss_of


def REFERENCE(moment, trial):
    layers, seen = layers_of(moment, trial), []
    for layer in list(layers)[:-1]:
        layer[0].register_forward_hook(lambda module, inputs, output: seen.append(output) or output.retain_grad())
    loss_of(layers, moment.inputs[trial], moment.labels[trial]).backward()
    return {"pre_norm_grad_norm": [sum(entry**2 for entry in y.grad.flatten().tolist()) ** 0.5 for y in seen]}

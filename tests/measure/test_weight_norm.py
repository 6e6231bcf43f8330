"""Norms of the weights, entry by entry."""

from tests.measure.moments import layers_of


def REFERENCE(moment, trial):
    weights = [layer[0].weight.flatten().tolist() for layer in list(layers_of(moment, trial))[:-1]]
    return {"weight_norm": [sum(entry**2 for entry in weight) ** 0.5 for weight in weights]}

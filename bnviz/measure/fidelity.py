"""First-order fidelity: what a step changes against what its gradient promised."""

import numpy as np
import torch
from numpy.typing import NDArray

from bnviz.measure.copies import Copies, by_trial
from bnviz.measure.moment import Moment

SCALES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # of the step that is about to be taken


def fidelity_extra(moment: Moment) -> dict[str, NDArray[np.float32]]:
    """Actual over predicted change of the loss for the step that is about to be taken, on its own batch.

    The step is theta -> theta - lr d; the first-order prediction of the change is -lr <g, d>. 1: the loss is a plane as
    far as the step reaches; below 0: the step makes the loss larger; the rest is what the higher orders do.
    The steps of other lengths are extra trials of one stack.

    Returns:
        fidelity: for the step itself, (trials,); fidelity_profile: for the step times each of SCALES,
        (trials, len(SCALES)); fidelity_predicted, fidelity_actual: the two changes for the step itself, (trials,).
        NaN where no change is predicted.

    References:
        Goodfellow et al. 2016, Deep Learning, section 8.7.1: each step of a deep net updates all layers at once, and
        the effects of high order that this has are what batch normalization is said to remove.
    """
    arm = moment.arm
    parameters, move = arm.net.parameters, arm.lr * arm.direction
    scales = torch.tensor((0.0, *SCALES), dtype=move.dtype).unsqueeze(1)
    copies = Copies(arm.net, parameters.flat - scales * move)
    losses = copies.losses(moment.inputs, moment.labels)
    names = list(parameters.spans)
    gradients = [gradient[0] for gradient in copies.gradients(losses, names)]
    slope = torch.zeros(moment.config.trials, dtype=move.dtype)
    for name, gradient in zip(names, gradients, strict=True):
        slope -= (gradient * move[parameters.spans[name]].view(gradient.shape)).sum(1)
    predicted = (scales[1:] * slope).T
    actual = (losses[1:] - losses[0]).T
    now = SCALES.index(1.0)
    results = {
        "fidelity": actual[:, now] / predicted[:, now],
        "fidelity_profile": actual / predicted,
        "fidelity_predicted": predicted[:, now],
        "fidelity_actual": actual[:, now],
    }
    return {name: by_trial(values.masked_fill(values.isinf(), torch.nan), moment) for name, values in results.items()}

"""What each layer hands on: the input of the next one, wherever the norm stands."""

import numpy as np
import torch
from numpy.typing import NDArray

from bnviz.measure.copies import by_trial
from bnviz.measure.distributions import percentiles
from bnviz.measure.moment import Moment
from bnviz.nets import Activations


def layer_output_extra(moment: Moment) -> dict[str, NDArray[np.float32]]:
    """The distribution of every layer's output on the probe batch, over samples and units together.

    With the norm before the activation this is the post-activation, with the norm after it the normalized
    post-activation; a shortcut's part is in it. The probe batch passes with batch statistics.

    Returns:
        layer_output_percentiles: (trials, layers, len(PERCENTILES)); NaN where a net has overflowed.
        layer_output_mean, layer_output_std: (trials, layers), the standard deviation biased.
    """
    kept = Activations()
    with torch.inference_mode():
        moment.arm.net.hidden(moment.probe, "probe", kept)
    values = torch.stack(kept.layer_output, 1).flatten(2)
    spread = percentiles(values.nan_to_num().numpy())
    spread[~values.isfinite().all(2).numpy()] = np.nan
    mean = values.mean(2, keepdim=True)
    std = (values - mean).square().mean(2).sqrt()
    return {
        "layer_output_percentiles": by_trial(torch.from_numpy(spread), moment),
        "layer_output_mean": by_trial(mean.squeeze(2), moment),
        "layer_output_std": by_trial(std, moment),
    }

"""What each layer hands on: the input of the next one, wherever the norm stands."""

import numpy as np
import torch

from bnviz.measure.distributions import percentiles
from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="layer_output",
    wants=("activations",),
    caveat="the percentiles are NaN where a net has overflowed",
    results={
        "layer_output_percentiles": {
            "definition": "of what a layer hands on for the probe batch, over samples and units together",
            "unit": "value",
            "axes": ("trial", "layer", "percentile"),
        },
        "layer_output_mean": {"definition": "its mean", "unit": "value", "axes": ("trial", "layer")},
        "layer_output_std": {"definition": "its standard deviation (biased)", "unit": "value", "axes": ("trial", "layer")},
    },
)
def measure_layer_output(moment: Moment) -> Results:
    """The distribution of every layer's output on the probe batch, over samples and units together.

    With the norm before the activation this is the post-activation, with the norm after it the normalized
    post-activation; a shortcut's part is in it.
    """
    values = torch.stack(moment.activations.layer_output, 1).flatten(2)
    spread = percentiles(values.nan_to_num().numpy())
    spread[~values.isfinite().all(2).numpy()] = np.nan
    mean = values.mean(2, keepdim=True)
    std = (values - mean).square().mean(2).sqrt()
    return {
        "layer_output_percentiles": spread,
        "layer_output_mean": mean.squeeze(2),
        "layer_output_std": std,
    }

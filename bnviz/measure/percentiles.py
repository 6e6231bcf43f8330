"""The percentiles of a layer's values."""

from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="percentiles",
    place=31,
    always=True,
    wants=("percentiles",),
    caveat="NaN where a net has overflowed",
    results={
        "pre_norm_percentiles": {
            "definition": "of the pre-norm over samples and units together, linear interpolation",
            "unit": "value",
            "axes": ("shown", "layer", "percentile"),
        },
        "pre_activation_percentiles": {
            "definition": "of the pre-activation, likewise",
            "unit": "value",
            "axes": ("shown", "layer", "percentile"),
        },
        "post_activation_percentiles": {
            "definition": "of the post-activation, likewise",
            "unit": "value",
            "axes": ("shown", "layer", "percentile"),
        },
    },
)
def measure_percentiles(moment: Moment) -> Results:
    """Those that the drift is measured by as well."""
    return {f"{name}_percentiles": values for name, values in moment.percentiles.items()}

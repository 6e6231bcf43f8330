"""The costly measurements that a chart asks for by name: `RunConfig.extras`, or `Stage.keep`.

Each is a function of a `Moment` and one line here; its results go to `ArmMeasured.extras`. The first axis of a result
is the trials unless the function says otherwise; a trial that has diverged is NaN.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bnviz.measure.autocorrelation import autocorrelation_extra
from bnviz.measure.batch_noise import batch_noise_extra
from bnviz.measure.boundary import boundary_extra
from bnviz.measure.channel_maps import channel_maps_extra
from bnviz.measure.effective_lr import effective_lr_extra
from bnviz.measure.fidelity import fidelity_extra
from bnviz.measure.inference_modes import inference_modes_extra
from bnviz.measure.input_condition import input_condition_extra
from bnviz.measure.landscape import landscape_extra
from bnviz.measure.layer_output import layer_output_extra
from bnviz.measure.moment import Moment
from bnviz.measure.rank import rank_extra
from bnviz.measure.shift import shift_extra
from bnviz.measure.surface import surface_extra
from bnviz.measure.unit_states import unit_states_extra

Extra = Callable[[Moment], dict[str, NDArray[np.float32]]]

EXTRAS: dict[str, Extra] = {
    "decision_boundary": boundary_extra,
    "autocorrelation": autocorrelation_extra,
    "effective_lr": effective_lr_extra,
    "fidelity": fidelity_extra,
    "landscape": landscape_extra,
    "rank": rank_extra,
    "shift": shift_extra,
    "unit_states": unit_states_extra,
    "surface": surface_extra,
    "batch_noise": batch_noise_extra,
    "input_condition": input_condition_extra,
    "inference_modes": inference_modes_extra,
    "channel_maps": channel_maps_extra,
    "layer_output": layer_output_extra,
}

__all__ = ["EXTRAS", "Extra", "Moment"]

"""The costly measurements that a chart asks for by name: `RunConfig.extras`, or `Stage.keep`.

Each is a function of a `Moment` and one line here; its results go to `ArmMeasured.extras`. The first axis of a result
is the trials unless the function says otherwise; a trial that has diverged is NaN.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bnviz.measure.boundary import boundary_extra
from bnviz.measure.moment import Moment

Extra = Callable[[Moment], dict[str, NDArray[np.float32]]]

EXTRAS: dict[str, Extra] = {
    "decision_boundary": boundary_extra,
}

__all__ = ["EXTRAS", "Extra", "Moment"]

"""How badly the inputs are scaled and correlated."""

import numpy as np
from numpy.typing import NDArray

from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry


def condition_number(inputs: NDArray[np.floating]) -> float:
    """Largest over smallest eigenvalue of the second-moment matrix E[x x^T], of inputs (samples, features).

    Features that are 0 throughout are left out. Infinite where features depend on each other linearly, to the precision
    of float64; NaN without a feature that is not 0. It is what sets the pace of gradient descent on a linear layer:
    scales and means enter it, and so do correlations, which no standardization of single features removes.

    Raises:
        ValueError: no samples, or a value that is NaN or infinite.

    References:
        LeCun et al. 1998, Efficient BackProp, section 4.3.
    """
    inputs = np.asarray(inputs, np.float64)
    if not len(inputs) or not np.isfinite(inputs).all():
        raise ValueError(f"inputs: got shape {inputs.shape}, wanted at least one sample and finite values")
    used = inputs[:, (inputs != 0).any(axis=0)]
    if not used.size:
        return float("nan")
    singular = np.linalg.svd(used, compute_uv=False)
    full = len(singular) == used.shape[1] and singular[-1] > singular[0] * max(used.shape) * np.finfo(np.float64).eps
    return float((singular[0] / singular[-1]) ** 2) if full else float("inf")


def normalized(inputs: NDArray[np.floating], eps: float) -> NDArray[np.float64]:
    """Batch norm of the inputs over all samples, gamma 1 and beta 0: (samples, features) -> the same."""
    inputs = np.asarray(inputs, np.float64)
    centred = inputs - inputs.mean(axis=0)
    return centred / np.sqrt((centred**2).mean(axis=0) + eps)


@MeasureEntry(
    name="input_condition",
    wants=("data",),
    source="LeCun et al. 1998, Efficient BackProp, section 4.3",
    caveat="the same for all trials, which share the data, and at every step; infinite where features depend on each other "
    "linearly",
    results={
        "input_condition_before": {
            "definition": "condition number of the training inputs' second-moment matrix E[x x^T]",
            "unit": "ratio",
            "axes": ("trial",),
        },
        "input_condition_after": {"definition": "the same after batch norm on the input", "unit": "ratio", "axes": ("trial",)},
    },
)
def measure_input_condition(moment: Moment) -> Results:
    """`condition_number` of the training inputs as they are, and after batch norm on the input."""
    inputs = moment.dataset.train_inputs
    varying = inputs.min(axis=0) < inputs.max(axis=0)  # a constant becomes 0, up to rounding that would count as a feature
    after = condition_number(normalized(inputs[:, varying], moment.arm.arm.norm_eps))
    both = {"input_condition_before": condition_number(inputs), "input_condition_after": after}
    return {name: np.full(moment.config.trials, value, np.float32) for name, value in both.items()}

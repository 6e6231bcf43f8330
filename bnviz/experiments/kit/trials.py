"""Many values of one setting, each with several seeds, as the trials of one training stage.

Networks of one seed start from the same weights and see the same batches at every value: what differs is the value.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from bnviz.config.models import RunConfig
from bnviz.config.stages import Stage

Setting = Literal["lr", "init_gain", "momentum", "weight_decay"]  # what may differ from trial to trial: fields of `PerTrial`


def swept_stage(
    key: str, label: str, run: RunConfig, setting: Setting, values: Sequence[float], seeds: int, keep: tuple[str, ...]
) -> Stage:
    """A run whose arms all take these values of a setting, each with so many seeds: its trials' axes are the setting and "seed".

    Raises:
        ValueError: no value, or no seed.
    """
    if not values or seeds < 1:
        raise ValueError(f"values: received {len(values)}, seeds: received {seeds}; allowed: 1 or more of each")
    each = {"per_trial": {setting: [value for value in values for _ in range(seeds)]}}
    trials = {"trials": len(values) * seeds, "trial_seeds": list(range(seeds)) * len(values)}
    arms = [arm.model_dump() | each for arm in run.arms]
    swept = RunConfig.model_validate(run.model_dump() | trials | {"arms": arms})
    return Stage(key, label, swept, keep, trial_axes={setting: tuple(values), "seed": tuple(range(seeds))})


def decades(low: float, high: float, count: int) -> tuple[float, ...]:
    """`count` values evenly spaced in the logarithm from `low` to `high`, three significant digits."""
    return tuple(float(f"{value:.3g}") for value in np.geomspace(low, high, count))

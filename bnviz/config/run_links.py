"""The links of runs: any link reproduces its run, seed included, and values that depend on others follow them."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.config.paths import covers
from bnviz.config.presets import PRESETS
from bnviz.config.query import QueryCodec
from bnviz.registry.datasets import PLANE_DATASETS


def fitted(raw: dict[str, Any], asked: Mapping[str, str]) -> dict[str, Any]:
    """Adapt the values that depend on others to them, except those asked for by their path.

    The batch and the probe are no larger than the training set, the groups divide the width, a decision boundary is
    drawn for 2-D data only, and there are as many trials as values for each trial.
    """
    fitting = dict(raw)
    try:
        dataset = DatasetConfig.model_validate(raw["dataset"])
    except ValidationError:
        return fitting
    for key in ("batch_size", "probe_size"):
        if key not in asked and isinstance(raw[key], int):
            fitting[key] = min(raw[key], dataset.sizes[0])
    if "extras" not in asked and dataset.name not in PLANE_DATASETS:
        fitting["extras"] = [extra for extra in raw["extras"] if extra != "decision_boundary"]
    fitting["arms"] = [
        arm if any(covers(key, f"arms.{i}.group_count") for key in asked) else _whole_groups(arm)
        for i, arm in enumerate(raw["arms"])
    ]
    counts = {len(values) for arm in raw["arms"] for values in arm.get("per_trial", {}).values()} - {0}
    if "trials" not in asked and len(counts) == 1:
        fitting["trials"] = counts.pop()
    return fitting


def _whole_groups(arm: Mapping[str, Any]) -> dict[str, Any]:
    """The arm with the largest group count up to its own that divides the width."""
    try:
        width = int(arm.get("width", ArmConfig().width))
        count = int(arm.get("group_count", ArmConfig().group_count))
    except (TypeError, ValueError):
        return dict(arm)
    if arm.get("norm") != "group" or width < 1 or count < 1:
        return dict(arm)
    return {**arm, "group_count": next(n for n in range(min(count, width), 0, -1) if width % n == 0)}


RUN_LINKS = QueryCodec(RunConfig, {name: preset.config for name, preset in PRESETS.items()}, fitted, added_by="norm")

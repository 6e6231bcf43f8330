"""Networks that have been trained: one run to its end, for probes that look at what came of it."""

from collections.abc import Sequence

import torch

from bnviz.config.models import RunConfig
from bnviz.datasets import Dataset, load
from bnviz.training.loop import Trainer, TrainingState


def trained(config: RunConfig, dtype: torch.dtype = torch.float32) -> tuple[TrainingState, Dataset]:
    """The arms of a run after its last step, and the data they were trained on."""
    dataset = load(config.dataset, config.seed)
    *_, state = Trainer(config, dataset, dtype).states((config.steps,))
    return state, dataset


def random_rows(count: int, sizes: Sequence[int], seed: int) -> torch.Tensor:
    """Row indices below `count` in the shape `sizes`, drawn with replacement."""
    return torch.randint(count, tuple(sizes), generator=torch.Generator().manual_seed(seed))

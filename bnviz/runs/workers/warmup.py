"""What the launcher does once, so that no worker has to: importing, reading data sets, the first use of torch.

Runs in the launcher only; it needs torch.
"""

from importlib import import_module
from pkgutil import iter_modules

import numpy.ma  # noqa: F401 - NumPy loads it when it is first needed
import torch

from bnviz import probes
from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.datasets import load
from bnviz.experiments.board.catalog import catalog
from bnviz.registry.datasets import DATASETS
from bnviz.training.run import run


def warm_up() -> None:
    """Import what studies need, read the data sets that are files, train a tiny network for a step: torch sets itself up."""
    torch.set_num_threads(1)
    catalog()
    for found in iter_modules(probes.__path__):
        import_module(f"{probes.__name__}.{found.name}")
    for entry in DATASETS.values():
        if not entry.download:
            load(DatasetConfig(name=entry.name), 0)
    if torch.accelerator.is_available():
        return  # with a device, the first gradient starts threads, which a fork would lose
    state = torch.get_rng_state()
    arms = tuple(ArmConfig(norm=norm, depth=2, width=4) for norm in ("none", "batch"))
    for _ in run(RunConfig(arms=arms, trials=1, steps=1, batch_size=8, probe_size=8)):
        pass
    torch.set_rng_state(state)

"""The estimate of a run's memory against what the system says that the run has taken."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bnviz.config.memory import estimated_bytes
from bnviz.config.models import ArmConfig, DatasetConfig, PerTrial, RunConfig

ROOT = Path(__file__).parents[2]
LOWEST, HIGHEST = 0.8, 3.0  # estimate over measured
GROWTH = """
import sys
from bnviz.config.models import ArmConfig, RunConfig
from bnviz.training.run import run

def kilobytes(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name))

small = ArmConfig(depth=2, width=4)
list(run(RunConfig(arms=(small, small.model_copy(update={"norm": "batch"})), trials=2, batch_size=4, steps=1)))
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak starts anew
before = kilobytes("VmRSS")
for record in run(RunConfig.model_validate_json(sys.argv[1])):
    pass
print(1024 * (kilobytes("VmHWM") - before))
"""


def growth(config: RunConfig) -> int:
    """Bytes by which a process of its own grows, at most, while it runs a configuration."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    arguments = [sys.executable, "-c", GROWTH, config.model_dump_json()]
    return int(subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout)


def gaussian(**settings: int) -> DatasetConfig:
    return DatasetConfig(name="gaussian", **settings)


def of(trials: int, *arms: ArmConfig, **settings: object) -> RunConfig:
    return RunConfig.model_validate({"arms": arms, "trials": trials, "steps": 1, **settings})


WIDE = ArmConfig(norm="batch", depth=4, width=512)
SWEPT_ADAM = ArmConfig(depth=4, width=512, optimizer="adam", weight_decay=0.1, per_trial=PerTrial(lr=(0.1,) * 12))
DROPPING = ArmConfig(norm="batch_noisy", depth=6, width=64, dropout=0.5, residual=True)
EIGHT = ArmConfig(norm="batch", depth=8, width=64)
FEATURES = ArmConfig(norm="batch", depth=1, width=8, norm_on_input=True)
SHAPES = {
    "wide": of(24, WIDE),
    "deep": of(16, ArmConfig(norm="batch", depth=100, width=32)),
    "many trials": of(128, ArmConfig(norm="layer", depth=6, width=64), ArmConfig(depth=6, width=64)),
    "adam, swept": of(12, SWEPT_ADAM),
    "large batch": of(32, DROPPING, batch_size=1024),
    "large probe": of(32, EIGHT, batch_size=4, probe_size=512, extras=("all_trial_distributions",)),
    "large test set": of(64, ArmConfig(depth=3, width=64), batch_size=4, dataset=gaussian(features=64, test_size=5000)),
    "many features": of(16, FEATURES, batch_size=512, dataset=gaussian(features=1024, train_size=1024)),
    "much data": of(1, FEATURES, dataset=gaussian(features=256, train_size=20_000)),
    "conv": of(16, ArmConfig(architecture="conv", norm="batch", depth=4, width=16)),
    "recurrent": of(32, ArmConfig(architecture="recurrent", norm="batch", width=128)),
    "shift": of(32, EIGHT, extras=("shift",)),
    "surface": of(8, EIGHT, extras=("surface",)),
    "batch noise": of(16, EIGHT, extras=("batch_noise",)),
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system does not tell the peak")
@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_takes_about_what_was_estimated(shape: str) -> None:
    measured = growth(SHAPES[shape])
    assert LOWEST * measured < estimated_bytes(SHAPES[shape]) < HIGHEST * measured

"""An experiment of one part, small enough to be run in a test: two arms on random numbers, then a probe of random nets."""

from typing import Literal

import numpy as np
import pytest
from pydantic import Field

from bnviz.charts.builders import category_chart, curve_chart, curve_point, plain_styles, sweep_series
from bnviz.config.base import Float, Int
from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.experiments.board import catalog
from bnviz.experiments.kit.base import Chart, Choice, Experiment, Part, Preset, Reference, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results

NORMS = ("none", "batch")
STYLES = plain_styles(NORMS)


class TinySettings(Settings):
    steps: Int = Field(default=4, ge=1, le=50, title="Steps", description="Updates.")
    lr: Float = Field(default=0.1, ge=1e-6, le=100, title="Rate", description="Learning rate.")
    widths: tuple[Int, ...] = Field(default=(2, 4), title="Widths", description="Units.")
    norms: tuple[Literal["none", "batch"], ...] = Field(default=NORMS, title="Norms", description="What is compared.")
    activation: Literal["relu", "tanh"] = Field(default="relu", title="Activation", description="Of the layers.")
    residual: bool = Field(default=False, title="Skips", description="Shortcuts.")


def stages(settings: TinySettings) -> tuple[Stage, ...]:
    runs = []
    for width in settings.widths:
        arms = tuple(ArmConfig(norm=norm, depth=2, width=width, lr=settings.lr) for norm in settings.norms)
        dataset = DatasetConfig(name="gaussian", features=3, train_size=32, test_size=8)
        config = RunConfig(dataset=dataset, arms=arms, trials=2, batch_size=8, steps=settings.steps)
        runs.append(Stage(f"width={width}", f"width {width}", config, keep=("train_loss",)))
    return (*runs, Stage("nets", "random nets", probe="born_dead", options={"widths": [2], "depth": 2, "nets": 40}))


def charts(settings: TinySettings) -> tuple[Chart, ...]:
    names = [str(width) for width in settings.widths]

    def final(results: Results):
        lasts = [results.last(f"width={width}") for width in settings.widths]
        rows = [[last.arms[arm].curves["train_loss"] if last else [np.nan] * 2 for last in lasts] for arm in range(2)]
        return {"": [sweep_series(row) for row in rows]}

    def point(results: Results):
        assert results.now is not None
        return {"": [curve_point(arm.curves["train_loss"]) for arm in results.now.arms] or [[None] * 3] * 2}

    return (
        Chart(category_chart("final", "Final loss", "Lower is better.", "loss", names, STYLES), final),
        Chart(curve_chart("curve", "Loss", "Lower is better.", "loss", STYLES, settings.steps), point),
    )


def verdict(settings: TinySettings, results: Results) -> Verdict | None:
    key = f"width={settings.widths[0]}"
    if not results.finished(key):
        return None
    none, batch = (float(np.median(results.last(key).arms[arm].curves["train_loss"])) for arm in range(2))
    return Verdict(
        "lower" if batch < none else "higher", f"Loss {none:.3g} without and {batch:.3g} with.", {"none": none, "batch": batch}
    )


PART = Part(
    id="losses",
    title="Losses",
    question="Whose loss is lower?",
    choices=(Choice("lower", "That of batch norm"), Choice("higher", "That of the plain net")),
    settings=TinySettings,
    presets=(
        Preset("small", "Small", "Two widths.", TinySettings()),
        Preset("longer", "Longer", "More steps.", TinySettings(steps=8)),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(Reference("Ioffe & Szegedy 2015", "https://arxiv.org/abs/1502.03167"),),
    caveat=("losses", "longer"),
)
TINY = Experiment("tiny", 1, "Tiny", ":material/science:", (PART,))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Experiment:
    """The only experiment there is while the test runs."""
    monkeypatch.setattr(catalog, "catalog", lambda: {"tiny": TINY})
    return TINY

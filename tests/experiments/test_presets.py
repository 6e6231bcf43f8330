"""Every preset shows what it says: the whole run, on this machine."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from bnviz.config.ceilings import MEMORY_CEILING, check_cost
from bnviz.config.memory import estimated_bytes
from bnviz.config.models import RunConfig
from bnviz.config.presets import DEFAULT_PRESET, PRESETS
from bnviz.datasets import load
from bnviz.experiments.parts.race import RaceVerdict
from bnviz.records.records import StepMeasured
from bnviz.training.run import run

ISSUE_PRESETS = ("classic", "sigmoid_2015", "high_lr", "dying_relu", "deep_30", "tiny_batch", "spirals")


class Played:
    """A preset's run: its measured steps and its verdict."""

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self.verdict = RaceVerdict(config)
        self.frames: list[StepMeasured] = []
        for record in run(config):
            if isinstance(record, StepMeasured):
                self.frames.append(record)
                self.verdict.add(record)

    def accuracy(self, step: int) -> dict[str, float]:
        """Median test accuracy by norm at the last measurement up to a step."""
        frame = max(i for i, frame in enumerate(self.frames) if frame.step <= step)
        return dict(zip((arm.norm for arm in self.config.arms), self.verdict.medians[frame], strict=True))

    def layers(self, name: str, frame: int = -1) -> dict[str, np.ndarray]:
        """A layer measure by norm, shape (trials, layers)."""
        return {arm.norm: measured.layers[name] for arm, measured in zip(self.config.arms, self.frames[frame].arms, strict=True)}

    @property
    def last(self) -> dict[str, float]:
        return self.accuracy(self.config.steps)


@cache
def played_once(name: str) -> Played:
    return Played(PRESETS[name].config)


@pytest.fixture
def play() -> Callable[[str], Played]:
    return played_once


def test_the_presets_are_there_and_described() -> None:
    assert set(ISSUE_PRESETS) <= PRESETS.keys()
    assert next(iter(PRESETS)) == DEFAULT_PRESET
    for name, preset in PRESETS.items():
        assert preset.name == name
        assert preset.sentence.endswith(".")
        assert preset.what_to_see.endswith(".")
        assert len(preset.title) <= 32
        assert max(len(preset.sentence), len(preset.what_to_see)) <= 125, "one line on a projector"
        assert preset.config.trials >= 6, "fewer give no 95 % interval"
        check_cost(preset.config)
        assert estimated_bytes(preset.config) < MEMORY_CEILING / 8


@pytest.mark.slow
def test_classic_is_a_race_that_both_finish(play: Callable[[str], Played]) -> None:
    played = play("classic")
    (comparison,) = played.verdict.comparisons()
    assert comparison.outcome == "sooner"
    assert comparison.speedup[0] > 2
    assert played.last["none"] > 0.88
    assert played.last["batch"] > 0.92


@pytest.mark.slow
def test_sigmoid_2015_as_in_figure_1(play: Callable[[str], Played]) -> None:
    at_100 = play("sigmoid_2015").accuracy(100)
    assert at_100["batch"] > 0.9
    assert at_100["none"] < 0.2


@pytest.mark.slow
def test_high_lr_only_batch_norm_learns(play: Callable[[str], Played]) -> None:
    played = play("high_lr")
    assert played.last["batch"] > 0.9
    assert played.last["none"] < 0.3
    assert (played.frames[-1].arms[0].diverged_at >= 0).any()
    assert (played.frames[-1].arms[1].diverged_at < 0).all()


@pytest.mark.slow
def test_dying_relu_kills_units_of_the_plain_net_only(play: Callable[[str], Played]) -> None:
    played = play("dying_relu")
    shares = {norm: np.nanmedian(dead, axis=0)[1:].mean() / 32 for norm, dead in played.layers("dead_relu_count").items()}
    assert shares["none"] > 0.5
    assert shares["batch"] < 0.05


@pytest.mark.slow
def test_deep_30_gradient_vanishes_without_batch_norm(play: Callable[[str], Played]) -> None:
    played = play("deep_30")
    gradients = {norm: np.median(values, axis=0) for norm, values in played.layers("pre_norm_grad_norm", 0).items()}
    assert gradients["none"][0] < 1e-2 * gradients["none"][-1]
    assert gradients["batch"][0] > gradients["batch"][-1]
    assert played.last["none"] < 0.15
    assert played.last["batch"] > 0.35


@pytest.mark.slow
def test_tiny_batch_batch_norm_comes_last(play: Callable[[str], Played]) -> None:
    last = play("tiny_batch").last
    assert min(last, key=last.__getitem__) == "batch"
    assert last["batch"] < 0.5
    assert min(last[norm] for norm in ("none", "layer", "group")) > 0.7


@pytest.mark.slow
def test_spirals_tens_of_steps_against_hundreds(play: Callable[[str], Played]) -> None:
    played = play("spirals")
    steps = np.median(played.verdict.steps_to_target(), axis=1)  # type: ignore[arg-type]
    assert steps[0] > 200
    assert 10 < steps[1] < 100
    assert all("decision_boundary" in arm.extras for arm in played.frames[-1].arms)


@pytest.mark.slow
def test_small_steps_batch_norm_gains_nothing(play: Callable[[str], Played]) -> None:
    played = play("small_steps")
    (comparison,) = played.verdict.comparisons()
    assert comparison.outcome != "sooner"
    assert 0.7 < comparison.speedup[0] < 1.1
    assert min(played.last.values()) > 0.8


@pytest.mark.slow
def test_raw_inputs_diverge_without_batch_norm(play: Callable[[str], Played]) -> None:
    played = play("raw_inputs")
    plain, batch = played.frames[-1].arms
    assert (plain.diverged_at >= 0).all()
    assert (plain.diverged_at < 20).all()
    assert (batch.diverged_at < 0).all()
    assert played.last["batch"] > 0.85
    spread = load(played.config.dataset, seed=0).train_inputs.std(axis=0)
    assert spread.max() / spread.min() > 10_000

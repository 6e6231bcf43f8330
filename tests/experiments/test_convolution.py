"""Experiment 13: what a norm per channel does for a small convolutional net, and with batches of two images."""

import numpy as np
import pytest

from bnviz.experiments.board.headless import conclude
from bnviz.experiments.kit.results import Results
from bnviz.experiments.parts.convolution import channels, pairs
from bnviz.records.records import ArmMeasured, StageMeasured


@pytest.fixture(scope="module")
def race():
    return conclude("convolution", "channels", "fast", seeds=3, steps=60)


@pytest.mark.slow
def test_at_a_high_rate_both_norms_train_to_a_lower_loss(race) -> None:
    verdict, _ = race
    assert verdict is not None
    assert verdict.answer == "both"
    assert verdict.numbers["batch"].median < 0.7 * verdict.numbers["none"].median


@pytest.mark.slow
def test_maps_after_batch_norm_are_on_one_scale_whatever_they_were(race) -> None:
    """Before training, over the whole probe batch a channel has standard deviation 1; one image's map is near that."""
    _, results = race
    before, after = (results.over_steps(side).at(step=0) for side in channels.SIDES)
    assert [len(before.axes[axis]) for axis in ("seed", "layer", "channel", "row", "column")] == [3, 5, 4, 8, 8]
    assert 0.3 < float(after.at(arm="batch").values.std()) < 2
    assert np.array_equal(before.at(arm="none").values, after.at(arm="none").values)


@pytest.mark.slow
def test_a_map_is_drawn_with_its_first_row_at_the_top(race) -> None:
    """The panel draws the first packed row at the bottom: so rows are packed from the image's last one up."""
    _, results = race
    packed = _maps(results)["batch/4/0"][0]
    image = results.newest("channel_maps_before").at(arm="batch", seed=0, layer=5, channel=1).rows("row", "column")
    cells = [
        channels.heatmap_series([[min(max(image[row, column], -3), 3)]], -3, 3) for row in range(7, -1, -1) for column in range(8)
    ]
    assert list(packed) == cells


def _maps(results):
    chart = next(chart for chart in channels.charts(channels.ChannelSettings()) if chart.spec.id == "maps")
    return chart.draw(results)


@pytest.mark.slow
def test_batches_of_two_images_break_batch_norm_in_the_dense_net_only() -> None:
    verdict, _ = conclude("convolution", "pairs", seeds=3, steps=300)
    assert verdict is not None
    assert verdict.answer == "survives"
    assert verdict.numbers["dense_batch"].high < 35
    assert verdict.numbers["conv_batch"].low > 70


def test_every_net_has_a_colour_of_its_own() -> None:
    assert len({style.color for style in pairs.styles().values()}) == len(pairs.NETS.keys) == 6


@pytest.mark.parametrize(
    ("dense", "conv", "answer"), [(0.2, 0.9, "survives"), (0.2, 0.2, "breaks"), (0.9, 0.9, "both"), (0.9, 0.2, None)]
)
def test_the_answer_on_pairs_follows_the_accuracies(dense: float, conv: float, answer: str | None) -> None:
    settings = pairs.PairSettings(seeds=2)
    (stage,) = pairs.stages(settings)
    results = Results([stage])
    found = {"dense, batch": dense, "conv, batch": conv}
    arms = [measured_arm({"test_accuracy": np.full(2, found.get(net, 0.9))}) for net in pairs.NETS.keys]
    results.add(StageMeasured(0, 0, settings.steps, 1.0, True, tuple(arms), {}))
    verdict = pairs.verdict(settings, results)
    assert verdict is not None
    assert verdict.answer == answer
    assert verdict.numbers["conv_batch"].median == pytest.approx(100 * conv)
    assert "2 values per unit in the dense net and 128 per channel" in verdict.details


@pytest.mark.parametrize(
    ("batch", "group", "answer", "judgement"),
    [
        ([0.5, 0.9], [0.1, 0.2], "both", "supported"),
        ([0.5, 2.0], [0.1, 0.2], "group", "mixed"),
        ([0.5, 0.9], [0.1, np.nan], "batch", "supported"),
        ([2.0, np.nan], [2.0, 2.0], "neither", "not supported in this setting"),
    ],
)
def test_a_norm_helps_when_its_loss_is_lower_for_every_seed(
    batch: list[float], group: list[float], answer: str, judgement: str
) -> None:
    settings = channels.ChannelSettings(seeds=2)
    results = Results(channels.stages(settings))
    arms = tuple(measured_arm({"train_loss": np.array(row)}) for row in ([1.0, 1.0], batch, group))
    results.add(StageMeasured(0, 0, settings.steps, 1.0, True, arms, {}))
    verdict = channels.verdict(settings, results)
    assert verdict is not None
    assert verdict.answer == answer
    assert channels.PART.claims[0].judge(verdict).judgement == judgement


def measured_arm(curves: dict[str, np.ndarray]) -> ArmMeasured:
    """An arm with these curves, each (2,); a trial without a number has diverged."""
    lost = np.isnan(next(iter(curves.values())))
    return ArmMeasured(
        {name: values.astype(np.float32) for name, values in curves.items()}, {}, {}, {}, np.where(lost, 3, -1), {}
    )

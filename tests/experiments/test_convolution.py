"""Experiment 13: what a norm per channel does for a small convolutional net, and with batches of two images."""

import numpy as np
import pytest

from bnviz.experiments.board.headless import conclude
from bnviz.experiments.parts.convolution import channels, pairs


@pytest.fixture(scope="module")
def race():
    return conclude("convolution", "channels", "fast", seeds=3, steps=60)


@pytest.mark.slow
def test_at_a_high_rate_both_norms_train_to_a_lower_loss(race) -> None:
    verdict, _ = race
    assert verdict is not None
    assert verdict.answer == "both"
    assert verdict.numbers["batch"] < 0.7 * verdict.numbers["none"]


@pytest.mark.slow
def test_maps_after_batch_norm_are_on_one_scale_whatever_they_were(race) -> None:
    """Before training, over the whole probe batch a channel has standard deviation 1; one image's map is near that."""
    _, results = race
    first = results.history(channels.STAGE)[0].arms
    before, after = (first[channels.BATCH].extras[f"channel_maps_{side}"] for side in ("before", "after"))
    assert before.shape == after.shape == (3, 5, 4, 8, 8)
    assert 0.3 < float(after.std()) < 2
    none = first[channels.NONE].extras
    assert np.array_equal(none["channel_maps_before"], none["channel_maps_after"])


@pytest.mark.slow
def test_a_map_is_drawn_with_its_first_row_at_the_top(race) -> None:
    """The panel draws the first packed row at the bottom: so rows are packed from the image's last one up."""
    _, results = race
    packed = _maps(results)["batch/4/0"][0]
    image = results.last(channels.STAGE).arms[channels.BATCH].extras["channel_maps_before"][0, 4, 0]
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
    assert verdict.numbers["dense_batch_high"] < 0.35
    assert verdict.numbers["conv_batch_low"] > 0.7


def test_every_net_has_a_colour_of_its_own() -> None:
    assert len({style.color for style in pairs.styles()}) == len(pairs.ARMS)

"""The loss surface against single torch.nn networks, and its directions."""

import numpy as np
import torch

from bnviz.measure.surface import REACH, SIDE, SURFACE, filter_normalized
from bnviz.nets.initialization import Streams
from tests.measure.moments import PLAIN, layers_of, loss_of, measured, moments

SHARES = np.linspace(-REACH, REACH, SIDE)


def _directions(moment) -> list[torch.Tensor]:
    streams = Streams(moment.config.seed, moment.arm.net.trial_seeds, SURFACE)
    return [filter_normalized(moment.arm.net, streams) for _ in range(2)]


SETTING = {"depth": 2}


def REFERENCE(moment, trial):
    """Point by point."""
    spans = moment.arm.net.parameters.spans
    first, second = _directions(moment)
    labels = torch.from_numpy(moment.dataset.train_labels[: moment.config.probe_size])
    surface = np.zeros((SIDE, SIDE))
    for row, column in np.ndindex(surface.shape):
        layers = layers_of(moment, trial)
        with torch.no_grad():
            for i, layer in enumerate(layers):
                linear = layer[0] if isinstance(layer, torch.nn.Sequential) else layer
                parts = [d[spans[f"weight{i}"]].view(2, *linear.weight.T.shape)[trial] for d in (first, second)]
                linear.weight += (SHARES[column] * parts[0] + SHARES[row] * parts[1]).T
            surface[row, column] = loss_of(layers, moment.probe[trial], labels).item()
    return {"surface": surface}


def test_directions_are_as_long_as_the_filters_and_alike_for_twins():
    plain, batch = moments(step=0)
    for mine, other in zip(_directions(plain), _directions(batch), strict=True):
        for name in ("weight0", "weight2", "weight3"):
            span, weight = plain.arm.net.parameters.spans[name], plain.arm.net.parameters.views[name]
            part = mine[span].view(weight.shape)
            torch.testing.assert_close(part.norm(dim=1), weight.detach().norm(dim=1))
            torch.testing.assert_close(part, other[batch.arm.net.parameters.spans[name]].view(weight.shape))
        assert not mine[plain.arm.net.parameters.spans["bias1"]].any()
        assert not other[batch.arm.net.parameters.spans["gamma1"]].any()


def test_units_without_weights_have_no_direction():
    moment = moments((PLAIN,), step=0)[0]
    moment.arm.net.parameters.flat.zero_()
    assert not filter_normalized(moment.arm.net, Streams(0, (0, 1), SURFACE)).any()
    np.testing.assert_allclose(measured("surface", moment)["surface"], np.log(10), rtol=1e-6)

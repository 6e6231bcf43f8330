"""What a convolution's norm does to its maps, against torch.nn."""

import torch
from torch import nn

from bnviz.config.models import ArmConfig
from tests.measure.moments import BATCH, measured, moments

SETTING = {
    "arms": tuple(
        ArmConfig(norm="batch", architecture="conv", norm_placement=placement, activation="tanh")
        for placement in ("before_activation", "after_activation")
    ),
    "depth": 2,
    "width": 5,
    "step": 1,
}


def REFERENCE(moment, trial):
    views, arm = moment.arm.net.parameters.views, moment.arm.arm
    values = moment.probe[trial].reshape(-1, 1, 8, 8)
    maps = {"channel_maps_before": [], "channel_maps_after": []}
    for i in range(2):
        conv = nn.Conv2d(values.shape[1], 5, 3, padding=1).double()
        conv.weight.data = views[f"weight{i}"].detach()[trial].T.reshape(conv.weight.shape).clone()
        conv.bias.data = views[f"bias{i}"].detach()[trial, 0].clone()
        norm = nn.BatchNorm2d(5).double()
        norm.weight.data, norm.bias.data = (views[f"{name}{i}"].detach()[trial, 0].clone() for name in ("gamma", "beta"))
        norm_first = arm.norm_placement == "before_activation"
        before = conv(values) if norm_first else torch.tanh(conv(values))
        after = norm(before)
        values = torch.tanh(after) if norm_first else after
        maps["channel_maps_before"].append(before[0, :4].detach())
        maps["channel_maps_after"].append(after[0, :4].detach())
    return {name: torch.stack(layers).numpy() for name, layers in maps.items()}


def test_channel_maps_of_a_dense_net():
    assert measured("channel_maps", moments((BATCH,), step=0)[0]) == {}

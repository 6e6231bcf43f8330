"""The convolutional stack against `torch.nn` modules in float64, and where normalizing maps is at its limits."""

import pytest
import torch
from torch import Tensor, nn

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.nets import ConvStack, build
from bnviz.nets.stack import Activations
from bnviz.records.records import StepMeasured
from bnviz.training.run import run
from tests.nets.norms.references import learned_of
from tests.nets.parity import Placed, check_one_step, check_trajectory, shaken, with_parameters_of
from tests.nets.reference import norm_module

TRIALS, BATCH, SIDE, CLASSES, WIDTH = 3, 6, 5, 4, 4
SHARED = {"architecture": "conv", "depth": 3, "width": WIDTH, "group_count": 2}
ARMS = [
    *(ArmConfig(norm=norm, **SHARED) for norm in ("none", "batch", "group", "layer", "instance")),
    ArmConfig(norm="batch", activation="tanh", norm_placement="after_activation", norm_eps=0.1, norm_momentum=0.3, **SHARED),
    ArmConfig(norm="batch", residual=True, **SHARED),
    ArmConfig(norm="group", residual=True, norm_placement="after_activation", **SHARED),
]


class Network(nn.Module):
    def __init__(self, arm: ArmConfig, classes: int, side: int = 8) -> None:
        super().__init__()
        self.arm, self.side = arm, side
        channels = [1, *[arm.width] * (arm.depth - 1)]
        self.convolutions = nn.ModuleList(nn.Conv2d(before, arm.width, 3, padding=1) for before in channels)
        self.norms = nn.ModuleList(norm_module(arm, side**2) for _ in channels)
        self.activation = {"relu": nn.ReLU, "tanh": nn.Tanh}[arm.activation]()
        self.head = nn.Linear(arm.width * side * side, classes)
        self.double()

    def forward(self, values: Tensor) -> Tensor:
        values = values.reshape(-1, 1, self.side, self.side)
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            out = convolution(values).flatten(2)
            before = self.arm.norm_placement == "before_activation"
            out = (self.activation(norm(out)) if before else norm(self.activation(out))).unflatten(2, (self.side, self.side))
            values = values + out if self.arm.residual and i > 0 else out
        return self.head(values.flatten(1))

    def named(self) -> Placed:
        placed: Placed = {f"weight{self.arm.depth}": (self.head.weight, lambda ours: ours.T)}
        placed[f"bias{self.arm.depth}"] = (self.head.bias, torch.flatten)
        for i, convolution in enumerate(self.convolutions):
            placed[f"weight{i}"] = (convolution.weight, lambda ours, i=i: ours.T.reshape(self.convolutions[i].weight.shape))
            placed[f"bias{i}"] = (convolution.bias, torch.flatten)
            for name, value in zip(("gamma", "beta"), learned_of(self.norms[i]), strict=False):
                placed[f"{name}{i}"] = (value, torch.flatten)
        return placed

    def batch_norms(self) -> list:
        return list(self.norms) if self.arm.norm == "batch" else []


def label(arm: ArmConfig) -> str:
    return "-".join(str(value) for name, value in arm.model_dump(exclude_defaults=True).items() if name not in SHARED)


def stack(arm: ArmConfig, side: int = SIDE) -> ConvStack:
    net = build(arm, inputs=side * side, classes=CLASSES, trials=TRIALS, seed=3, dtype=torch.float64)
    assert isinstance(net, ConvStack)
    return net


@pytest.fixture(scope="module")
def batch() -> tuple[Tensor, Tensor]:
    stream = torch.Generator().manual_seed(7)
    inputs = torch.randn(TRIALS, BATCH, SIDE * SIDE, generator=stream, dtype=torch.float64)
    return inputs, torch.randint(CLASSES, (TRIALS, BATCH), generator=stream)


@pytest.mark.parametrize("arm", ARMS, ids=label)
def test_outputs_gradients_and_statistics_equal_those_of_modules(arm, batch):
    net = shaken(stack(arm))
    check_one_step(net, with_parameters_of(net, [Network(arm, CLASSES, SIDE) for _ in range(TRIALS)]), *batch)


@pytest.mark.parametrize("steps", [1, 2, 100])
@pytest.mark.parametrize("norm", ["none", "batch", "group"])
def test_trajectories_equal_those_of_modules(norm, steps):
    arm = ArmConfig(norm=norm, architecture="conv", depth=2, width=4, lr=0.05, momentum=0.5)
    check_trajectory(arm, steps, Network)


def test_kept_tensors_lie_on_the_way_of_the_gradient_and_change_nothing(batch):
    net = stack(ArmConfig(norm="batch", **SHARED))
    kept = Activations()
    logits = net.forward(batch[0], "probe", kept)
    gradients = torch.autograd.grad(logits.sum(), kept.pre_norm)
    assert [tuple(gradient.shape) for gradient in gradients] == [(TRIALS, BATCH, WIDTH * SIDE * SIDE)] * 3
    assert torch.equal(logits, net.forward(batch[0], "probe"))


def test_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match="reads square images; a sample has 7 features"):
        build(ArmConfig(architecture="conv"), inputs=7, classes=2, trials=1, seed=0)


def test_a_run_measures_every_layer():
    arms = (ArmConfig(norm="none", **SHARED), ArmConfig(norm="batch", **SHARED))
    records = list(run(RunConfig(arms=arms, trials=2, steps=2, batch_size=8, probe_size=8, measure_every=2)))
    measured = [record for record in records if isinstance(record, StepMeasured)]
    assert {arm.layers["weight_grad_norm"].shape for arm in measured[-1].arms} == {(2, 3)}
    assert bool((measured[-1].arms[1].layers["pre_norm_grad_norm"] > 0).all())

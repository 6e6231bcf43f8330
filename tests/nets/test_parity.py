"""A stack against independent `torch.nn` modules in float64: outputs, gradients, statistics, trajectories."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.datasets import load
from bnviz.nets import DenseStack
from bnviz.training.batches import Batches
from bnviz.training.loop import Trainer
from tests.nets import reference

TRIALS, BATCH, FEATURES, CLASSES, WIDTH = 3, 10, 5, 4, 8
ARMS = [
    *(ArmConfig(norm=norm, depth=3, width=WIDTH) for norm in ("none", "batch", "layer", "group", "instance", "rms")),
    *(
        ArmConfig(norm="batch", depth=3, width=WIDTH, activation=name)
        for name in ("leaky_relu", "tanh", "sigmoid", "gelu", "linear")
    ),
    ArmConfig(norm="batch", depth=3, width=WIDTH, norm_placement="after_activation"),
    ArmConfig(norm="layer", depth=3, width=WIDTH, norm_placement="after_activation", activation="tanh"),
    ArmConfig(norm="batch", depth=4, width=WIDTH, residual=True),
    ArmConfig(norm="none", depth=4, width=WIDTH, residual=True, init="xavier", init_gain=0.5),
    ArmConfig(norm="batch", depth=2, width=WIDTH, norm_eps=0.1, norm_momentum=0.3),
    ArmConfig(norm="group", depth=2, width=WIDTH, group_count=2, init="normal"),
    ArmConfig(norm="none", depth=1, width=WIDTH),
]


def label(arm: ArmConfig) -> str:
    return "-".join(str(value) for name, value in arm.model_dump(exclude_defaults=True).items() if name not in ("depth", "width"))


def close(ours: torch.Tensor, theirs: torch.Tensor, tolerance: float = 1e-11) -> None:
    torch.testing.assert_close(ours.detach(), theirs.detach().reshape(ours.shape), rtol=tolerance, atol=tolerance)


@pytest.fixture(scope="module")
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    stream = torch.Generator().manual_seed(7)
    inputs = torch.randn(TRIALS, BATCH, FEATURES, generator=stream, dtype=torch.float64)
    return inputs, torch.randint(CLASSES, (TRIALS, BATCH), generator=stream)


def build(arm: ArmConfig) -> DenseStack:
    net = DenseStack(arm, inputs=FEATURES, classes=CLASSES, trials=TRIALS, seed=3, dtype=torch.float64)
    stream = torch.Generator().manual_seed(11)
    net.parameters.flat += 0.1 * torch.randn(net.parameters.flat.shape, generator=stream, dtype=torch.float64)  # no gamma at 1
    return net


@pytest.mark.parametrize("arm", ARMS, ids=label)
def test_outputs_gradients_and_statistics_equal_those_of_modules(arm, batch):
    inputs, labels = batch
    net = build(arm)
    networks = reference.references(net, FEATURES, CLASSES)
    logits = net.forward(inputs, "train")
    views = net.parameters.views
    losses = cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view(TRIALS, BATCH).mean(1)
    gradients = dict(zip(views, torch.autograd.grad(losses.sum(), list(views.values())), strict=True))
    for trial, network in enumerate(networks):
        output = network(inputs[trial])
        cross_entropy(output, labels[trial]).backward()
        close(logits[trial], output)
        transposed = {f"weight{i}": linear.weight.grad.T for i, linear in enumerate([*network.linears, network.head])}
        for name, parameter in network.named().items():
            theirs = transposed[name] if name in transposed else parameter.grad  # noqa: SIM401 - .grad warns for a view
            close(gradients[name][trial], theirs)
        network.eval()
        close(net.forward(inputs, "eval")[trial], network(inputs[trial]))
        if arm.norm == "batch":
            for ours, theirs in zip(net.norms, network.norms, strict=True):
                close(ours.running_mean[trial], theirs.running_mean)
                close(ours.running_var[trial], theirs.running_var)


@pytest.mark.parametrize("steps", [1, 2, 100])
@pytest.mark.parametrize(
    "settings",
    [
        {"norm": "batch", "lr": 0.1},
        {"norm": "none", "lr": 0.05, "momentum": 0.9, "weight_decay": 0.01},
        # Adam divides a gradient by its own size: of a bias before batch norm, whose gradient is 0 but for rounding,
        # it makes a random walk. So here the norm comes after the activation.
        {"norm": "batch", "lr": 0.01, "optimizer": "adam", "weight_decay": 0.003, "norm_placement": "after_activation"},
        {"norm": "layer", "lr": 0.01, "optimizer": "adam", "activation": "gelu"},
        {"norm": "batch", "lr": 0.05, "momentum": 0.5, "residual": True, "norm_placement": "after_activation"},
    ],
    ids=lambda settings: "-".join(map(str, settings.values())),
)
def test_trajectories_equal_those_of_torch_optim(settings, steps):
    """After 1, 2 and 100 steps: parameters, running statistics and eval output."""
    arm = ArmConfig(depth=2, width=6, **settings)
    dataset_config = {"name": "blobs", "train_size": 60, "test_size": 20}
    config = RunConfig(dataset=dataset_config, arms=(arm,), trials=2, batch_size=16, steps=steps, probe_size=10)
    dataset = load(config.dataset, config.seed)
    trainer = Trainer(config, dataset, torch.float64)
    net = trainer.arms[0].net
    networks = reference.references(net, 2, dataset.class_count)
    for _ in trainer.states((steps,)):
        pass
    inputs, labels = torch.from_numpy(dataset.train_inputs).double(), torch.from_numpy(dataset.train_labels)
    for trial, network in enumerate(networks):
        optimizer = (
            torch.optim.Adam(network.parameters(), lr=arm.lr, weight_decay=arm.weight_decay)
            if arm.optimizer == "adam"
            else torch.optim.SGD(network.parameters(), lr=arm.lr, momentum=arm.momentum, weight_decay=arm.weight_decay)
        )
        for _, chosen in zip(range(steps), Batches(config), strict=False):
            optimizer.zero_grad()
            cross_entropy(network(inputs[chosen[trial]]), labels[chosen[trial]]).backward()
            optimizer.step()
        for name, parameter in network.named().items():
            close(net.parameters.views[name][trial], parameter, 1e-7)
        network.eval()
        test = torch.from_numpy(dataset.test_inputs).double()
        close(net.forward(test.expand(2, -1, -1), "eval")[trial], network(test), 1e-7)


def test_dropout_keeps_the_mean_and_is_off_outside_training():
    arm = ArmConfig(depth=1, width=512, dropout=0.25, activation="linear")
    net = DenseStack(arm, inputs=3, classes=2, trials=2, seed=0, dtype=torch.float64)
    dropped = net._drop(torch.ones(2, 100, 512, dtype=torch.float64))
    assert set(np.unique(dropped)) == {0.0, 1 / 0.75}
    standard_error = np.sqrt(0.25 / 0.75 / dropped.numel())
    assert abs(float(dropped.mean()) - 1) < 4 * standard_error
    inputs = torch.randn(2, 7, 3, dtype=torch.float64)
    close(net.forward(inputs, "probe"), net.forward(inputs, "probe"), 0)

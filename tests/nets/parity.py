"""A stack against one independent `torch.nn` module a trial, in float64: what convolutions and recurrent cells share.

A module says which of its tensors is which parameter of the stack: `named()` gives pairs of the tensor and a function
from the stack's parameter, without its trial axis, to the tensor's shape.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.datasets import load
from bnviz.nets import Stack
from bnviz.nets.norms.batch import BatchNorm
from bnviz.training.batches import Batches
from bnviz.training.loop import Trainer

Placed = dict[str, tuple[Tensor, Callable[[Tensor], Tensor]]]


class Reference(Protocol):
    def named(self) -> Placed: ...
    def batch_norms(self) -> list[nn.modules.batchnorm._BatchNorm]: ...
    def __call__(self, values: Tensor) -> Tensor: ...
    def eval(self) -> object: ...
    def parameters(self) -> Iterator[nn.Parameter]: ...


def close(ours: Tensor, theirs: Tensor, tolerance: float = 1e-11) -> None:
    torch.testing.assert_close(ours.detach(), theirs.detach(), rtol=tolerance, atol=tolerance)


def shaken(net: Stack) -> Stack:
    """The stack with no gamma left at exactly 1 and no bias at 0."""
    stream = torch.Generator().manual_seed(11)
    net.parameters.flat += 0.1 * torch.randn(net.parameters.flat.shape, generator=stream, dtype=torch.float64)
    return net


def with_parameters_of(net: Stack, networks: list) -> list:
    """The references with the stack's parameters copied in."""
    with torch.no_grad():
        for trial, network in enumerate(networks):
            placed = network.named()
            assert set(placed) == set(net.parameters.views)
            for name, (tensor, shaped) in placed.items():
                tensor.copy_(shaped(net.parameters.views[name][trial]))
    return networks


def check_one_step(net: Stack, networks: list, inputs: Tensor, labels: Tensor) -> None:
    """Logits, gradients of every parameter, running statistics and the eval output."""
    views = net.parameters.views
    logits = net.forward(inputs, "train")
    losses = cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view(labels.shape).mean(1)
    gradients = dict(zip(views, torch.autograd.grad(losses.sum(), list(views.values())), strict=True))
    for trial, network in enumerate(networks):
        output = network(inputs[trial])
        cross_entropy(output, labels[trial]).backward()
        close(logits[trial], output)
        for name, (tensor, shaped) in network.named().items():
            assert tensor.grad is not None
            close(shaped(gradients[name][trial]), tensor.grad)
        check_statistics(net, network, trial, 1e-11)
        network.eval()
        close(net.forward(inputs, "eval")[trial], network(inputs[trial]))


def check_statistics(net: Stack, network: Reference, trial: int, tolerance: float) -> None:
    ours = [norm for norm in net.norms if isinstance(norm, BatchNorm)]
    for norm, theirs in zip(ours, network.batch_norms(), strict=True):
        close(norm.running_mean[trial], theirs.running_mean, tolerance)
        close(norm.running_var[trial], theirs.running_var, tolerance)


def check_trajectory(arm: ArmConfig, steps: int, modules: Callable[[ArmConfig, int], Reference], trials: int = 2) -> None:
    """After `steps` steps of SGD on digits: parameters, running statistics and test logits."""
    dataset = {"name": "digits", "train_size": 60, "test_size": 20}
    config = RunConfig(dataset=dataset, arms=(arm,), trials=trials, batch_size=12, steps=steps, probe_size=10)
    data = load(config.dataset, config.seed)
    trainer = Trainer(config, data, torch.float64)
    net = trainer.arms[0].net
    networks = with_parameters_of(net, [modules(arm, data.class_count) for _ in range(trials)])
    for _ in trainer.states((steps,)):
        pass
    inputs, labels = torch.from_numpy(data.train_inputs).double(), torch.from_numpy(data.train_labels)
    test = torch.from_numpy(data.test_inputs).double()
    for trial, network in enumerate(networks):
        optimizer = torch.optim.SGD(network.parameters(), lr=arm.lr, momentum=arm.momentum, weight_decay=arm.weight_decay)
        for _, chosen in zip(range(steps), Batches(config, data.train_labels), strict=False):
            optimizer.zero_grad()
            cross_entropy(network(inputs[chosen[trial]]), labels[chosen[trial]]).backward()
            optimizer.step()
        for name, (tensor, shaped) in network.named().items():
            close(shaped(net.parameters.views[name][trial]), tensor, 1e-7)
        check_statistics(net, network, trial, 1e-7)
        network.eval()
        close(net.forward(test.expand(trials, -1, -1), "eval")[trial], network(test), 1e-7)

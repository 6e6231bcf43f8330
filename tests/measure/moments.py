"""Moments to measure, in float64, and each of their networks as one torch.nn module."""

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.datasets import load
from bnviz.measure.measurer import take
from bnviz.measure.moment import Moment
from bnviz.registry.measures import MEASURES
from bnviz.training.loop import Trainer

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "linear": nn.Identity}
PLAIN, BATCH = ArmConfig(norm="none", lr=0.2), ArmConfig(norm="batch", lr=0.2)


def moments(
    arms: tuple[ArmConfig, ...] = (PLAIN, BATCH),
    step: int = 3,
    depth: int = 3,
    width: int = 8,
    shown: int = 1,
    memory: dict[str, Any] | None = None,
    **settings: Any,
) -> list[Moment]:
    """One moment an arm, of a small run in float64, at `step`."""
    small = tuple(arm.model_copy(update={"depth": depth, "width": width}) for arm in arms)
    options: dict[str, Any] = {"trials": 2, "batch_size": 16, "probe_size": 20, "steps": step, "seed": 4} | settings
    config = RunConfig(dataset=options.pop("dataset", DatasetConfig(train_size=120, test_size=40)), arms=small, **options)
    dataset = load(config.dataset, config.seed)
    wide = replace(
        dataset, train_inputs=dataset.train_inputs.astype("float64"), test_inputs=dataset.test_inputs.astype("float64")
    )
    state = next(Trainer(config, wide, torch.float64).states((step,)))
    probe = torch.from_numpy(wide.train_inputs[: config.probe_size]).expand(config.trials, -1, -1)
    return [
        Moment(arm, state.inputs, state.labels, probe, config, step, wide, shown, copy.deepcopy(memory or {}))
        for arm in state.arms
    ]


def measured(name: str, moment: Moment) -> dict[str, NDArray[Any]]:
    """The results of one measurement, as they are recorded."""
    with np.errstate(over="ignore"):
        return take(MEASURES[name], moment)


def layers_of(moment: Moment, trial: int) -> nn.ModuleList:
    """One trial's dense network as torch.nn modules in train mode: a Sequential for each hidden layer, then the read-out."""
    arm, views = moment.arm.arm, moment.arm.net.parameters.views
    statistics = iter(moment.arm.net.statistics())
    layers = []
    for i in range(arm.depth + 1):
        weight, bias = (views[f"{name}{i}"].detach()[trial] for name in ("weight", "bias"))
        linear = nn.Linear(*weight.shape).double()
        linear.weight.data, linear.bias.data = weight.T.clone(), bias[0].clone()
        if i == arm.depth:
            layers.append(linear)
            break
        parts: list[nn.Module] = [linear]
        if arm.norm == "batch":
            norm = nn.BatchNorm1d(arm.width, eps=arm.norm_eps).double()
            norm.weight.data, norm.bias.data = (views[f"{name}{i}"].detach()[trial, 0].clone() for name in ("gamma", "beta"))
            norm.running_mean, norm.running_var = (next(statistics)[trial].clone() for _ in range(2))
            parts.append(norm)
        layers.append(nn.Sequential(*parts, ACTIVATIONS[arm.activation]()))
    return nn.ModuleList(layers)


def tensors_of(moment: Moment, trial: int) -> dict[str, list[NDArray[np.float64]]]:
    """What the hidden layers of one trial's dense network do with the probe batch, layer by layer, (samples, units) each."""
    tensors: dict[str, list[NDArray[np.float64]]] = {"pre_norm": [], "pre_activation": [], "post_activation": []}
    values = moment.probe[trial]
    with torch.no_grad():
        for layer in list(layers_of(moment, trial))[:-1]:
            steps = [values]
            for module in layer:
                steps.append(module(steps[-1]))
            for name, tensor in zip(tensors, (steps[1], steps[-2], steps[-1]), strict=True):
                tensors[name].append(tensor.numpy())
            values = steps[-1]
    return tensors


def passed(layers: nn.ModuleList, inputs: torch.Tensor) -> torch.Tensor:
    """The logits."""
    for layer in layers:
        inputs = layer(inputs)
    return inputs


def loss_of(layers: nn.ModuleList, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy, written out."""
    logits = passed(layers, inputs)
    return -torch.log_softmax(logits, 1)[range(len(labels)), labels].mean()


def graded(layers: nn.ModuleList, inputs: torch.Tensor, labels: torch.Tensor) -> float:
    """The loss, with its gradients in the modules' parameters."""
    layers.zero_grad()
    loss = loss_of(layers, inputs, labels)
    loss.backward()
    return loss.item()


def flat_gradient(layers: nn.ModuleList) -> torch.Tensor:
    """All gradients in one vector."""
    return torch.cat([parameter.grad.flatten() for parameter in layers.parameters() if parameter.grad is not None])


@torch.no_grad()
def moved(layers: nn.ModuleList, gradients: list[torch.Tensor], rate: float) -> None:
    """One step of plain gradient descent in place."""
    for parameter, gradient in zip(layers.parameters(), gradients, strict=True):
        parameter -= rate * gradient

"""The networks of a stack as a PyTorch user would write them: independent `torch.nn` modules, one a trial."""

import torch
from torch import Tensor, nn

from bnviz.config.models import ArmConfig
from bnviz.nets import DenseStack

ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "linear": nn.Identity,
}


class OneChannelInstanceNorm(nn.Module):
    """`nn.InstanceNorm1d` on the units of a dense layer taken as the positions of one channel."""

    def __init__(self, eps: float) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm1d(1, eps=eps, affine=True)

    def forward(self, values: Tensor) -> Tensor:
        return self.norm(values.unsqueeze(1)).squeeze(1)

    @property
    def weight(self) -> Tensor:
        return self.norm.weight

    @property
    def bias(self) -> Tensor:
        return self.norm.bias


def norm_module(arm: ArmConfig) -> nn.Module:
    match arm.norm:
        case "batch":
            return nn.BatchNorm1d(arm.width, eps=arm.norm_eps, momentum=arm.norm_momentum)
        case "layer":
            return nn.LayerNorm(arm.width, eps=arm.norm_eps)
        case "group":
            return nn.GroupNorm(arm.group_count, arm.width, eps=arm.norm_eps)
        case "instance":
            return OneChannelInstanceNorm(arm.norm_eps)
        case "rms":
            return nn.RMSNorm(arm.width, eps=arm.norm_eps)
    return nn.Identity()


class Network(nn.Module):
    """One trial's network."""

    def __init__(self, arm: ArmConfig, inputs: int, classes: int) -> None:
        super().__init__()
        self.arm = arm
        self.linears = nn.ModuleList(nn.Linear(inputs if i == 0 else arm.width, arm.width) for i in range(arm.depth))
        self.norms = nn.ModuleList(norm_module(arm) for _ in range(arm.depth))
        self.activation = ACTIVATIONS[arm.activation]()
        self.head = nn.Linear(arm.width, classes)
        self.double()

    def forward(self, values: Tensor) -> Tensor:
        for i, (linear, norm) in enumerate(zip(self.linears, self.norms, strict=True)):
            out = linear(values)
            before = self.arm.norm_placement == "before_activation"
            out = self.activation(norm(out)) if before else norm(self.activation(out))
            values = values + out if self.arm.residual and i > 0 else out
        return self.head(values)

    def named(self) -> dict[str, Tensor]:
        """Parameters by the stack's names; weights in the stack's (inputs, outputs) order."""
        found = {}
        for i, linear in enumerate([*self.linears, self.head]):
            found |= {f"weight{i}": linear.weight.T, f"bias{i}": linear.bias}
        for i, norm in enumerate(self.norms):
            if self.arm.norm != "none":
                found[f"gamma{i}"] = norm.weight
            if self.arm.norm not in ("none", "rms"):
                found[f"beta{i}"] = norm.bias
        return found


def references(net: DenseStack, inputs: int, classes: int) -> list[Network]:
    """One reference a trial, with the stack's parameters copied in."""
    networks = [Network(net.arm, inputs, classes) for _ in range(net.trials)]
    with torch.no_grad():
        for trial, network in enumerate(networks):
            for name, parameter in network.named().items():
                parameter.copy_(net.parameters.views[name][trial].reshape(parameter.shape))
    return networks

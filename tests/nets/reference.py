"""The networks of a stack as a PyTorch user would write them: independent `torch.nn` modules, one a trial."""

import torch
from torch import Tensor, nn

from bnviz.config.models import ArmConfig
from bnviz.nets import DenseStack
from tests.nets.norms.references import learned_of, reference_of

ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "linear": nn.Identity,
}


def norm_module(arm: ArmConfig, positions: int = 1) -> nn.Module:
    """What the arm's norm is compared with, as its own test file has it."""
    return nn.Identity() if arm.norm == "none" else reference_of(arm.norm)(arm, arm.width, positions)


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
            found |= {f"{name}{i}": value for name, value in zip(("gamma", "beta"), learned_of(norm), strict=False)}
        return found


def references(net: DenseStack, inputs: int, classes: int) -> list[Network]:
    """One reference a trial, with the stack's parameters copied in."""
    networks = [Network(net.arm, inputs, classes) for _ in range(net.trials)]
    with torch.no_grad():
        for trial, network in enumerate(networks):
            for name, parameter in network.named().items():
                parameter.copy_(net.parameters.views[name][trial].reshape(parameter.shape))
    return networks

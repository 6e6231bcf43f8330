"""Instance norm is PyTorch's; the units of a dense layer are the positions of one channel."""

from torch import Tensor, nn

from bnviz.config.models import ArmConfig


class OneChannel(nn.Module):
    """`nn.InstanceNorm1d` on (batch, units) taken as (batch, 1, positions)."""

    def __init__(self, eps: float) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm1d(1, eps=eps, affine=True)
        self.weight, self.bias = self.norm.weight, self.norm.bias

    def forward(self, values: Tensor) -> Tensor:
        return self.norm(values.unsqueeze(1)).squeeze(1)


def REFERENCE(arm: ArmConfig, width: int, positions: int) -> nn.Module:
    return OneChannel(arm.norm_eps) if positions == 1 else nn.InstanceNorm1d(width, eps=arm.norm_eps, affine=True)

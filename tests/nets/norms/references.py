"""What every norm is compared with: its own test file says so, and `tests/nets/test_norm_contract.py` asks.

tests/nets/norms/test_<name>.py, or test_<module>.py for norms that share a file in bnviz/nets/norms, declares

    REFERENCE   a function of (ArmConfig, width, positions) that returns an `nn.Module` independent of our code: the norm of one
                network, for (batch, width) where positions is 1, else (batch, width, positions). `weight` is gamma, `bias` beta;
                `running_mean` and `running_var`, where it keeps them. A naive loop over NumPy arrays becomes one by `Loop`.
    EXCEPT      where needed: {name of a test of the contract: why it does not hold for this norm}
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from typing_extensions import override

from bnviz.config.models import ArmConfig
from bnviz.registry.norms import NORMS

PACKAGE = "tests.nets.norms"
Array = NDArray[np.float64]
Reference = Callable[[ArmConfig, int, int], nn.Module]


def reference_of(name: str) -> Reference:
    """The independent norm that the test file names; the test fails where there is none."""
    module = _test_file(name)
    if module is None or not hasattr(module, "REFERENCE"):
        pytest.fail(
            f"{name} has no reference: write tests/nets/norms/test_{name}.py with REFERENCE, an independent nn.Module or NumPy "
            "loop of the same norm (see tests/nets/norms/references.py)",
            pytrace=False,
        )
    return module.REFERENCE


def learned_of(reference: nn.Module) -> list[Tensor]:
    """Gamma, and beta where the reference has one."""
    return [value for value in (getattr(reference, name, None) for name in ("weight", "bias")) if isinstance(value, Tensor)]


def exceptions_of(name: str) -> Mapping[str, str]:
    """Tests of the contract that do not hold for a norm, with the reason."""
    return getattr(_test_file(name), "EXCEPT", {})


def _test_file(name: str) -> ModuleType | None:
    stems = (name, NORMS[name].module.rpartition(".")[2])
    found = [f"{PACKAGE}.test_{stem}" for stem in stems if find_spec(f"{PACKAGE}.test_{stem}")]
    return import_module(found[0]) if found else None


class Loop(nn.Module):
    """A norm written as a naive loop: `normalize` makes an array of another of the same shape, (batch, width, positions).

    Gamma and beta, one a unit or channel, come after it. The gradient is a central difference, good to `tolerance`.
    """

    tolerance = 1e-7

    def __init__(self, normalize: Callable[[Array], Array], width: int, beta: bool = True) -> None:
        super().__init__()
        self.normalize = normalize
        self.weight = nn.Parameter(torch.ones(width))
        if beta:
            self.bias = nn.Parameter(torch.zeros(width))

    @override
    def forward(self, values: Tensor) -> Tensor:
        normalized = _Loop.apply(values.reshape(*values.shape[:2], -1), self.normalize)
        assert isinstance(normalized, Tensor)
        out = normalized * self.weight[:, None]
        return (out + self.bias[:, None] if hasattr(self, "bias") else out).reshape(values.shape)


class _Loop(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values: Tensor, normalize: Callable[[Array], Array]) -> Tensor:
        ctx.values, ctx.normalize = values.detach().numpy(), normalize
        return torch.from_numpy(normalize(ctx.values))

    @staticmethod
    def backward(ctx, *gradients: Tensor) -> tuple[Tensor, None]:
        upstream, found, step = gradients[0].numpy(), np.empty_like(ctx.values), 1e-5
        for place in np.ndindex(found.shape):
            shifted = [ctx.values.copy(), ctx.values.copy()]
            shifted[0][place] += step
            shifted[1][place] -= step
            up, down = map(ctx.normalize, shifted)
            found[place] = (upstream * (up - down)).sum() / (2 * step)
        return torch.from_numpy(found), None

"""A norm in a place of a net, with numbers to pass through it: what `tests/nets/test_norm_contract.py` goes through."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bnviz.config.models import ArmConfig
from bnviz.nets import NORM_LAYERS
from bnviz.nets.norms import Norm
from bnviz.registry.norms import NORMS
from tests.nets.norms.references import learned_of, reference_of

TRIALS, BATCH, WIDTH = 3, 6, 8
POSITIONS = {"dense": 1, "conv": 5}


@dataclass(frozen=True)
class Case:
    """A norm where it may stand: after a dense layer, or after a convolution."""

    name: str
    place: str

    @property
    def arm(self) -> ArmConfig:
        return ArmConfig(norm=self.name, width=WIDTH, norm_eps=0.02, norm_momentum=0.3, gamma_init=0.5, beta_init=-2)

    def made(self, trials: int = TRIALS, dtype: torch.dtype = torch.float64) -> Norm:
        norm = NORM_LAYERS[self.name](self.arm, trials, WIDTH, dtype, POSITIONS[self.place])
        norm.draw_from(5, range(trials), 0)
        return norm

    def values(self, seed: int = 1, batch: int = BATCH) -> Tensor:
        shape = (TRIALS, batch, WIDTH, *([POSITIONS[self.place]] if self.place == "conv" else []))
        stream = torch.Generator().manual_seed(seed)
        return (2 * torch.randn(shape, generator=stream, dtype=torch.float64) + 0.7).requires_grad_()

    def affine(self) -> list[Tensor]:
        """Gammas and betas, no two of them equal."""
        stream = torch.Generator().manual_seed(11)
        starts = self.made().initial_parameters().values()
        return [(start + torch.rand(start.shape, generator=stream, dtype=torch.float64)).requires_grad_() for start in starts]

    def trained(self, steps: int = 3) -> Norm:
        """After some steps, each of another batch."""
        norm = self.made()
        for step in range(steps):
            norm(self.values(step), self.affine(), "train")
        return norm

    def references(self) -> list[nn.Module]:
        """One a trial, with the trial's gamma and beta copied in."""
        modules = [reference_of(self.name)(self.arm, WIDTH, POSITIONS[self.place]).double() for _ in range(TRIALS)]
        with torch.no_grad():
            for trial, module in enumerate(modules):
                count, names = len(learned_of(module)), NORMS[self.name].affine
                assert count == len(names), f"the reference of {self.name} has {count} of weight and bias, for {names}"
                for learned, ours in zip(learned_of(module), self.affine(), strict=True):
                    learned.copy_(ours[trial].reshape(learned.shape))
        return modules

"""What the hidden layers did with the probe batch: all tensors in one, so that a statistic of all of them is one call."""

from dataclasses import dataclass

import torch
from torch import Tensor

from bnviz.nets import Activations
from bnviz.records.records import TENSORS


@dataclass(frozen=True, slots=True)
class Probed:
    """The tensors of a pass as the rows of one; indexed by a name of TENSORS it is that tensor's rows."""

    values: Tensor  # (rows, trials, batch, units)
    places: dict[str, slice]  # which rows are which of TENSORS, one row per layer; what is one tensor in the net is here once

    @classmethod
    def of(cls, kept: Activations) -> "Probed":
        """Stack the tensors of a forward pass."""
        rows: list[Tensor] = []
        places: dict[str, slice] = {}
        first: dict[int, slice] = {}
        for name in TENSORS:
            tensors: list[Tensor] = getattr(kept, name)
            if id(tensors[0]) not in first:
                first[id(tensors[0])] = slice(len(rows), len(rows) + len(tensors))
                rows += tensors
            places[name] = first[id(tensors[0])]
        return cls(torch.stack(rows), places)

    def __getitem__(self, tensor: str) -> Tensor:
        """The layers of one of TENSORS, (layers, trials, batch, units)."""
        return self.values[self.places[tensor]]

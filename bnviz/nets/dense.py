"""A stack of dense networks.

inputs (T, B, F) -> [linear -> norm -> activation (+ skip)] * depth -> linear -> logits (T, B, C)

Dropout stands at the layer's end, before its norm or after it.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from typing_extensions import override

from bnviz.nets.initialization import initial_weights, layer_sizes
from bnviz.nets.norms import Mode, Norm
from bnviz.nets.stack import Activations, Stack


class DenseStack(Stack):
    """T dense networks of one arm; trial t starts from the same linear weights in every arm of this shape.

    Arguments as of `Stack`.
    """

    @override
    def _norms(self) -> list[Norm]:
        return [norm for _ in range(self.arm.depth) for norm in self._norm_of(self.arm.width)]

    @override
    def _named(self, classes: int, seed: int) -> Iterator[tuple[str, Tensor]]:
        """Each layer's parameters with their initial values: weight, bias, then gamma and beta where there is a norm."""
        self.weight_names = [f"weight{i}" for i in range(self.arm.depth)]
        sizes = layer_sizes(self.arm, self.inputs, classes)
        for i, weight in enumerate(initial_weights(self.arm, sizes, self.trial_seeds, seed, self.dtype)):
            yield f"weight{i}", weight
            yield f"bias{i}", weight.new_zeros(self.trials, 1, weight.shape[2])
            if i < len(self.norms):
                for name, value in self.norms[i].initial_parameters().items():
                    yield f"{name}{i}", value

    @property
    @override
    def linear_weights(self) -> list[Tensor]:
        return [self.parameters.views[f"weight{i}"] for i in range(self.arm.depth + 1)]

    @override
    def forward(self, inputs: Tensor, mode: Mode, keep: Activations | None = None) -> Tensor:
        return self._linear(self.arm.depth, self.hidden(inputs, mode, keep))

    @override
    def hidden(self, inputs: Tensor, mode: Mode, keep: Activations | None = None) -> Tensor:
        values = self._first_values(inputs, mode)
        for i in range(self.arm.depth):
            folded = self._folded(i) if mode == "eval" and keep is None else None
            out = self.activation(torch.baddbmm(folded[1], values, folded[0])) if folded else self._hidden(i, values, mode, keep)
            values = values + out if self.arm.residual and i else out
            if keep is not None:
                keep.layer_output.append(values)
        return values

    def _folded(self, i: int) -> tuple[Tensor, Tensor] | None:
        """Weight and bias of a layer that does its norm's work too: what a trained batch norm amounts to at inference."""
        if not self.norms or self.arm.norm_placement != "before_activation":
            return None
        views, norm = self.parameters.views, self.norms[i]
        affine = norm.folded([views[f"{name}{i}"] for name in norm.affine])
        if affine is None:
            return None
        scale, shift = affine
        return views[f"weight{i}"] * scale, torch.addcmul(shift, views[f"bias{i}"], scale)

    def _hidden(self, i: int, values: Tensor, mode: Mode, keep: Activations | None) -> Tensor:
        pre_norm = self._linear(i, values)
        before = self.arm.norm_placement == "before_activation"
        pre_activation = self._dropping_norm(i, pre_norm, mode) if before else pre_norm
        post_activation = self.activation(pre_activation)
        if keep is not None:
            keep.pre_norm.append(pre_norm)
            keep.pre_activation.append(pre_activation)
            keep.post_activation.append(post_activation)
        out = post_activation if before else self._dropping_norm(i, post_activation, mode)
        return self._drop(out) if mode == "train" and self.arm.dropout_placement == "layer_end" else out

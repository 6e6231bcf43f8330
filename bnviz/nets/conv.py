"""A stack of convolutional networks over an image of one channel.

inputs (T, B, S * S) -> [3 x 3 convolution -> norm -> activation (+ skip)] * depth -> linear over all maps -> logits

Every layer keeps the image's size (padding of one); `width` is the number of channels. Inside, the trials are groups of
channels, (B, T * C, S, S): one grouped convolution does the work of all networks.
"""

from collections.abc import Iterator
from math import isqrt

from torch import Tensor
from torch.nn.functional import conv2d
from typing_extensions import override

from bnviz.nets.initialization import initial_weights
from bnviz.nets.norms import Mode, Norm
from bnviz.nets.stack import Activations, Stack

KERNEL = 3


def image_side(inputs: int) -> int:
    """Pixels of a side of a square image of one channel.

    Raises:
        ValueError: the features of a sample are no square image.
    """
    side = isqrt(inputs)
    if side * side != inputs or side < 2:
        raise ValueError(f"architecture: this one reads square images; a sample has {inputs} features")
    return side


class ConvStack(Stack):
    """T convolutional networks of one arm. The weight of a layer is (trials, channels in * 9, channels out).

    Arguments as of `Stack`. Batch norm takes its statistics per channel over samples and positions, group, layer and
    instance norm within a sample; gamma and beta are one number each per channel.
    """

    @property
    def side(self) -> int:
        """Pixels of a side of the images, and of the maps of every layer."""
        return image_side(self.inputs)

    @override
    def _norms(self) -> list[Norm]:
        positions = self.side**2
        return [norm for _ in range(self.arm.depth) for norm in self._norm_of(self.arm.width, positions)]

    @override
    def _named(self, classes: int, seed: int) -> Iterator[tuple[str, Tensor]]:
        width, depth = self.arm.width, self.arm.depth
        self.weight_names = [f"weight{i}" for i in range(depth)]
        channels = [1, *[width] * (depth - 1)]
        sizes = [*((KERNEL**2 * before, width) for before in channels), (width * self.inputs, classes)]
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
        """The maps of the last layer, (trials, batch, channels * positions)."""
        trials, batch = inputs.shape[:2]
        side = self.side
        values = self._first_values(inputs, mode).reshape(trials, batch, 1, side * side)
        for i in range(self.arm.depth):
            out = self._hidden(i, values, mode, keep)
            values = values + out if self.arm.residual and i else out
            if keep is not None:
                keep.layer_output.append(values.flatten(2))
        return values.flatten(2)

    def _hidden(self, i: int, values: Tensor, mode: Mode, keep: Activations | None) -> Tensor:
        pre_norm = self._convolved(i, values)
        if keep is not None:  # as the layer's units; on through them, so that their gradient can be asked for
            keep.pre_norm.append(pre_norm.flatten(2))
            pre_norm = keep.pre_norm[-1].view(pre_norm.shape)
        before = self.arm.norm_placement == "before_activation"
        pre_activation = self._dropping_norm(i, pre_norm, mode) if before else pre_norm
        post_activation = self.activation(pre_activation)
        if keep is not None:
            keep.pre_activation.append(keep.pre_norm[-1] if pre_activation is pre_norm else pre_activation.flatten(2))
            keep.post_activation.append(post_activation.flatten(2))
        out = post_activation if before else self._dropping_norm(i, post_activation, mode)
        return self._drop(out) if mode == "train" and self.arm.dropout_placement == "layer_end" else out

    def _convolved(self, i: int, values: Tensor) -> Tensor:
        """The 3 x 3 convolution of (trials, batch, channels, positions), a view of a grouped convolution's result."""
        views, side = self.parameters.views, self.side
        trials, batch, channels, _ = values.shape
        weight = views[f"weight{i}"]
        kernel = weight.transpose(1, 2).reshape(-1, channels, KERNEL, KERNEL)
        images = values.transpose(0, 1).reshape(batch, trials * channels, side, side)
        out = conv2d(images, kernel, views[f"bias{i}"].reshape(-1), padding=1, groups=trials)
        return out.view(batch, trials, weight.shape[2], side * side).transpose(0, 1)

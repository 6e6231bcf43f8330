"""A stack of recurrent networks that read an image row by row.

inputs (T, B, S * S) -> h_t = phi(N(W_h h_(t-1)) + N(W_x x_t) + b), t = 1 .. S -> linear on h_S -> logits (T, B, C)
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from typing_extensions import override

from bnviz.nets.conv import image_side
from bnviz.nets.initialization import initial_weights
from bnviz.nets.norms import Mode, Norm
from bnviz.nets.stack import Activations, Stack

INPUT, HIDDEN, READ_OUT = 0, 1, 2  # the linear maps, as the parameters' names count them


class RecurrentStack(Stack):
    """T recurrent networks of one arm: one cell with `width` units; `depth` means nothing here.

    `recurrent_norm` says what is normalized. The input-to-hidden term always is, with statistics over the samples and
    the time steps together (Laurent 2015). hidden_shared and hidden_per_step also normalize the hidden-to-hidden term,
    at every time step with the statistics of that step; they differ in the running statistics, one set or one per step
    (Cooijmans 2016, who keep one per step for the input too). A norm that looks at the sample alone, like layer norm,
    keeps none: for it both are the same. The first step has no hidden-to-hidden term: there is no state yet.

    Each norm has a gamma, shared by all time steps and starting at `gamma_init`, and no beta: b is one already.
    Where tensors are kept, the "layers" are the time steps. There is no single tensor before the two norms, so that
    pre_norm is the pre-activation. The hidden-to-hidden weights count as the weights of every step.

    Arguments as of `Stack`.

    References:
        Laurent et al. 2015, Batch Normalized Recurrent Neural Networks, arXiv:1510.01378.
        Cooijmans et al. 2016, Recurrent Batch Normalization, arXiv:1603.09025, equations 10 to 12.
    """

    @property
    def side(self) -> int:
        """Rows of an image, which are the time steps, and pixels of a row."""
        return image_side(self.inputs)

    @override
    def _norms(self) -> list[Norm]:
        """The input-to-hidden norm, then the hidden-to-hidden norms: none, one, or one for each step from the second on."""
        counts = {"input_only": 1, "hidden_shared": 2, "hidden_per_step": self.side}
        return [norm for _ in range(counts[self.arm.recurrent_norm]) for norm in self._norm_of(self.arm.width)]

    @override
    def _named(self, classes: int, seed: int) -> Iterator[tuple[str, Tensor]]:
        width = self.arm.width
        self.weight_names = [f"weight{HIDDEN}"] * self.side
        sizes = [(self.side, width), (width, width), (width, classes)]
        weights = initial_weights(self.arm, sizes, self.trial_seeds, seed, self.dtype)
        for i, weight in enumerate(weights):
            yield f"weight{i}", weight
            if i != HIDDEN:
                yield f"bias{i}", weight.new_zeros(self.trials, 1, weight.shape[2])
        for i, norm in enumerate(self.norms[:2]):
            yield f"gamma{i}", norm.initial_parameters()["gamma"]

    @property
    @override
    def linear_weights(self) -> list[Tensor]:
        return [self.parameters.views[f"weight{i}"] for i in (INPUT, HIDDEN, READ_OUT)]

    @override
    def forward(self, inputs: Tensor, mode: Mode, keep: Activations | None = None) -> Tensor:
        return self._linear(READ_OUT, self.hidden(inputs, mode, keep))

    @override
    def hidden(self, inputs: Tensor, mode: Mode, keep: Activations | None = None) -> Tensor:
        """The state after the last row, (trials, batch, units)."""
        driven = self._driven(self._first_values(inputs, mode), mode)
        state = None
        for t in range(self.side):
            pre_activation = driven[:, :, t] if state is None else driven[:, :, t] + self._recalled(state, t, mode)
            state = self.activation(pre_activation)
            if keep is not None:
                keep.pre_norm.append(pre_activation)
                keep.pre_activation.append(pre_activation)
                keep.post_activation.append(state)
                keep.layer_output.append(state)
        assert state is not None
        return self._drop(state) if mode == "train" else state

    def _driven(self, inputs: Tensor, mode: Mode) -> Tensor:
        """What the rows contribute to every step: N(W_x x_t) + b, (trials, batch, steps, units)."""
        views, side = self.parameters.views, self.side
        trials, batch = inputs.shape[:2]
        rows = inputs.reshape(trials, batch * side, side)
        driven = self._normalized(0, INPUT, torch.bmm(rows, views[f"weight{INPUT}"]), mode)
        return (driven + views[f"bias{INPUT}"]).view(trials, batch, side, -1)

    def _recalled(self, state: Tensor, t: int, mode: Mode) -> Tensor:
        """What the state contributes to step t: N(W_h h_(t-1)), (trials, batch, units)."""
        recalled = torch.bmm(state, self.parameters.views[f"weight{HIDDEN}"])
        if self.arm.recurrent_norm == "input_only":
            return recalled
        return self._normalized(t if self.arm.recurrent_norm == "hidden_per_step" else 1, HIDDEN, recalled, mode)

    def _normalized(self, which: int, term: int, values: Tensor, mode: Mode) -> Tensor:
        """`values` through the norm number `which`, with the gamma of its term and no beta."""
        if not self.norms:
            return values
        norm, gamma = self.norms[which], self.parameters.views[f"gamma{term}"]
        affine = {"gamma": gamma, "beta": torch.zeros_like(gamma)}
        return norm(values, [affine[name] for name in norm.affine], mode)

"""Whether a fresh deep network keeps its samples apart: cosine and effective rank of each layer's output."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bnviz.measure.rank import representation_rank
from bnviz.probes._shared.initial_nets import INPUTS, gaussian, network, passed

FloatArray = NDArray[np.float64]
COMMON = 13  # purpose of the random numbers that all samples of a batch share


def probe(
    *, arm: Mapping[str, Any], batch_size: int, trials: int, similarity: float = 0.0, seed: int = 0, features: int = 64
) -> Iterator[tuple[float, dict[str, FloatArray]]]:
    """Send a batch through one fresh network after the other.

    Args:
        arm: fields of `ArmConfig` (dense).
        batch_size: samples, 2 or more.
        trials: networks.
        similarity: expected cosine of two inputs, 0 to below 1: the samples share a common Gaussian part.
        seed: of inputs and weights.
        features: of an input.

    Yields:
        After each network (share done, values), shape (trials, layers), NaN for networks to come: `mean_cosine` and
        `effective_rank` of `bnviz.measure.rank.representation_rank`, of what each hidden layer hands on.

    References:
        Daneshmand et al. 2020, arXiv:2003.01652.
    """
    values: dict[str, FloatArray] = {}
    for trial in range(trials):
        common, own = gaussian(seed, [trial], COMMON, 1, features), gaussian(seed, [trial], INPUTS, batch_size, features)
        inputs = similarity**0.5 * common + (1 - similarity) ** 0.5 * own
        with torch.no_grad():
            outputs = torch.stack(passed(network(arm, features, seed, [trial]), inputs).layer_output, 1)
            rows = representation_rank(outputs[0])
        for name in ("mean_cosine", "effective_rank"):
            values.setdefault(name, np.full((trials, outputs.shape[1]), np.nan))[trial] = rows[name].numpy()
        yield (trial + 1) / trials, {name: array.copy() for name, array in values.items()}

"""Does the output for one sample depend on the others in its batch? One sample, many batches around it."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnviz.config.models import ArmConfig, DatasetConfig, NormName, RunConfig
from bnviz.nets import Stack
from bnviz.nets.norms import Mode
from bnviz.probes._shared.trained import random_rows, trained

MODES: tuple[Mode, ...] = ("probe", "eval")  # the statistics of training, without touching the running ones; of testing
BATCHES = 20  # around each sample
SAMPLES = 12  # looked at, one per frame


def probe(
    norms: Sequence[NormName], batch_sizes: Sequence[int], steps: int = 150, depth: int = 3, trials: int = 4, seed: int = 0
) -> Iterator[tuple[float, dict[str, NDArray[np.float64]]]]:
    """Train a network of each norm, then put a test sample into many batches and compare its logits.

    Args:
        norms: one network each.
        batch_sizes: of the batches that the sample is put into, 2 or more; its companions are drawn from the test set.
        steps: updates before it is looked at, batches of 64.
        depth: hidden layers.
        trials: networks of each norm.
        seed: of data, weights and companions.

    Yields:
        Share done, and from the samples so far, each of shape (norms, modes: training, test, sizes, trials): `leak`,
        the standard deviation of a sample's logits over its batches in units of that over the samples (mean over
        logits and samples: root mean square), and `flips`, the share of batches in which it is put into a class other
        than its most frequent one.
    """
    arms = tuple(ArmConfig(norm=norm, depth=depth) for norm in norms)
    config = RunConfig(dataset=DatasetConfig(), arms=arms, trials=trials, seed=seed, steps=steps)
    state, dataset = trained(config)
    inputs = torch.from_numpy(dataset.test_inputs)
    shape = (len(norms), len(MODES), len(batch_sizes), trials)
    squares, flips = np.zeros(shape), np.zeros(shape)
    nets = [arm.net for arm in state.arms]
    scale = np.array([_spread_over_samples(net, inputs) for net in nets])[:, None, None]  # (norms, 1, 1, trials)
    for sample in range(SAMPLES):
        for column, size in enumerate(batch_sizes):
            batches = inputs[random_rows(len(inputs), (BATCHES, size), seed * 1009 + sample)]
            batches[:, 0] = inputs[sample]
            for row, net in enumerate(nets):
                for index, mode in enumerate(MODES):
                    logits = _logits_of_first(net, batches, mode)  # (batches, trials, classes)
                    squares[row, index, column] += logits.var(0, correction=0).mean(1).numpy()
                    flips[row, index, column] += _flips(logits).numpy()
        done = sample + 1
        yield done / SAMPLES, {"leak": np.sqrt(squares / done) / scale, "flips": flips / done}


def _logits_of_first(net: Stack, batches: Tensor, mode: Mode) -> Tensor:
    """Logits of the first sample of every batch, (batches, trials, classes); all trials are given the same batches."""
    with torch.no_grad():
        return torch.stack([net.forward(batch.expand(net.trials, -1, -1), mode)[:, 0] for batch in batches])


def _spread_over_samples(net: Stack, inputs: Tensor) -> NDArray[np.float64]:
    """Standard deviation of the logits over the test samples at test time, root mean square over classes, (trials,)."""
    with torch.no_grad():
        logits = net.forward(inputs.expand(net.trials, -1, -1), "eval")
    return logits.var(1, correction=0).mean(1).sqrt().double().numpy()


def _flips(logits: Tensor) -> Tensor:
    """Share of the batches in which the class is not the most frequent one, (trials,)."""
    chosen = logits.argmax(2)  # (batches, trials)
    return (chosen != chosen.mode(0).values).double().mean(0)

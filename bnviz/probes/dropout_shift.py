"""What dropout does to the variance of a unit, between training and test: many units, against the closed form."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

FRAMES = 30


def probe(
    keeps: Sequence[float], mean: float = 0.0, std: float = 1.0, samples: int = 60_000, trials: int = 6, seed: int = 0
) -> Iterator[tuple[float, dict[str, NDArray[np.float64]]]]:
    """Drop inputs as in training and compare the variance with that at test time, where nothing is dropped.

    Inverted dropout: a kept input is divided by the probability of being kept, so that means agree; variances do not.

    Args:
        keeps: p, probabilities of keeping an input.
        mean: c, of the Gaussian inputs.
        std: root of v, of the Gaussian inputs.
        samples: of each trial, for each p.
        trials: independent repetitions, for the uncertainty.
        seed: of inputs and masks.

    Yields:
        Share done, and from the samples so far `train_variance`, `test_variance` and `ratio` (test over training),
        shape (keeps, trials).

    References:
        Li et al. 2018, Understanding the Disharmony between Dropout and Batch Normalization, arXiv:1801.05134, section 3.
    """
    rng = np.random.default_rng(seed)
    count = max(samples // FRAMES, 2)
    sums = np.zeros((len(keeps), 4, trials))  # of trained and tested values, less the mean, and of their squares
    for frame in range(1, FRAMES + 1):
        inputs = rng.normal(mean, std, (trials, count))
        chances = rng.random((trials, count))
        for row, keep in enumerate(keeps):
            dropped = inputs * (chances < keep) / keep
            parts = [values**power for values in (dropped - mean, inputs - mean) for power in (1, 2)]
            sums[row] += np.array([part.sum(axis=1) for part in parts])
        variances = (sums[:, 1::2] - sums[:, 0::2] ** 2 / (frame * count)) / (frame * count - 1)
        train, test = variances[:, 0], variances[:, 1]
        yield frame / FRAMES, {"train_variance": train, "test_variance": test, "ratio": test / train}

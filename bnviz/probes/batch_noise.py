"""How much the mean and the standard deviation of a mini-batch scatter: live Monte Carlo over many batches."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Draw = Callable[[np.random.Generator, tuple[int, int, int]], NDArray[Any]]
FRAMES = 40

# Mean 0 and variance 1 each; their excess kurtosis is in bnviz.closed_forms.batch_noise.EXCESS_KURTOSIS.
DRAWS: Mapping[str, Draw] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "uniform": lambda rng, shape: rng.uniform(-np.sqrt(3), np.sqrt(3), shape),
    "laplace": lambda rng, shape: rng.laplace(0, np.sqrt(0.5), shape),
    "exponential": lambda rng, shape: rng.standard_exponential(shape) - 1,
    "two_values": lambda rng, shape: rng.integers(0, 2, shape) * 2.0 - 1,
    "rectified": lambda rng, shape: (
        (np.maximum(rng.standard_normal(shape), 0) - 1 / np.sqrt(2 * np.pi)) / np.sqrt(0.5 - 0.5 / np.pi)
    ),
}


def probe(
    distribution: str, batch_sizes: Sequence[int], std: float = 1.0, batches: int = 8000, trials: int = 8, seed: int = 0
) -> Iterator[tuple[float, dict[str, NDArray[np.float64]]]]:
    """Draw `batches` batches of every size and measure the variance of their means and of their standard deviations.

    Args:
        distribution: of the samples, a key of `DRAWS`.
        batch_sizes: M, 2 or more each.
        std: sigma of the samples.
        batches: of each size, over all trials; at least 2 a frame and trial are drawn.
        trials: independent repetitions, for the uncertainty.
        seed: of the samples.

    Yields:
        Share done, and from the batches so far `mean_variance` and `std_variance`, shape (sizes, trials), of the batch
        mean and of the biased (1/M) batch std; `means` and `stds`, shape (sizes, shown): some single batches.

    References:
        Delta method on the variance of the sample variance, e.g. Cramer 1946, section 27.7.
    """
    count = max(batches // (FRAMES * trials), 2)
    streams = [np.random.default_rng(np.random.SeedSequence([seed, size])) for size in batch_sizes]
    moments = np.zeros((len(batch_sizes), 4, trials))  # sums of mean, mean^2, std - sigma, (std - sigma)^2, sigma = 1
    for frame in range(1, FRAMES + 1):
        shown = []
        for row, (size, stream) in enumerate(zip(batch_sizes, streams, strict=True)):
            samples = DRAWS[distribution](stream, (trials, count, size))
            means, stds = samples.mean(axis=2), samples.std(axis=2) - 1
            moments[row] += np.array([(values**power).sum(axis=1) for values in (means, stds) for power in (1, 2)])
            shown.append((means[0, 0], stds[0, 0] + 1))
        values = _variances(moments, frame * count) * std**2
        latest = np.array(shown) * std
        yield (
            frame / FRAMES,
            {"mean_variance": values[:, 0], "std_variance": values[:, 1], "means": latest[:, :1], "stds": latest[:, 1:]},
        )


def _variances(moments: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Unbiased variances of mean and std, shape (sizes, 2, trials), from their sums over `count` batches."""
    sums, squares = moments[:, 0::2], moments[:, 1::2]
    return (squares - sums**2 / count) / (count - 1)

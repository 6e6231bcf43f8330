"""How the statistics of a batch, and the running ones, vary from batch to batch, in float64 and without torch."""

import math


def batch_mean_variance(variance: float, batch_size: int) -> float:
    """Variance of the mean of a batch of independent samples: variance / batch_size. Exact."""
    return variance / batch_size


def batch_std_variance(variance: float, batch_size: int, excess_kurtosis: float = 0.0) -> float:
    """Variance of a batch's standard deviation, to first order in 1/M: (excess_kurtosis + 2) variance / (4 M).

    0 excess kurtosis for a Gaussian. The next order is smaller by a factor of about 1/M.

    References:
        Delta method on the variance of the sample variance, e.g. Cramer 1946, section 27.7.
    """
    return (excess_kurtosis + 2) * variance / (4 * batch_size)


def _rectified_excess_kurtosis() -> float:
    """Of max(z, 0), z ~ N(0, 1), from its raw moments 1/sqrt(2 pi), 1/2, sqrt(2/pi), 3/2."""
    m1, m2, m3, m4 = 1 / math.sqrt(2 * math.pi), 1 / 2, math.sqrt(2 / math.pi), 3 / 2
    return (m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4) / (m2 - m1**2) ** 2 - 3


EXCESS_KURTOSIS = {
    "normal": 0.0,
    "uniform": -6 / 5,
    "laplace": 3.0,
    "exponential": 6.0,
    "two_values": -2.0,  # +1 or -1, equally often
    "rectified": _rectified_excess_kurtosis(),  # the output of a ReLU on a normal input
}


def gaussian_batch_std_variance(variance: float, batch_size: int) -> float:
    """Variance of the (biased, 1/M) standard deviation of a batch of Gaussian samples. Exact: chi distribution.

    variance (M - 1 - 2 (Gamma(M/2) / Gamma((M-1)/2))^2) / M; `batch_std_variance` is its first order in 1/M.

    Raises:
        ValueError: a batch of less than 2.
    """
    if batch_size < 2:
        raise ValueError(f"batch_size: received {batch_size}, allowed: 2 or more")
    mean_chi = math.sqrt(2) * math.exp(math.lgamma(batch_size / 2) - math.lgamma((batch_size - 1) / 2))
    return variance * (batch_size - 1 - mean_chi**2) / batch_size


def running_noise_variance(norm_momentum: float, updates: int, batch_variance: float) -> float:
    """Variance of a running statistic after `updates` independent batches: m/(2 - m) (1 - (1-m)^(2t)) batch_variance.

    Args:
        norm_momentum: m, weight of the new value, above 0.
        updates: t.
        batch_variance: variance of the statistic of one batch, as `batch_mean_variance` gives it.
    """
    left = (1 - norm_momentum) ** (2 * updates)
    return norm_momentum / (2 - norm_momentum) * (1 - left) * batch_variance


def running_start_error(norm_momentum: float, updates: int) -> float:
    """Share of a running statistic that is still its start value: (1 - norm_momentum)^updates (PyTorch's momentum)."""
    return (1 - norm_momentum) ** updates

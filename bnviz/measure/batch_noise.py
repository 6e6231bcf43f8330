"""How much the statistics of a batch differ from batch to batch."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnviz.measure.copies import by_trial
from bnviz.measure.moment import Moment
from bnviz.nets import Activations

DRAWS = 256  # batches


def batch_statistics_variance(population: Tensor, batch_size: int, draws: int = DRAWS, seed: int = 0) -> dict[str, Tensor]:
    """Variance over batches of a batch's mean and (biased) standard deviation, measured and in closed form, per unit.

    Batches of M are drawn with replacement from the population (samples, units). Closed forms: sigma^2 / M for the mean,
    which is exact, and (excess kurtosis + 2) sigma^2 / (4 M) for the standard deviation, to first order in 1 / M.

    Returns:
        mean, mean_theory, std, std_theory: each (units,).

    Raises:
        ValueError: fewer than two draws, which have no variance.

    References:
        Kendall & Stuart, The Advanced Theory of Statistics, vol. 1 (standard errors of moments).
    """
    if draws < 2:
        raise ValueError(f"draws: got {draws}, wanted at least 2")
    population = population.double()
    stream = torch.Generator().manual_seed(seed)
    chosen = torch.randint(len(population), (draws, batch_size), generator=stream)
    batches = population[chosen]
    centred = population - population.mean(0)
    variance, fourth = centred.square().mean(0), centred.pow(4).mean(0)
    return {
        "mean": batches.mean(1).var(0),
        "mean_theory": variance / batch_size,
        "std": batches.std(1, correction=0).var(0),
        "std_theory": (fourth / variance - variance).nan_to_num(0) / (4 * batch_size),
    }


def batch_noise_extra(moment: Moment) -> dict[str, NDArray[np.float32]]:
    """`batch_statistics_variance` of each layer's pre-norm at the run's batch size, averaged over the units.

    The population is the pre-norm of the whole training set, passed as one batch; so the noise of the layers below is
    not in it.

    Returns:
        batch_noise_mean, batch_noise_mean_theory, batch_noise_std, batch_noise_std_theory: each (trials, layers).
    """
    kept = Activations()
    with torch.inference_mode():
        inputs = torch.from_numpy(moment.dataset.train_inputs).expand(moment.config.trials, -1, -1)
        moment.arm.net.hidden(inputs, "probe", kept)
        layers = [
            [batch_statistics_variance(trial.flatten(1), moment.config.batch_size) for trial in layer] for layer in kept.pre_norm
        ]
        return {
            f"batch_noise_{name}": by_trial(
                torch.stack([torch.stack([trial[name].mean() for trial in layer]) for layer in layers], 1), moment
            )
            for name in ("mean", "mean_theory", "std", "std_theory")
        }

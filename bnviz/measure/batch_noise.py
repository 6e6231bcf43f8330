"""How much the statistics of a batch differ from batch to batch."""

import torch
from torch import Tensor

from bnviz.measure.moment import Moment, Results
from bnviz.nets import Activations
from bnviz.registry.measures import MeasureEntry

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


@MeasureEntry(
    name="batch_noise",
    wants=("data", "passes"),
    source="Kendall & Stuart, The Advanced Theory of Statistics, vol. 1 (standard errors of moments)",
    caveat="the training set passes as one batch: the noise of the layers below is not in it",
    results={
        "batch_noise_mean": {
            "definition": "variance over batches of a unit's batch mean, averaged over the units, of the pre-norm",
            "unit": "squared value",
            "axes": ("trial", "layer"),
        },
        "batch_noise_mean_theory": {
            "definition": "its closed form, sigma^2 / M",
            "unit": "squared value",
            "axes": ("trial", "layer"),
        },
        "batch_noise_std": {
            "definition": "variance over batches of a unit's batch standard deviation, likewise",
            "unit": "squared value",
            "axes": ("trial", "layer"),
        },
        "batch_noise_std_theory": {
            "definition": "its closed form, (excess kurtosis + 2) sigma^2 / (4 M), to first order in 1 / M",
            "unit": "squared value",
            "axes": ("trial", "layer"),
        },
    },
)
def measure_batch_noise(moment: Moment) -> Results:
    """`batch_statistics_variance` of each layer's pre-norm at the run's batch size, averaged over the units.

    The population is the pre-norm of the whole training set, passed as one batch.
    """
    kept = Activations()
    with torch.inference_mode():
        inputs = torch.from_numpy(moment.dataset.train_inputs).expand(moment.config.trials, -1, -1)
        moment.arm.net.hidden(inputs, "probe", kept)
        layers = [
            [batch_statistics_variance(trial.flatten(1), moment.config.batch_size) for trial in layer] for layer in kept.pre_norm
        ]
        return {
            f"batch_noise_{name}": torch.stack([torch.stack([trial[name].mean() for trial in layer]) for layer in layers], 1)
            for name in ("mean", "mean_theory", "std", "std_theory")
        }

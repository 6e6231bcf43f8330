"""The noise of a batch's statistics: against known distributions and a loop over batches."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bnviz.measure.batch_noise import DRAWS, batch_statistics_variance
from tests.measure.moments import tensors_of


@pytest.mark.parametrize(("kind", "kurtosis"), [("normal", 0.0), ("uniform", -1.2)])
def test_batch_noise_of_known_distributions(kind, kurtosis):
    """Against sigma^2 / M and (kurtosis + 2) sigma^2 / (4 M), with 20,000 batches: one percent of sampling error."""
    rng = np.random.default_rng(1)
    values = rng.normal(2, 3, (50_000, 2)) if kind == "normal" else rng.uniform(-3, 3, (50_000, 2)) * 3**0.5
    got = batch_statistics_variance(torch.from_numpy(values), 64, draws=20_000)
    variance = 9.0
    for name, expected in (("mean", variance / 64), ("std", (kurtosis + 2) * variance / 256)):
        np.testing.assert_allclose(got[name], expected, rtol=0.04)
        np.testing.assert_allclose(got[f"{name}_theory"], expected, rtol=0.03)


def REFERENCE(moment, trial):
    """Unit by unit and batch by batch, on the same draws of samples."""
    stream = torch.Generator().manual_seed(0)
    chosen = torch.randint(len(moment.dataset.train_inputs), (DRAWS, moment.config.batch_size), generator=stream).numpy()
    everything = replace(moment, probe=torch.from_numpy(moment.dataset.train_inputs).expand(2, -1, -1))
    expected = {name: [] for name in ("mean", "mean_theory", "std", "std_theory")}
    for layer in tensors_of(everything, trial)["pre_norm"]:
        units = {name: [] for name in expected}
        for values in layer.T:
            units["mean"].append(np.var([values[batch].mean() for batch in chosen], ddof=1))
            units["std"].append(np.var([values[batch].std() for batch in chosen], ddof=1))
            kurtosis = np.mean((values - values.mean()) ** 4) / values.var() ** 2 - 3
            units["mean_theory"].append(values.var() / 16)
            units["std_theory"].append((kurtosis + 2) * values.var() / 64)
        for name, of_units in units.items():
            expected[name].append(np.mean(of_units))
    return {f"batch_noise_{name}": values for name, values in expected.items()}


def test_batch_noise_of_a_constant():
    got = batch_statistics_variance(torch.ones(30, 2), 8)
    assert all(bool((value == 0).all()) for value in got.values())
    with pytest.raises(ValueError, match="at least 2"):
        batch_statistics_variance(torch.ones(30, 2), 8, draws=1)

"""What the probes of chance, leaks and folding yield: shapes, shares, what they refuse, and what they must find."""

import numpy as np
import pytest
import torch

from bnviz.probes import batch_noise, born_dead, dropout_shift, folding, running_start, sample_leak

CASES = {
    "batch_noise": lambda: batch_noise.probe("normal", [2, 8], batches=400, trials=3),
    "born_dead": lambda: born_dead.probe([2, 3], 4, 100),
    "dropout_shift": lambda: dropout_shift.probe([0.5, 0.9], samples=300, trials=2),
    "running_start": lambda: running_start.probe([0.1, 0.01], updates=50, units=4, trials=2),
    "folding": lambda: folding.probe(depth=2, steps=3, trials=2),
    "sample_leak": lambda: sample_leak.probe(["none", "batch"], [2, 8], steps=3, depth=1, trials=2),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_frames_grow_keep_their_shapes_and_repeat_bit_for_bit(name):
    frames, again = list(CASES[name]()), list(CASES[name]())
    shares = [share for share, _ in frames]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert len(frames) >= 10  # enough to be watched
    shapes = {key: value.shape for key, value in frames[0][1].items()}
    for (_, values), (_, same) in zip(frames, again, strict=True):
        assert {key: value.shape for key, value in values.items()} == shapes
        assert all(value.dtype == np.float64 for value in values.values())
        for key, value in values.items():
            np.testing.assert_array_equal(value, same[key])
    assert all(np.isfinite(value).all() for value in frames[-1][1].values())


def _last(values):
    return list(values)[-1][1]


def test_batch_noise_against_plain_variances():
    """The running sums give what `numpy.var` gives of all batches at once."""
    values = _last(batch_noise.probe("exponential", [4], 2.0, batches=40 * 2 * 5, trials=2, seed=3))
    stream = np.random.default_rng(np.random.SeedSequence([3, 4]))
    batches = 2 * np.concatenate([stream.standard_exponential((2, 5, 4)) - 1 for _ in range(40)], axis=1)
    np.testing.assert_allclose(values["mean_variance"][0], batches.mean(axis=2).var(axis=1, ddof=1), rtol=1e-10)
    np.testing.assert_allclose(values["std_variance"][0], batches.std(axis=2).var(axis=1, ddof=1), rtol=1e-10)


def test_probes_refuse_what_has_no_meaning():
    with pytest.raises(ValueError, match="mean, std: received 0, 2"):
        next(running_start.probe([0.1], mean=0, std=2))
    with pytest.raises(ValueError, match="norm, samples: received batch, 1"):
        next(born_dead.probe([2], 2, norm="batch"))
    with pytest.raises(ValueError, match="norm, samples: received layer"):
        next(born_dead.probe([2], 2, norm="layer", samples=3))


def test_only_batch_norm_lets_other_samples_through_and_only_in_training():
    norms = ["none", "batch", "layer", "group", "rms"]
    leak = _last(sample_leak.probe(norms, [2, 8, 32], steps=20, depth=2, trials=3))["leak"]
    training, testing = leak[:, 0], leak[:, 1]
    assert testing.max() == 0
    assert np.delete(training, 1, axis=0).max() < 1e-6  # rounding at most
    batch = training[1]
    assert batch.min() > 0.05
    assert (np.diff(batch, axis=0) < 0).all()  # the larger the batch, the less one companion matters


def test_a_folded_net_is_the_net():
    values = _last(folding.probe(depth=4, steps=40, trials=3))
    single, double = values["difference"]
    assert single.max() < 100 * torch.finfo(torch.float32).eps
    assert double.max() < 100 * torch.finfo(torch.float64).eps
    assert single.max() > double.max() > 0
    np.testing.assert_allclose(values["eval"], values["line"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(values["line"], values["slope"] * values["x"] + values["shift"], rtol=1e-12)
    spread = values["training"].std(axis=1)
    assert spread.min() > 0.05  # in training mode the same value becomes many


def test_in_a_batch_of_two_a_unit_says_only_who_is_larger():
    """The output in training mode is beta + gamma or beta - gamma, but for companions so close that eps counts."""
    outputs = _last(folding.probe(depth=2, steps=5, batch_size=2, layer=1, trials=1))["training"]
    low, high = outputs.min(), outputs.max()
    at_an_end = np.minimum(outputs - low, high - outputs) < 0.01 * (high - low)
    assert at_an_end.mean() > 0.95
    assert 0.1 < (outputs > (low + high) / 2).mean() < 0.9

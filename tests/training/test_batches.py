"""Which random numbers a trial draws (`trial_seeds`), and batches of a single class."""

import numpy as np
import pytest
import torch

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.datasets import load
from bnviz.training.batches import Batches
from bnviz.training.loop import Trainer

DATA = {"name": "spirals", "train_size": 60, "test_size": 20}
SEEDS = (0, 1, 2, 0, 1, 2)


def small(**changes) -> RunConfig:
    arms = tuple(ArmConfig(norm=norm, depth=2, width=8, dropout=0.4) for norm in ("none", "batch"))
    return RunConfig(**({"dataset": DATA, "arms": arms, "trials": 6, "batch_size": 16, "probe_size": 10, "steps": 8} | changes))


def trainer(config: RunConfig) -> Trainer:
    return Trainer(config, load(config.dataset, config.seed))


def drawn(config: RunConfig, count: int = 7) -> torch.Tensor:
    """The first batches, (batches, trials, batch)."""
    labels = torch.from_numpy(load(config.dataset, config.seed).train_labels)
    return torch.stack([chosen for _, chosen in zip(range(count), Batches(config, labels), strict=False)])


def test_trials_of_equal_seeds_share_initial_weights_and_batches_bit_for_bit():
    config = small(trial_seeds=SEEDS)
    for arm in trainer(config).arms:
        for weight in arm.net.linear_weights:
            assert torch.equal(weight[:3], weight[3:])
            assert not torch.equal(weight[0], weight[1])
    batches = drawn(config)
    assert torch.equal(batches[:, :3], batches[:, 3:])
    assert not torch.equal(batches[:, 0], batches[:, 1])


def test_trials_of_equal_seeds_train_alike_with_dropout_too():
    run = trainer(small(trial_seeds=SEEDS))
    for _ in run.states((8,)):
        pass
    for arm in run.arms:
        for view in arm.net.parameters.views.values():
            torch.testing.assert_close(view[:3], view[3:], rtol=1e-4, atol=1e-6)


def test_a_seed_is_that_of_the_trial_of_this_number_in_a_run_without_seeds():
    plain, chosen = small(trials=3), small(trials=3, trial_seeds=(2, 0, 0))
    ours, theirs = trainer(chosen).arms[1].net.linear_weights, trainer(plain).arms[1].net.linear_weights
    assert all(torch.equal(a, b[[2, 0, 0]]) for a, b in zip(ours, theirs, strict=True))
    assert torch.equal(drawn(chosen), drawn(plain)[:, [2, 0, 0]])


def test_every_single_class_batch_has_one_class_and_every_class_gets_its_turn():
    config = small(dataset={"name": "blobs", "train_size": 60, "test_size": 20}, batch_mode="single_class")
    labels = load(config.dataset, config.seed).train_labels[drawn(config, 9).numpy()]
    assert (labels == labels[..., :1]).all()
    epochs = labels[..., 0].reshape(3, 3, 6)  # three epochs of three batches, one a class
    assert (np.sort(epochs, axis=1) == np.arange(3)[:, None]).all()
    assert len({tuple(order) for order in epochs.transpose(0, 2, 1).reshape(-1, 3)}) > 2, "the classes' order is random"


def test_single_class_batches_show_every_sample_in_the_end_and_repeat_none_in_a_batch():
    config = small(batch_mode="single_class", trials=1)
    batches = drawn(config, 60)
    assert set(batches.flatten().tolist()) == set(range(60))
    assert all(len(set(batch.tolist())) == 16 for batch in batches[:, 0])


def test_a_class_smaller_than_the_batch_is_repeated():
    config = small(batch_mode="single_class", batch_size=50, trials=2)
    for batch in drawn(config, 4).flatten(0, 1):
        counts = torch.bincount(batch, minlength=60)
        assert sorted(counts[counts > 0].tolist()) == [1] * 10 + [2] * 20


def test_single_class_batches_are_seeded_and_want_labels():
    config = small(batch_mode="single_class", trial_seeds=SEEDS)
    assert torch.equal(drawn(config), drawn(config))
    assert torch.equal(drawn(config)[:, :3], drawn(config)[:, 3:])
    assert not torch.equal(drawn(config), drawn(small(batch_mode="single_class", trial_seeds=SEEDS, seed=1)))
    with pytest.raises(ValueError, match="want the labels"):
        Batches(config)

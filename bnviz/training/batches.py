"""Which samples a mini-batch holds, trial by trial."""

import hashlib
from collections.abc import Iterator

import torch
from torch import Tensor

from bnviz.config.models import RunConfig
from bnviz.nets.initialization import BATCHES, generators


class Batches:
    """The sample order of every trial, the same in all arms: whole epochs, each in a new random order.

    iid: what is left over when the batch size does not divide the training set waits for the next epoch's shuffle.
    single_class: an epoch is one batch of each class that occurs, the classes in a new random order; a class with fewer
    samples than a batch has them repeated.

    Args:
        config: the run.
        labels: of the training set, int64, shape (samples,); wanted by single_class only.

    Raises:
        ValueError: single_class without labels.
    """

    def __init__(self, config: RunConfig, labels: Tensor | None = None) -> None:
        self.size, self.count = config.batch_size, config.dataset.sizes[0]
        self._classes: list[Tensor] = []  # the samples of each class; empty for iid
        if config.batch_mode == "single_class":
            if labels is None:
                raise ValueError("single_class batches want the labels of the training set")
            self._classes = [torch.nonzero(labels == label).flatten() for label in labels.unique()]
        seeds = config.trial_seeds or tuple(range(config.trials))
        distinct = sorted(set(seeds))  # trials of one seed share its order: a sweep of 128 networks keeps but a few
        self._streams = generators(config.seed, len(distinct), BATCHES, distinct)
        self._places = torch.tensor([distinct.index(seed) for seed in seeds])
        self.first_epoch = self._shuffle()

    def _shuffle(self) -> Tensor:
        draw = self._by_class if self._classes else self._all
        return torch.stack([draw(stream) for stream in self._streams])  # (distinct seeds, samples)

    def _all(self, stream: torch.Generator) -> Tensor:
        return torch.randperm(self.count, generator=stream)

    def _by_class(self, stream: torch.Generator) -> Tensor:
        """A batch of each class, one after the other."""
        batches = []
        for label in torch.randperm(len(self._classes), generator=stream).tolist():
            samples = self._classes[label]
            shuffled = samples[torch.randperm(len(samples), generator=stream)]
            batches.append(shuffled[torch.arange(self.size) % len(samples)])
        return torch.cat(batches)

    def __iter__(self) -> Iterator[Tensor]:
        """Sample indices of the next batch, int64, shape (trials, batch), without end."""
        order = self.first_epoch
        while True:
            for start in range(0, order.shape[1] - self.size + 1, self.size):
                yield order[self._places, start : start + self.size]
            order = self._shuffle()

    def hash(self, trial: int) -> str:
        """12 hex digits of one trial's sample order in the first epoch."""
        return hashlib.sha256(self.first_epoch[self._places[trial]].numpy().tobytes()).hexdigest()[:12]

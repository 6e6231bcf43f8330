"""Experiment 9, batch size: the noise of batch statistics, tiny batches, dropout, batches unlike the data, and the leak."""

from bnviz.experiments.kit.base import Experiment
from bnviz.experiments.parts.batch_size import dropout, leak, noise, non_iid, size, variance_shift

EXPERIMENT = Experiment(
    id="batch_size",
    number=9,
    title="Batch size and noise",
    icon=":material/grain:",
    parts=(size.PART, noise.PART, non_iid.PART, leak.PART, dropout.PART, variance_shift.PART),
)

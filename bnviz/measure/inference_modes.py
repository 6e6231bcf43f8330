"""One trained net, three ways to normalize the test data."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy

import torch
from torch import Tensor
from typing_extensions import override

from bnviz.measure.curves import accuracy, mean_loss
from bnviz.measure.moment import Moment, Results
from bnviz.nets import Stack
from bnviz.nets.norms import Mode, Norm
from bnviz.registry.measures import MeasureEntry


class Accumulating(Norm):
    """Another norm in train mode whatever mode it is asked for, so that its running statistics take in what passes."""

    def __init__(self, norm: Norm) -> None:
        self.norm, self.affine = norm, norm.affine

    @override
    def __call__(self, values: Tensor, affine: list[Tensor], mode: Mode) -> Tensor:
        return self.norm(values, affine, "train")


@contextmanager
def recomputed_statistics(net: Stack, inputs: Tensor, batch_size: int) -> Iterator[None]:
    """Inside, the running statistics are plain averages over batches of `inputs`, without dropout; then the old ones again.

    Each batch's mean and unbiased variance count alike, all layers in one pass, as in algorithm 2 of the source.

    Args:
        net: the stack.
        inputs: (trials, samples, features), for example the training set.
        batch_size: of the batches; what is left over joins the last one.

    References:
        Ioffe & Szegedy 2015, Batch Normalization, arXiv:1502.03167, algorithm 2.
    """
    norms: list[Norm] = [*net.norms, *([net.input_norm] if net.input_norm else [])]
    saved, momenta = net.statistics(), [norm.momentum for norm in norms]
    streams = [stream for norm in norms for stream in norm.random_streams()]
    drawn = [stream.state() for stream in streams]
    listening = copy(net)
    listening.norms = [Accumulating(norm) for norm in net.norms]
    listening.input_norm = Accumulating(net.input_norm) if net.input_norm else None  # pyright: ignore[reportAttributeAccessIssue]
    try:
        for i, batch in enumerate(batches_of(inputs, batch_size)):
            for norm in norms:
                norm.momentum = 1 / (i + 1)
            listening.hidden(batch, "probe")
        yield
    finally:
        net.restore_statistics(saved)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for stream, state in zip(streams, drawn, strict=True):
            stream.restore(state)


def batches_of(inputs: Tensor, size: int) -> tuple[Tensor, ...]:
    """Neighbouring batches of (trials, samples, ...): as many as fit, what is left over in the last one."""
    count = max(inputs.shape[1] // size, 1)
    return inputs.tensor_split([size * i for i in range(1, count)], dim=1)


@MeasureEntry(
    name="inference_modes",
    wants=("test_logits", "data", "passes"),
    source="Ioffe & Szegedy 2015, Batch Normalization, arXiv:1502.03167, algorithm 2",
    caveat="all three are the same for a net without batch norm",
    results={
        "inference_running_loss": {"definition": "test loss with running statistics", "unit": "nats", "axes": ("trial",)},
        "inference_running_accuracy": {"definition": "test accuracy, likewise", "unit": "share", "axes": ("trial",)},
        "inference_batch_loss": {
            "definition": "test loss with the statistics of each test batch, of the run's batch size",
            "unit": "nats",
            "axes": ("trial",),
        },
        "inference_batch_accuracy": {"definition": "test accuracy, likewise", "unit": "share", "axes": ("trial",)},
        "inference_recomputed_loss": {
            "definition": "test loss with plain averages over the training set's batches",
            "unit": "nats",
            "axes": ("trial",),
        },
        "inference_recomputed_accuracy": {"definition": "test accuracy, likewise", "unit": "share", "axes": ("trial",)},
    },
)
def measure_inference_modes(moment: Moment) -> Results:
    """Test loss and accuracy with running, batch and recomputed statistics, each (trials,).

    running: what the run accumulated; batch: those of each test batch, of the run's batch size (what is left over
    joins the last one); recomputed: `recomputed_statistics` over the training set. All three are
    the same for a net without batch norm.

    """
    net, size = moment.arm.net, moment.config.batch_size
    train = torch.from_numpy(moment.dataset.train_inputs).expand(net.trials, -1, -1)
    test = torch.from_numpy(moment.dataset.test_inputs).expand(net.trials, -1, -1)
    with torch.inference_mode():
        logits = {"running": moment.test_logits}
        logits["batch"] = torch.cat([net.forward(batch, "probe") for batch in batches_of(test, size)], 1)
        with recomputed_statistics(net, train, size):
            logits["recomputed"] = net.forward(test, "eval")
    kinds = {"loss": mean_loss, "accuracy": accuracy}
    return {
        f"inference_{name}_{kind}": of(values, moment.test_labels)
        for name, values in logits.items()
        for kind, of in kinds.items()
    }

"""The loss that the step descends."""

from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="train_loss",
    place=1,
    always=True,
    wants=("step",),
    results={
        "train_loss": {
            "definition": "mean cross-entropy of the step's own mini-batch, in training mode: batch statistics, dropout on",
            "unit": "nats",
            "axes": ("trial",),
        },
    },
)
def measure_train_loss(moment: Moment) -> Results:
    """As the training loop has computed it."""
    return {"train_loss": moment.arm.loss}

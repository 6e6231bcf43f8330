"""How much of the step's own mini-batch is answered right."""

from bnviz.measure.curves import accuracy
from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="train_accuracy",
    place=2,
    always=True,
    wants=("step",),
    results={
        "train_accuracy": {
            "definition": "share of the step's own mini-batch whose largest logit is the label's, in the same pass",
            "unit": "share",
            "axes": ("trial",),
        },
    },
)
def measure_train_accuracy(moment: Moment) -> Results:
    """From the logits of the training loop's pass."""
    return {"train_accuracy": accuracy(moment.arm.logits, moment.labels)}

"""The loss on data that were not trained on."""

from bnviz.measure.curves import mean_loss
from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="test_loss",
    place=3,
    always=True,
    wants=("test_logits",),
    caveat="early in the training, and with a small `norm_momentum`, the running statistics lag behind",
    results={
        "test_loss": {
            "definition": "mean cross-entropy of the test set, in inference mode: running statistics, no dropout",
            "unit": "nats",
            "axes": ("trial",),
        },
    },
)
def measure_test_loss(moment: Moment) -> Results:
    """From the pass shared by all that look at the test set."""
    return {"test_loss": mean_loss(moment.test_logits, moment.test_labels)}

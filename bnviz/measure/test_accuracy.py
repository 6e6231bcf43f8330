"""How much of the test set is answered right."""

from bnviz.measure.curves import accuracy
from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="test_accuracy",
    place=4,
    always=True,
    wants=("test_logits",),
    results={
        "test_accuracy": {
            "definition": "share of the test set whose largest logit is the label's, in the same pass",
            "unit": "share",
            "axes": ("trial",),
        },
    },
)
def measure_test_accuracy(moment: Moment) -> Results:
    """From the pass shared by all that look at the test set."""
    return {"test_accuracy": accuracy(moment.test_logits, moment.test_labels)}

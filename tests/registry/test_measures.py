"""What a measurement says of itself has to make sense, and names of results lead to it."""

import pytest

from bnviz.registry.declared import BadDeclaration
from bnviz.registry.measures import ALL_TRIALS, MEASURES, MeasureEntry, UnknownMeasure, chosen, columns


def entry(**fields) -> MeasureEntry:
    axes = fields.pop("axes", ("trial", "layer"))
    results = {"toys": {"definition": "how many toys", "unit": "toys", "axes": axes}}
    return MeasureEntry(**{"name": "toys", "wants": ("step",), "results": results, **fields})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"wants": ("step", "toys")}, "toys wants toys; there is activations, copies"),
        ({"axes": ("trial", "shelf")}, "toys has the axes shelf; there is bin, layer"),
        ({"axes": ("trial", "unit"), "always": True}, "toys is always taken, and no table has its axes"),
    ],
)
def test_what_makes_no_sense_is_refused(fields, said):
    with pytest.raises(BadDeclaration, match=said):
        entry(**fields)


def test_cost_table_and_shared_tensors_follow_from_what_is_said():
    assert (entry().cost, entry().table, entry().shares) == ("free", "extras", frozenset())
    dear = entry(wants=("percentiles", "step"), axes=("shown", "layer", "bin"), always=True)
    assert (dear.cost, dear.table) == ("probe pass", "histograms")
    assert dear.shares == {"percentiles", "distributions", "probed", "activations"}
    assert entry(wants=("step", "copies"), axes=("trial", "shelf"), own_axes={"shelf": 3}).cost == "own work"
    assert MEASURES["percentiles"].filed("pre_norm_percentiles") == ("percentiles", "pre_norm")
    assert MEASURES["layer_output"].filed("layer_output_percentiles") == ("extras", "layer_output_percentiles")


def test_what_a_list_of_names_asks_for():
    assert chosen([]) == chosen([ALL_TRIALS]) == {}
    assert chosen(["shift_cosine", "train_loss"]) == {"train_loss": {"train_loss"}, "shift": {"shift_cosine"}}
    assert chosen(["shift"])["shift"] == {"shift", "shift_relative", "shift_cosine"}
    with pytest.raises(UnknownMeasure, match=f"is called toys; there is {ALL_TRIALS}, autocorrelation"):
        chosen(["toys", "train_loss"])


def test_a_result_has_the_columns_of_its_table():
    assert columns("curves") == ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
    assert columns("layers")[:2] == ("weight_grad_norm", "pre_norm_grad_norm")
    assert "effective_rank" in columns("extras")

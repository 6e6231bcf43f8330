"""Arrays with names: against plain NumPy on the same numbers."""

import numpy as np
import pytest

from bnviz.experiments.kit.labelled import Labelled, known_median, stacked

RAW = np.random.default_rng(0).normal(size=(2, 3, 4))
AXES = {"arm": ("none", "batch"), "seed": (0, 1, 2), "layer": (1, 2, 3, 4)}
FOUND = Labelled(RAW, AXES)


def test_a_place_is_taken_by_its_name():
    assert (FOUND.at(arm="batch").values == RAW[1]).all()
    assert list(FOUND.at(arm="batch").axes) == ["seed", "layer"]
    assert FOUND.at(layer=4, arm="none", seed=2).values == RAW[0, 2, 3]


@pytest.mark.parametrize(("place", "said"), [({"arm": "layer"}, "none"), ({"norm": "batch"}, "arm, seed, layer")])
def test_a_place_that_is_not_there_says_which_are(place, said):
    with pytest.raises(LookupError, match=said):
        FOUND.at(**place)


def test_the_shape_has_to_fit_the_names():
    with pytest.raises(ValueError, match=r"received shape \(2, 3, 4\), wanted \(2, 3\)"):
        Labelled(RAW, {"arm": ("none", "batch"), "seed": (0, 1, 2)})


def test_axes_are_reduced_one_by_one_or_together():
    assert (FOUND.over("seed").values == np.median(RAW, axis=1)).all()
    assert (FOUND.over("layer", np.max).values == RAW.max(axis=2)).all()
    both = FOUND.over_all(lambda values: float(np.median(values)), "layer", "seed", "step")  # there is no axis step
    assert both.axes == {"arm": ("none", "batch")}
    assert both.values == pytest.approx([np.median(RAW[0]), np.median(RAW[1])])


def test_a_part_of_an_axis_keeps_its_names():
    late = FOUND.since("layer", 3)
    assert (late.values == RAW[:, :, 2:]).all()
    assert late.axes["layer"] == (3, 4)


def test_rows_have_the_order_that_is_asked_for():
    assert (FOUND.rows("layer", "arm", "seed") == np.moveaxis(RAW, 2, 0)).all()
    with pytest.raises(ValueError, match="there are arm, seed, layer"):
        FOUND.rows("layer", "arm")


def test_arithmetic_is_place_by_place_and_only_between_the_same_names():
    batch, none = FOUND.at(arm="batch"), FOUND.at(arm="none")
    assert ((batch / none).values == RAW[1] / RAW[0]).all()
    assert ((batch - none).values == RAW[1] - RAW[0]).all()
    assert ((100 * batch).values == 100 * RAW[1]).all()
    assert ((batch / 2).values == RAW[1] / 2).all()
    with pytest.raises(ValueError, match="they must be the same"):
        batch / none.since("layer", 2)


def test_division_by_nothing_is_infinite_and_warns_of_nothing():
    ones = Labelled(np.array([1.0, 0.0]), {"seed": (0, 1)})
    zeros = Labelled(np.zeros(2), {"seed": (0, 1)})
    assert np.isinf((ones / zeros).values[0])
    assert np.isnan((ones / zeros).values[1])


def test_parts_become_one_array():
    joined = stacked("size", {8: FOUND.at(arm="none"), 64: FOUND.at(arm="batch")})
    assert joined.axes["size"] == (8, 64)
    assert (joined.at(size=64).values == RAW[1]).all()
    with pytest.raises(ValueError, match="different axes"):
        stacked("size", {8: FOUND, 64: FOUND.at(arm="none")})


def test_places_are_visited_in_order():
    assert [place for place, _ in FOUND.along("arm")] == ["none", "batch"]
    assert all((part.values == RAW[i]).all() for i, (_, part) in enumerate(FOUND.along("arm")))


def test_an_axis_gets_another_name_and_other_places():
    named = FOUND.renamed("layer", "scale", (0.5, 1.0, 2.0, 4.0))
    assert list(named.axes) == ["arm", "seed", "scale"]
    assert named.at(arm="batch", seed=1, scale=4.0).values == RAW[1, 1, 3]
    with pytest.raises(ValueError, match="wanted"):
        FOUND.renamed("layer", "scale", (0.5, 1.0))


def test_the_median_of_what_is_known():
    assert known_median(np.array([1.0, np.nan, 4.0, 2.0])) == 2
    assert np.isnan(known_median(np.array([np.nan])))

"""At which values of a sweep nets learned, seed by seed."""

import numpy as np

from bnviz.experiments.kit.usable_range import UsableRange

NAN = np.nan


def test_the_usable_range_is_found_seed_by_seed():
    #                   seed 0 1 2 (never)
    usable = np.array([[0, 1, 0], [1, 1, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0]], bool)
    found = UsableRange(np.array([0.01, 0.1, 1, 10, 100]), usable)
    np.testing.assert_array_equal(found.lowest, [0.1, 0.01, NAN])
    np.testing.assert_array_equal(found.highest, [10, 1, NAN])  # a gap inside does not end the range
    np.testing.assert_allclose(found.span, [100, 100, NAN])
    np.testing.assert_allclose(found.share, [0.4, 0.6, 0.0])
    assert found.ends_inside
    assert not UsableRange(np.array([0.01, 0.1]), usable[:2]).ends_inside

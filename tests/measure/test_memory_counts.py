"""The estimate of a run's memory knows the measurements by their counts, since it must not load torch: they are the true ones."""

from bnviz.config import memory
from bnviz.measure import autocorrelation, batch_noise, boundary, fidelity, landscape, surface


def test_the_estimate_counts_what_is_measured():
    where_it_stands = 1
    assert memory.COPIES["landscape"] == where_it_stands + len(landscape.LINE)
    assert memory.COPIES["fidelity"] == where_it_stands + len(fidelity.SCALES)
    assert memory.COPIES["surface"] == surface.CHUNK
    assert memory.LINE_POINTS == autocorrelation.POINTS
    assert memory.GRID_POINTS == boundary.GRID**2
    assert memory.DRAWS == batch_noise.DRAWS

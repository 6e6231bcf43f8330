"""The estimate of a run's memory reads counts of the measurements, since it must not load torch: they are the true ones."""

from bnviz.config import memory
from bnviz.measure import autocorrelation, batch_noise, decision_boundary, fidelity, landscape, surface
from bnviz.registry.measures import MEASURES


def test_the_estimate_counts_what_is_measured():
    where_it_stands = 1
    assert MEASURES["landscape"].copies == where_it_stands + len(landscape.LINE)
    assert MEASURES["fidelity"].copies == where_it_stands + len(fidelity.SCALES)
    assert MEASURES["surface"].copies == surface.CHUNK
    assert memory.LINE_POINTS == autocorrelation.POINTS
    assert memory.GRID_POINTS == decision_boundary.GRID**2
    assert memory.DRAWS == batch_noise.DRAWS

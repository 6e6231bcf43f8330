"""Records are computed on one thread, whatever the caller has set, and the caller's setting is left alone."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

import bnviz
from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.experiments.board.catalog import study_config
from bnviz.experiments.board.headless import conclude
from bnviz.measure import Measurer
from bnviz.records.records import RunFinished
from bnviz.runs.workers.execute import run_any

OURS = 3
SMALL = RunConfig(
    dataset=DatasetConfig(name="gaussian", features=4, train_size=32, test_size=8),
    arms=(ArmConfig(norm="batch", depth=2, width=4),),
    trials=2,
    batch_size=8,
    probe_size=8,
    steps=4,
    measure_every=1,
)


@pytest.fixture(autouse=True)
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(OURS)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of threads at every measurement."""
    seen: list[int] = []
    measure = Measurer.measure

    def spy(self, state):
        seen.append(torch.get_num_threads())
        return measure(self, state)

    monkeypatch.setattr(Measurer, "measure", spy)
    return seen


def a_study() -> Iterator[object]:
    return run_any(study_config("convolution", "channels", {"steps": 20, "seeds": 1}))


@pytest.mark.parametrize("start", [lambda: bnviz.run(SMALL), a_study], ids=["run", "study"])
def test_inside_there_is_one_thread_and_between_two_records_the_callers(start, inside):
    for record in start():
        assert torch.get_num_threads() == OURS, record
    assert set(inside) == {1}


@pytest.mark.parametrize("start", [lambda: bnviz.run(SMALL), a_study], ids=["run", "study"])
def test_an_iterator_left_in_the_middle_leaves_the_callers_setting(start, inside):
    records = start()
    next(records)
    next(records)
    assert set(inside) == {1}
    assert torch.get_num_threads() == OURS  # while it still exists
    del records
    assert torch.get_num_threads() == OURS


def test_a_run_that_breaks_leaves_the_callers_setting(monkeypatch):
    def break_down(self, state):
        raise RuntimeError("broken")

    monkeypatch.setattr(Measurer, "measure", break_down)
    with pytest.raises(RuntimeError, match="broken"):
        list(bnviz.run(SMALL))
    assert torch.get_num_threads() == OURS


def test_recording_and_concluding_leave_the_callers_setting(inside):
    assert isinstance(bnviz.record(SMALL).records[-1], RunFinished)
    conclude("convolution", "channels", steps=20, seeds=1)
    assert torch.get_num_threads() == OURS
    assert set(inside) == {1}


def test_the_callers_threads_change_no_number():
    """Wide enough that torch would share a product among its threads, which adds in another order."""
    wide = SMALL.model_copy(update={"arms": (ArmConfig(norm="batch", depth=3, width=256),), "steps": 20})

    def losses(threads: int) -> np.ndarray:
        torch.set_num_threads(threads)
        return np.array(bnviz.record(wide).curves["train_loss"])

    np.testing.assert_array_equal(losses(2), losses(1))

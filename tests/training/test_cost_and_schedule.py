"""The cost estimate and its ceiling, and the steps that a run is measured at."""

import itertools

import pytest

from bnviz.config.ceilings import COST_CEILING, CostTooHigh, MemoryTooHigh, check_cost
from bnviz.config.cost import estimated_step_seconds, multiply_adds
from bnviz.config.models import ArmConfig, RunConfig
from bnviz.config.schedule import DENSE_STEPS, FRAME_SECONDS, MAX_FRAMES, measured_steps


def test_multiply_adds_count_every_weight_three_times_a_sample():
    arm = ArmConfig(depth=3, width=5)
    config = RunConfig(arms=(arm, arm), trials=7, batch_size=11, steps=13)
    weights = 64 * 5 + 5 * 5 + 5 * 5 + 5 * 10
    assert multiply_adds(config) == 2 * 3 * weights * 7 * 11 * 13


def test_the_ceiling_names_what_was_received_and_what_is_allowed():
    big = RunConfig(arms=(ArmConfig(depth=100, width=512),), trials=32, batch_size=1024, steps=5000)
    with pytest.raises(CostTooHigh, match="multiply-adds, more than the allowed 2e") as error:
        check_cost(big)
    assert error.value.received > error.value.allowed == COST_CEILING
    check_cost(RunConfig())


def test_little_work_that_wants_much_memory_is_refused():
    large = RunConfig(arms=(ArmConfig(depth=100, width=512),) * 6, trials=128, batch_size=1, steps=1)
    assert multiply_adds(large) < COST_CEILING / 20
    parameters = 6 * 128 * (64 * 512 + 99 * 512**2 + 512 * 10)
    with pytest.raises(MemoryTooHigh, match="GB of memory, more than the allowed 2 GB: lower trials") as error:
        check_cost(large)
    assert error.value.received > 4 * parameters, "one copy of the parameters alone"
    assert isinstance(error.value, CostTooHigh), "whoever tells of the one tells of the other"


@pytest.mark.parametrize("steps", [0, 1, 2, 7, 8, 9, 100, 5000])
@pytest.mark.parametrize("every", [None, 1, 7, 5000])
def test_the_schedule_is_ascending_bounded_and_has_both_ends(steps, every):
    measured = measured_steps(RunConfig(steps=steps, measure_every=every))
    assert measured[0] == 0
    assert measured[-1] == steps
    assert list(measured) == sorted(set(measured))
    assert len(measured) <= MAX_FRAMES + 2
    if every and steps < MAX_FRAMES:
        assert set(measured) == {*range(0, steps + 1, every), steps}


def test_the_automatic_schedule_is_dense_first_and_then_keeps_its_pace():
    config = RunConfig(steps=2000)
    measured = measured_steps(config)
    assert measured[: DENSE_STEPS + 1] == tuple(range(DENSE_STEPS + 1))
    gaps = [b - a for a, b in itertools.pairwise(measured[:-1])]  # the last gap is what is left
    assert gaps == sorted(gaps)
    assert abs(gaps[-1] * estimated_step_seconds(config) - FRAME_SECONDS) < estimated_step_seconds(config)


def test_a_slow_config_is_measured_at_every_step():
    slow = RunConfig(arms=(ArmConfig(depth=100, width=256),), trials=16, batch_size=256, steps=30)
    assert measured_steps(slow) == tuple(range(31))

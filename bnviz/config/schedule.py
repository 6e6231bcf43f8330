"""When a run is measured: from its configuration, not from the clock, so that a run stays a pure function."""

from bnviz.config.cost import estimated_step_seconds
from bnviz.config.models import RunConfig

FRAME_SECONDS = 0.053  # of training between two measurements, once a run is under way
DENSE_STEPS = 5  # every step is measured up to here: most of what batch norm changes happens early
MAX_FRAMES = 1500  # bounds what a run keeps in memory and sends


def measured_steps(config: RunConfig) -> tuple[int, ...]:
    """The steps to measure at, ascending, always with 0 and the last one."""
    least = -(-config.steps // MAX_FRAMES) or 1
    if config.measure_every:
        steps = set(range(0, config.steps + 1, max(config.measure_every, least)))
    else:
        every = max(round(FRAME_SECONDS / estimated_step_seconds(config)), least)
        steps = set(_widening(every, config.steps))
    return tuple(sorted(steps | {0, config.steps}))


def _widening(every: int, last: int) -> list[int]:
    """0, 1, 2, ... DENSE_STEPS, then gaps that double until they are `every`."""
    steps, gap = [0], 1
    while steps[-1] < last:
        steps.append(steps[-1] + gap)
        if steps[-1] >= DENSE_STEPS:
            gap = min(2 * gap, every)
    return [step for step in steps if step <= last]

"""The outcome of a race in words."""

import numpy as np

from bnviz.experiments.kit.numbers import number
from bnviz.experiments.parts.race.comparison import Comparison, median
from bnviz.registry.norms import NORMS

NO_NORM, PLAIN_NET = NORMS["none"].label, "plain net"


def in_full(comparison: Comparison, target: float) -> str:
    """One comparison as a sentence of its own."""
    goal = f"{percent(target)} test accuracy"
    least, most = comparison.speedup
    if np.isinf(most) or least == 0:
        return _one_sided(comparison, goal)
    sentence = f"{net(comparison.label)} reached {goal} {_times(comparison)} {_range(comparison)}."
    return f"No clear difference: {sentence}" if comparison.outcome == "no clear difference" else capital(sentence)


def _one_sided(comparison: Comparison, goal: str) -> str:
    """When half of the trials or more of one of the two never got there: who did and when, and the bound that follows."""
    first = np.isinf(comparison.speedup[1])
    own, other = net(comparison.label), net(comparison.reference)
    winner, loser = (own, other) if first else (other, own)
    steps, losing = (comparison.steps, comparison.reference_steps) if first else (comparison.reference_steps, comparison.steps)
    reached, late, trials = int(np.isfinite(steps).sum()), int(np.isinf(losing).sum()), len(steps)
    whose = f"median of {trials} trials" if reached == trials else f"median of the {reached} of {trials} trials that did"
    who = (
        f"did not within {comparison.last_step}"
        if late == trials
        else f"did not within {comparison.last_step} in {late} of {trials}"
    )
    start = "No clear difference: " if comparison.outcome == "no clear difference" else ""
    sentence = f"{winner} reached {goal} after {median(steps[np.isfinite(steps)]):.0f} steps ({whose}); {loser} {who}."
    return start + sentence if start else capital(sentence)


def in_short(comparison: Comparison) -> str:
    """One comparison among several, without its reference."""
    if not comparison.bounds.shape[1]:
        return "did not get there either"
    if comparison.speedup[0] == 0:
        return f"did not get there in {np.isinf(comparison.steps).sum()} of {len(comparison.steps)} trials"
    if comparison.outcome == "no clear difference":
        return f"no clear difference (speed-up {_bounds(comparison.interval)})"
    return f"{_times(comparison, is_short=True)} ({_bounds(_on_its_scale(comparison))})"


def _is_later(comparison: Comparison) -> bool:
    """Whether the median speed-up is below 1: then a sentence has times as many steps, the inverse, and all bounds of it."""
    least, most = comparison.speedup
    return most <= 1 and least < 1


def _times(comparison: Comparison, *, is_short: bool = False) -> str:
    """'2.31 times as fast as the plain net' or 'in 1.5 times as many steps as ...'; 'at least' where there is only a bound."""
    least, most = comparison.speedup
    bound = "at least " if least != most else ""
    of_whom = "" if is_short else f" as {net(comparison.reference)}"
    if least == most == 1:
        return f"as fast{of_whom or ' as that'}"
    if _is_later(comparison):
        return f"in {bound}{number(1 / most)} times as many steps{of_whom}"
    if least >= 1:
        return f"{bound}{number(least)} times as fast{of_whom}"
    return "not clearly faster or slower" + ("" if is_short else f" than {net(comparison.reference)}")


def _on_its_scale(comparison: Comparison) -> tuple[float, float]:
    """(low, high) of the interval on the scale of `_times`: the speed-up, or times as many steps where it is later."""
    low, high, _ = comparison.interval
    return (1 / high, 1 / low if low > 0 else np.inf) if _is_later(comparison) else (low, high)


def _range(comparison: Comparison) -> str:
    """'(95 % interval 1.9 to 2.8, 8 trials)', on the scale of `_times`, which is named where that gives none."""
    low, _, is_confident = comparison.interval
    bounds, used, is_later = _bounds(_on_its_scale(comparison)), comparison.bounds.shape[1], _is_later(comparison)
    if used == 1:
        return "(one trial: no interval)"
    if not is_confident:
        gave = f"took {bounds} times as many" if is_later else f"gave a speed-up of {bounds}"
        return f"({used} trials {gave}: too few for a 95 % interval)"
    left = f", {comparison.left_out} left out in which neither got there" if comparison.left_out else ""
    interval = bounds if is_later or low > 1 else f"of the speed-up {bounds}"
    return f"(95 % interval {interval}, {used} trials{left})"


def _bounds(ends: tuple[float, ...]) -> str:
    """'1.9 to 2.8', '1.9 or more', '2.8 or less'."""
    low, high = ends[:2]
    if np.isinf(high):
        return f"{number(low)} or more" if low > 0 else "any"
    return f"{number(low)} to {number(high)}" if low > 0 else f"{number(high)} or less"


def name_of(label: str) -> str:
    """An arm in a list: what its label says, of the net without a norm what it is called."""
    return PLAIN_NET if label == NO_NORM else label


def net(label: str) -> str:
    """An arm in a sentence: "no norm reached it" would say that none did."""
    return f"the {PLAIN_NET}" if label == NO_NORM else label


def percent(share: float) -> str:
    """A share as '73 %'."""
    return f"{number(100 * share)} %"


def capital(text: str) -> str:
    """A sentence that begins with a label."""
    return text[:1].upper() + text[1:]

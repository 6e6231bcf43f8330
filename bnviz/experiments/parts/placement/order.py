"""Batch norm before or after five activations: which order trains to the lower loss, and what each hands on."""

from collections.abc import Callable, Mapping
from functools import reduce

import numpy as np

from bnviz.experiments.kit.base import Choice, Claim, Finding, Part, Preset, Verdict
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.readings import finite
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import Condition, all_above, all_below, rule
from bnviz.experiments.kit.sentences import joined, listed, say
from bnviz.experiments.kit.sources import BROWNLEE, IOFFE_2015, MISHKIN
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.parts.placement.drawn import ACCURACY, LOSS, charts
from bnviz.experiments.parts.placement.nets import AFTER, BEFORE, NAMES, NONE, PlacementSettings, stages

ALIKE = "alike"
SIGNS = {AFTER: 1.0, BEFORE: -1.0, ALIKE: 0.0}
ADVICE = {"relu": BEFORE, "leaky_relu": BEFORE, "tanh": AFTER, "sigmoid": AFTER}  # of the sources; none for GELU


def verdict(settings: PlacementSettings, results: Results) -> Verdict | None:
    """Which order has the lower final training loss for every seed, activation by activation."""
    if not results.finished():
        return None
    losses = settings.grid.collect(results, LOSS.newest)
    gaps = _gaps(settings.grid.collect(results, ACCURACY.newest))
    found = {name: winner(each) for name, each in losses.along("activation")}
    headline = joined(_lower(AFTER, losses, found), _lower(BEFORE, losses, found), _unclear(found))
    return Verdict(answer_of(found), headline, _numbers(losses, gaps, found), _on_the_test_set(gaps))


def winner(losses: Labelled) -> str:
    """'before' or 'after', the order of which the final loss, by arm and seed, is lower for every seed; else 'alike'."""
    before, after = losses.at(arm=BEFORE).values, losses.at(arm=AFTER).values
    return AFTER if (after < before).all() else BEFORE if (before < after).all() else ALIKE


def answer_of(found: Mapping[str, str]) -> str | None:
    """'after' or 'before' everywhere; 'advice' where each is as advised; else 'other'."""
    orders = set(found.values())
    if orders in ({AFTER}, {BEFORE}):
        return orders.pop()
    advised = {name: order for name, order in found.items() if name in ADVICE}
    return "advice" if advised and all(order == ADVICE[name] for name, order in advised.items()) else "other"


def _lower(order: str, losses: Labelled, found: Mapping[str, str]) -> str:
    """A sentence on the activations with which this order has the lower loss; empty when there are none."""
    other = BEFORE if order == AFTER else AFTER
    parts: list[str] = []
    for name in (name for name, won in found.items() if won == order):
        ratio = _ratio(losses.at(activation=name), other, order)
        words = "{ratio} with {name}" if ratio.count else "an infinite one with {name}, where the other order diverged"
        parts.append(say(words, ratio=ratio, name=NAMES[name]))
    if not parts:
        return ""
    return f"With the norm {order} the activation the training loss is lower for every seed, by a factor of {listed(parts)}."


def _unclear(found: Mapping[str, str]) -> str:
    unclear = [NAMES[name] for name, won in found.items() if won == ALIKE]
    return f"With {listed(unclear)} neither order has the lower training loss for every seed." if unclear else ""


def _ratio(losses: Labelled, order: str, reference: str) -> Spread:
    """Loss of an order over that of the other, seed by seed; seeds of which one diverged are left out."""
    known = finite(losses)
    return spread_of((known.at(arm=order) / known.at(arm=reference)).values)


def _gaps(accuracies: Labelled) -> Labelled:
    """Test accuracy after less that before, in points, by activation and seed; a net that diverged has none right."""
    known = accuracies.map(lambda values: np.where(np.isfinite(values), values, 0.0))
    return known.at(arm=AFTER) - known.at(arm=BEFORE)


def _on_the_test_set(gaps: Labelled) -> str:
    """Where the median accuracies differ most."""
    medians = {name: float(gap.values) for name, gap in gaps.over("seed").along("activation")}
    name = max(medians, key=lambda each: abs(medians[each]))
    order = AFTER if medians[name] > 0 else BEFORE
    gap = spread_of(SIGNS[order] * gaps.at(activation=name).values, unit="points", digits=2)
    return say(
        "On the test set the orders differ most with {name}: {order} the activation, the accuracy is higher by {gap}.",
        name=NAMES[name],
        gap=gap,
        order=order,
    )


def _numbers(losses: Labelled, gaps: Labelled, found: Mapping[str, str]) -> dict[str, float | Spread]:
    numbers: dict[str, float | Spread] = {}
    for name, won in found.items():
        here = losses.at(activation=name)
        numbers |= {
            f"ratio_{name}": _ratio(here, BEFORE, AFTER),
            f"after_{name}": SIGNS[won],
            f"gap_{name}": spread_of(gaps.at(activation=name).values, unit="points"),
            f"loss_before_{name}": spread_of(here.at(arm=BEFORE).values),
            f"loss_after_{name}": spread_of(here.at(arm=AFTER).values),
            f"loss_none_{name}": spread_of(here.at(arm=NONE).values),
        }
    return numbers


def judge_of(order: str, *names: str) -> Callable[[Verdict], Finding]:
    """A rule for this order with these activations: supported where it has the lower loss with all, against it with none."""
    losses = [f"{NAMES[name]}: loss {{loss_before_{name}}} before, {{loss_after_{name}}} after" for name in names]
    after = reduce(Condition.__and__, (all_above(f"after_{name}", 0) for name in names))
    before = reduce(Condition.__and__, (all_below(f"after_{name}", 0) for name in names))
    supported, against = (after, before) if order == AFTER else (before, after)
    return rule("; ".join(losses), supported=supported, against=against)


PART = Part(
    id="order",
    title="Before or after",
    question="Does batch norm belong before the activation or after it?",
    choices=(
        Choice("before", "Before, with every activation"),
        Choice("after", "After, with every activation"),
        Choice("advice", "As advised: before ReLU, after s-shaped ones"),
        Choice("other", "The data show no such rule"),
    ),
    settings=PlacementSettings,
    presets=(
        Preset(
            "five",
            "Five activations",
            "Six layers with batch norm before or after each activation, from the same weights. Watch the losses pair by pair.",
            PlacementSettings(),
        ),
        Preset(
            "small_lr",
            "A small learning rate",
            "The same with a fifth of the learning rate. Watch which differences stay.",
            PlacementSettings(lr=0.02, steps=300),
        ),
        Preset(
            "large_lr",
            "A large learning rate",
            "Ten times the learning rate. Watch which order still learns.",
            PlacementSettings(lr=1.0),
        ),
        Preset(
            "deep",
            "Fifteen layers",
            "Only ReLU and tanh, in fifteen layers. Watch whether the order of the two boxes changes.",
            PlacementSettings(activations=("relu", "tanh"), depth=15),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE_2015.at("section 3.2"), MISHKIN.at("section 3.2"), BROWNLEE),
    caveat=("order", "deep"),
    claims=(
        Claim(
            "norm_before",
            "Batch norm belongs before the activation, ReLU above all.",
            IOFFE_2015.at("section 3.2"),
            "five",
            judge_of(BEFORE, "relu", "leaky_relu"),
        ),
        Claim(
            "norm_after",
            "With s-shaped activations batch norm belongs after the activation.",
            BROWNLEE,
            "five",
            judge_of(AFTER, "tanh", "sigmoid"),
        ),
    ),
)

"""Batch norm before or after five activations: which order trains to the lower loss, and what each hands on."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bnviz.experiments.kit.base import Choice, Claim, Finding, Part, Preset, Reference, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import final_losses, plain, spread_of
from bnviz.experiments.parts.placement.drawn import accuracies_of, charts
from bnviz.experiments.parts.placement.nets import AFTER, BEFORE, NAMES, NONE, PlacementSettings, stages

FloatArray = NDArray[np.float64]
ADVICE = {"relu": "before", "leaky_relu": "before", "tanh": "after", "sigmoid": "after"}  # of the sources; none for GELU

IOFFE = Reference("Ioffe & Szegedy 2015, Batch Normalization, section 3.2", "https://arxiv.org/abs/1502.03167")
MISHKIN = Reference("Mishkin et al. 2016, Systematic evaluation of CNN advances, section 3.2", "https://arxiv.org/abs/1606.02228")
BROWNLEE = Reference(
    "Brownlee 2019, A Gentle Introduction to Batch Normalization",
    "https://machinelearningmastery.com/batch-normalization-for-training-of-deep-neural-networks/",
)


def winner(results: Results, key: str) -> str:
    """'before' or 'after', the order of which the final training loss is lower for every seed; else 'alike'."""
    before, after = (final_losses(results, key, arm) for arm in (BEFORE, AFTER))
    return "after" if (after < before).all() else "before" if (before < after).all() else "alike"


def verdict(settings: PlacementSettings, results: Results) -> Verdict | None:
    """Which order has the lower final training loss for every seed, activation by activation."""
    done = [key for key in settings.shapes if results.finished(key)]
    if len(done) < len(settings.shapes):
        return None
    found = {key: winner(results, key) for key in done}
    sentence = (
        f"Over {settings.seeds} seeds the training loss is lower {_listed(results, found)}. {_accuracy_words(settings, results)}"
    )
    return Verdict(_answer(found), sentence, _numbers(settings, results, found))


def _answer(found: dict[str, str]) -> str | None:
    """'after' or 'before' everywhere; 'advice' where each is as advised; else 'other'."""
    if set(found.values()) == {"alike"}:
        return "other"
    advised = {key: value for key, value in found.items() if key in ADVICE}
    if set(found.values()) == {"after"}:
        return "after"
    if set(found.values()) == {"before"}:
        return "before"
    return "advice" if advised and all(value == ADVICE[key] for key, value in advised.items()) else "other"


def _listed(results: Results, found: dict[str, str]) -> str:
    """'after the activation for tanh (1.7 times), ...; the seeds disagree for ReLU'."""
    parts = []
    for place, words in (("after", "with the norm after the activation for"), ("before", "with it before for")):
        chosen = [key for key, value in found.items() if value == place]
        if chosen:
            parts.append(f"{words} {', '.join(f'{NAMES[key]} ({_ratio(results, key, place)})' for key in chosen)}")
    unclear = [NAMES[key] for key, value in found.items() if value == "alike"]
    if unclear:
        parts.append(f"for {' and '.join(unclear)} the seeds disagree")
    return "; ".join(parts) if len(unclear) < len(found) else f"in neither order for every seed ({', '.join(unclear)})"


def ratios(results: Results, key: str) -> FloatArray:
    """Final training loss before over after, (trials,); NaN where either diverged."""
    before, after = (final_losses(results, key, arm) for arm in (BEFORE, AFTER))
    known = np.isfinite(before) & np.isfinite(after)
    return np.divide(before, after, out=np.full_like(before, np.nan), where=known)


def _ratio(results: Results, key: str, place: str) -> str:
    ratio = ratios(results, key)
    spread = spread_of(ratio if place == "after" else 1 / ratio)
    return f"{plain(spread.median)} times, {plain(spread.low)} to {plain(spread.high)}"


def _accuracy_words(settings: PlacementSettings, results: Results) -> str:
    """On the test set: where the median accuracies differ most."""
    gaps = {key: float(np.median(_gap(settings, results, key))) for key in settings.shapes}
    key = max(gaps, key=lambda name: abs(gaps[name]))
    which = "after" if gaps[key] > 0 else "before"
    return f"On the test set the orders differ most with {NAMES[key]}: {plain(abs(gaps[key]), 2)} points in favour of {which}."


def _gap(settings: PlacementSettings, results: Results, key: str) -> FloatArray:
    """Test accuracy after less that before, in percentage points, (trials,)."""
    before, after = (np.nan_to_num(accuracies_of(results, key, arm, settings.seeds), posinf=0.0) for arm in (BEFORE, AFTER))
    return after - before


def _numbers(settings: PlacementSettings, results: Results, found: dict[str, str]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for key, value in found.items():
        numbers[f"ratio_{key}"] = spread_of(ratios(results, key)).median
        numbers[f"after_{key}"] = {"after": 1.0, "before": -1.0, "alike": 0.0}[value]
        numbers[f"gap_{key}"] = float(np.median(_gap(settings, results, key)))
        for arm, name in ((BEFORE, "loss_before"), (AFTER, "loss_after"), (NONE, "loss_none")):
            numbers[f"{name}_{key}"] = spread_of(final_losses(results, key, arm)).median
    return numbers


def _judge(keys: tuple[str, ...], sign: float) -> Callable[[Verdict], Finding]:
    """A judge of "after" (1) or "before" (-1) for these activations: in all of them, in some, in none for every seed."""

    def judge(found: Verdict) -> Finding:
        numbers = found.numbers
        signs = [numbers[f"after_{key}"] for key in keys]
        losses = {key: [plain(numbers[f"loss_{order}_{key}"]) for order in ("before", "after")] for key in keys}
        measured = ", ".join(f"{NAMES[key]}: loss {before} before, {after} after" for key, (before, after) in losses.items())
        if all(each == sign for each in signs):
            return Finding("supported", measured)
        return Finding("not supported in this setting" if all(each == -sign for each in signs) else "mixed", measured)

    return judge


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
    references=(IOFFE, MISHKIN, BROWNLEE),
    caveat=("order", "deep"),
    claims=(
        Claim("norm_before", "Batch norm belongs before the activation, ReLU above all.", IOFFE, "five",
              _judge(("relu", "leaky_relu"), -1.0)),
        Claim("norm_after", "With s-shaped activations batch norm belongs after the activation.", BROWNLEE, "five",
              _judge(("tanh", "sigmoid"), 1.0)),
    ),
)  # fmt: skip

"""Settings and results of any part, drawn at random: within the bounds of its settings, in the shapes of its measurements.

    drawn_settings -> templates (each stage measured once, for names and shapes) -> made_up_results, frame by frame

The draws need no knowledge of a part, so that a new one is drawn for as well.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from bnviz.config.ceilings import CostTooHigh
from bnviz.config.schedule import measured_steps
from bnviz.experiments.board.catalog import check_study, study_config
from bnviz.experiments.kit.base import Experiment, Part, Settings, Stage
from bnviz.records.records import ArmMeasured, StageMeasured, StepMeasured
from bnviz.training.run import run

CHEAP_SECONDS = 0.4  # of a drawn study, as estimated
TRIES = 40  # draws of settings
FIXED = ("steps", "conditions", "x")  # of probes: at what was measured, no measurements
EXTREMES = {"nan": math.nan, "infinite": math.inf, "zero": 0.0, "one": 1.0, "tiny": 1e-30, "huge": 1e30}
KINDS = (*EXTREMES, "likely", "shares", "wide", "any")  # what a made-up array holds
DIVERGED = {"none": 0.0, "some": 0.5, "all": 1.0}  # share of the trials
SHARES = re.compile("accuracy|fraction|share|flips|agreement|states")  # what these name lies between 0 and 1
Table = dict[str, NDArray[Any]]


# --- settings


def drawn_settings(experiment: Experiment, part: Part, stream: np.random.Generator) -> Settings:
    """Allowed settings, drawn within their bounds and often at them: the first of a cheap study, or the cheapest.

    Raises:
        ValueError: none of the draws is allowed.
    """
    found: dict[float, Settings] = {}
    for _ in range(TRIES):
        try:
            settings = part.settings.model_validate(_draw(part, stream))
            check_study(study_config(experiment.id, part.id, settings))
        except (ValidationError, CostTooHigh):
            continue
        found[sum(stage.estimated_seconds for stage in part.stages(settings))] = settings
        if min(found) <= CHEAP_SECONDS:
            break
    return found[min(found)]


def _draw(part: Part, stream: np.random.Generator) -> dict[str, Any]:
    """Each setting either of a preset or drawn by its own schema."""
    preset = part.presets[stream.integers(len(part.presets))].settings.model_dump()
    schema = part.settings.model_json_schema()["properties"]
    kept = stream.choice([0.1, 0.5, 0.9])
    return {name: value if stream.random() < kept else _value(schema[name], value, stream) for name, value in preset.items()}


def _value(schema: Mapping[str, Any], preset: Any, stream: np.random.Generator) -> Any:
    if "enum" in schema:
        return schema["enum"][stream.integers(len(schema["enum"]))]
    if schema["type"] == "boolean":
        return bool(stream.integers(2))
    if schema["type"] == "array":
        count = int(stream.integers(schema["minItems"], schema["maxItems"] + 1))
        return tuple(_value(schema["items"], preset[0], stream) for _ in range(count))
    return _number(schema, stream) if "minimum" in schema else preset


def _number(schema: Mapping[str, Any], stream: np.random.Generator) -> float:
    """One of the bounds, or between them: even in the logarithm where both are above 0, so that most are small."""
    low, high = schema["minimum"], schema["maximum"]
    even = math.exp(stream.uniform(math.log(low), math.log(high))) if low > 0 else stream.uniform(low, high)
    value = (low, even, high)[stream.choice(3, p=(0.35, 0.6, 0.05))]
    if schema["type"] == "number":
        return float(value)
    unit = schema.get("multipleOf", 1)
    return int(np.clip(unit * round(value / unit), low, high))


# --- shapes


@dataclass(frozen=True)
class Template:
    """A stage measured once: names, shapes and likely values; and the steps at which it is measured."""

    stage: Stage
    arms: tuple[ArmMeasured, ...]
    values: Table
    steps: tuple[int, ...]


def template(stage: Stage) -> Template:
    """Measure a stage, a training for one step and a probe to its first values."""
    if stage.run is None:
        values = next(iter(import_module(f"bnviz.probes.{stage.probe}").probe(**stage.options)))[1]
        return Template(stage, (), {name: np.asarray(value, np.float64) for name, value in values.items()}, tuple(range(6)))
    short = stage.run.model_copy(update={"steps": min(stage.run.steps, 1)})
    *_, last = (record for record in run(short, frozenset(stage.keep)) if isinstance(record, StepMeasured))
    return Template(stage, last.arms, {}, measured_steps(stage.run))


# --- results


def made_up_results(
    templates: tuple[Template, ...], stream: np.random.Generator, kinds: tuple[str, ...] = KINDS, *, is_whole: bool = False
) -> Iterator[StageMeasured]:
    """The frames of a study with values of these kinds, or of one of them; unless `is_whole` it may stop at any frame."""
    if stream.random() < 0.5:
        kinds = (kinds[stream.integers(len(kinds))],)
    frames = [frame for index, each in enumerate(templates) for frame in _stage(index, each, kinds, stream)]
    ends = (len(frames), len(frames), 1, int(stream.integers(1, len(frames) + 1)))
    measured = len(frames) if is_whole else ends[stream.integers(len(ends))]
    for number, frame in enumerate(frames[:measured]):
        yield replace(frame, frame=number, done=(number + 1) / len(frames))


def _stage(index: int, found: Template, kinds: tuple[str, ...], stream: np.random.Generator) -> list[StageMeasured]:
    trials = found.stage.run.trials if found.stage.run else 0
    ends = [_ends(trials, found.steps, stream) for _ in found.arms]
    chosen = [str(stream.choice(kinds)) for _ in (found.values, *found.arms)]
    frames = []
    for step in found.steps:
        arms = tuple(_arm(*each, step, stream) for each in zip(found.arms, chosen[1:], ends, strict=True))
        values = {n: v if n in FIXED else named(n, v, chosen[0], stream) for n, v in found.values.items()}
        is_over = bool(arms) and all((arm.diverged_at >= 0).all() for arm in arms)
        frames.append(StageMeasured(0, index, step, 0.0, is_over or step == found.steps[-1], arms, values))
        if is_over:
            break
    return frames


def _ends(trials: int, steps: tuple[int, ...], stream: np.random.Generator) -> NDArray[np.int32]:
    """At which step each trial diverges, (trials,); a large number for never."""
    at = stream.choice(steps, trials).astype(np.int32)
    share = DIVERGED[stream.choice(list(DIVERGED), p=(0.6, 0.25, 0.15))]
    return np.where(stream.random(trials) < share, at, np.iinfo(np.int32).max).astype(np.int32)


def _arm(found: ArmMeasured, kind: str, ends: NDArray[np.int32], step: int, stream: np.random.Generator) -> ArmMeasured:
    """An arm with other values; those of its diverged trials are NaN, and nothing is counted of them."""
    gone = ends <= step
    tables: dict[str, Table] = {}
    for name in (field.name for field in fields(found) if field.name != "diverged_at"):
        tables[name] = {}
        for measure, values in getattr(found, name).items():
            new = values.copy() if name == "histograms" else named(measure, values, kind, stream)
            lost = gone[: len(new)]
            if len(new) in (1, len(gone)) and new.shape[:1] == lost.shape:
                new[lost] = 0 if name == "histograms" else np.nan
            tables[name][measure] = new
    return ArmMeasured(**tables, diverged_at=np.where(gone, ends, -1).astype(np.int32))


def named(name: str, array: NDArray[Any], kind: str, stream: np.random.Generator) -> NDArray[Any]:
    """`filled`, between 0 and 1 for what its name says is a share; a state is 0 or 1."""
    values = filled(array, kind, stream)
    shares = np.clip(values, 0, 1) if SHARES.search(name) else values
    return np.round(shares) if "states" in name else shares


def filled(array: NDArray[Any], kind: str, stream: np.random.Generator) -> NDArray[Any]:
    """An array of the same shape and type with values of one of `KINDS`; negative ones only where it has some."""
    if kind in EXTREMES:
        return np.full_like(array, EXTREMES[kind])
    if kind == "any":
        each = [filled(array, kind, stream) for kind in KINDS if kind != "any"]
        return np.choose(stream.integers(len(each), size=array.shape), each).astype(array.dtype)
    if kind == "likely":
        known = array[np.isfinite(array)]
        array = np.where(np.isnan(array), stream.choice(known, array.shape), array) if len(known) else array
        return (array * np.exp(stream.normal(size=array.shape))).astype(array.dtype)
    values = stream.random(array.shape) if kind == "shares" else 10 ** stream.uniform(-6, 6, array.shape)
    signs = stream.choice([-1, 1], array.shape) if (array < 0).any() else 1
    return (signs * values).astype(array.dtype)

"""A run's configuration as a URL query and back, so that any link reproduces the run, seed included.

    RunConfig -> to_query -> {"preset": "classic", "arms.0.lr": "0.3"}      only what differs from the preset
    query -> from_query -> (RunConfig, notices)                             never raises

Keys are the configuration's own, dotted; `arms=N` keeps only the first N arms of the preset.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from bnviz.config.models import MAX_ARMS, PLANE_DATASETS, ArmConfig, DatasetConfig, RunConfig
from bnviz.config.presets import DEFAULT_PRESET, PRESETS
from bnviz.config.problems import OverrideError, apply_overrides, one_line, problems

RESERVED_KEYS = frozenset({"hide", "embed", "embed_options"})  # the page's own and Streamlit's
MAX_KEYS, MAX_KEY_LENGTH, MAX_VALUE_LENGTH, MAX_NOTICES = 200, 60, 1000, 8


def to_query(config: RunConfig) -> dict[str, str]:
    """The shortest query that `from_query` turns into `config`: empty for the default preset."""
    queries = [_difference(name, config) for name in PRESETS]
    return min(queries, key=len)


def from_query(query: Mapping[str, str]) -> tuple[RunConfig, list[str]]:
    """Read a configuration from a URL's query; whatever it holds, the result is valid.

    A key or value that cannot be used is left out and described by a notice: the key, what was received, what is
    allowed. What follows from another value (the batch is no larger than the training set) adapts silently.
    """
    notices: list[str] = []
    preset, pairs = _read(query, notices)
    base = PRESETS[preset].config.model_dump()
    if "arms" in pairs:
        _keep_arms(base, pairs.pop("arms"), notices)
    while True:
        raw = _applied(base, pairs, notices)
        try:
            return RunConfig.model_validate(fitted(raw, pairs)), _cut(notices)
        except ValidationError as error:
            _drop(pairs, error, notices)


def fitted(raw: Mapping[str, Any], asked: Mapping[str, str] | frozenset[str] = frozenset()) -> dict[str, Any]:
    """Adapt the values that depend on others to them, except those asked for by their dotted key.

    The batch and the probe are no larger than the training set, the groups divide the width, a decision boundary is
    drawn for 2-D data only, and there are as many trials as values for each trial.
    """
    fitting = dict(raw)
    try:
        dataset = DatasetConfig.model_validate(raw["dataset"])
    except ValidationError:
        return fitting
    for key in ("batch_size", "probe_size"):
        if key not in asked and isinstance(raw[key], int):
            fitting[key] = min(raw[key], dataset.sizes[0])
    if "extras" not in asked and dataset.name not in PLANE_DATASETS:
        fitting["extras"] = [extra for extra in raw["extras"] if extra != "decision_boundary"]
    fitting["arms"] = [arm if f"arms.{i}.group_count" in asked else _whole_groups(arm) for i, arm in enumerate(raw["arms"])]
    counts = {len(values) for arm in raw["arms"] for values in arm.get("per_trial", {}).values()} - {0}
    if "trials" not in asked and len(counts) == 1:
        fitting["trials"] = counts.pop()
    return fitting


def _whole_groups(arm: Mapping[str, Any]) -> dict[str, Any]:
    """The arm with the largest group count up to its own that divides the width."""
    try:
        width = int(arm.get("width", ArmConfig().width))
        count = int(arm.get("group_count", ArmConfig().group_count))
    except (TypeError, ValueError):
        return dict(arm)
    if arm.get("norm") != "group" or width < 1 or count < 1:
        return dict(arm)
    return {**arm, "group_count": next(n for n in range(min(count, width), 0, -1) if width % n == 0)}


def _read(query: Mapping[str, str], notices: list[str]) -> tuple[str, dict[str, str]]:
    """The preset's name and the pairs that are short enough to be looked at."""
    pairs: dict[str, str] = {}
    for key, value in query.items():
        if key in RESERVED_KEYS or key == "preset":
            continue
        if len(key) > MAX_KEY_LENGTH or len(value) > MAX_VALUE_LENGTH or len(pairs) >= MAX_KEYS:
            limits = f"up to {MAX_KEYS} keys of {MAX_KEY_LENGTH} characters, values of {MAX_VALUE_LENGTH}"
            notices.append(_notice(key, value, limits))
        else:
            pairs[key] = value
    preset = query.get("preset", DEFAULT_PRESET)
    if preset not in PRESETS:
        notices.append(_notice("preset", preset, ", ".join(PRESETS)))
        preset = DEFAULT_PRESET
    return preset, pairs


def _keep_arms(base: dict[str, Any], text: str, notices: list[str]) -> None:
    if text.isascii() and text.isdigit() and len(text) < 3 and 1 <= int(text) <= MAX_ARMS:
        base["arms"] = base["arms"][: int(text)]
    else:
        notices.append(_notice("arms", text, f"whole number, 1 to {MAX_ARMS}"))


def _applied(base: dict[str, Any], pairs: dict[str, str], notices: list[str]) -> dict[str, Any]:
    """The base with every pair that names a field; the others leave `pairs` with a notice."""
    raw = base
    for key, value in list(pairs.items()):
        try:
            raw = apply_overrides(raw, [(key, value)])
        except OverrideError as error:
            notices.append(_say(error.problem.message))
            del pairs[key]
    return raw


def _drop(pairs: dict[str, str], error: ValidationError, notices: list[str]) -> None:
    """Take the pairs that were refused out of `pairs`: all of them where none can be blamed."""
    found = problems(error)
    blamed = {key: p for p in found for key in pairs if p.field == key or p.field.startswith(f"{key}.")}
    for key, problem in blamed.items():
        notices.append(_say(problem.message))
        del pairs[key]
    if not blamed:
        notices.append(_say(f"{found[0].message}. The rest of the link is left out."))
        pairs.clear()


def _notice(key: str, value: str, allowed: str) -> str:
    return f"{one_line(key)}: received {one_line(value)}; allowed: {allowed}. It is left out."


def _say(message: str) -> str:
    return f"{message}. It is left out." if not message.endswith("left out.") else message


def _cut(notices: list[str]) -> list[str]:
    rest = len(notices) - MAX_NOTICES
    return notices if rest <= 0 else [*notices[:MAX_NOTICES], f"... and {rest} more."]


def _difference(preset: str, config: RunConfig) -> dict[str, str]:
    """What differs from a preset, as text."""
    base = PRESETS[preset].config
    query = {} if preset == DEFAULT_PRESET else {"preset": preset}
    if len(config.arms) < len(base.arms):
        query["arms"] = str(len(config.arms))
    theirs = _flat_preset(preset)
    for key, value in _flat(config.model_dump(mode="json")).items():
        if theirs.get(key, _arm_default(key)) != value:
            query[key] = _text(value)
    for i in range(len(base.arms), len(config.arms)):  # an added arm must be named, in order, even if all its values are defaults
        query.setdefault(f"arms.{i}.norm", config.arms[i].norm)
    return dict(sorted(query.items(), key=_order))


@cache
def _flat_preset(name: str) -> dict[str, Any]:
    return _flat(PRESETS[name].config.model_dump(mode="json"))


def _order(item: tuple[str, str]) -> tuple[bool, str]:
    return item[0] != "preset", item[0]


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """Dotted keys of nested dicts and of the list of arms; other lists are values."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        return {prefix: value}
    return {
        key: leaf
        for name, part in value.items()
        for key, leaf in _flat(part, f"{prefix}.{name}" if prefix else str(name)).items()
    }


_ARM_DEFAULTS = _flat(ArmConfig().model_dump(mode="json"))


def _arm_default(key: str) -> Any:
    """The default of an arm's field, for arms that the preset does not have."""
    return _ARM_DEFAULTS.get(key.partition(".")[2].partition(".")[2])


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(_text(item) for item in value) or "none"
    return str(value)

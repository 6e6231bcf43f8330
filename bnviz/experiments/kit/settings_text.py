"""A part's settings as text and back: for the URL, for what a visitor types, and for the command line.

Settings -> to_query -> {"preset": "deep", "lr": "0.3"}      only what differs from the preset
query -> from_query -> Asked(preset, settings, notices)      never raises
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_origin

from pydantic import ValidationError

from bnviz.config.problems import one_line, problems
from bnviz.experiments.kit.base import Part, Preset, Settings

RESERVED_KEYS = frozenset({"part", "preset", "hide", "embed", "embed_options"})  # the page's own and Streamlit's
MAX_KEYS, MAX_VALUE_LENGTH, MAX_NOTICES = 60, 1000, 6


@dataclass(frozen=True)
class Asked:
    """What a query asks for: always usable; `notices` say what was left out."""

    preset: Preset[Any]
    settings: Settings
    notices: tuple[str, ...] = ()


def as_text(value: Any) -> str:
    """A setting as it stands in a URL or in a text field."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return ", ".join(as_text(item) for item in value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def is_tuple(settings: type[Settings], name: str) -> bool:
    """Whether a setting is a list of values."""
    return get_origin(settings.model_fields[name].annotation) is tuple


def parsed(settings: type[Settings], name: str, text: str) -> Any:
    """What pydantic reads the setting from: the text itself, or the parts of a list."""
    return tuple(item.strip() for item in text.split(",") if item.strip()) if is_tuple(settings, name) else text.strip()


def validated(settings: type[Settings], raw: Mapping[str, Any]) -> tuple[Settings | None, dict[str, str]]:
    """The settings, or None and a message for each field that cannot be used."""
    try:
        return settings.model_validate(dict(raw)), {}
    except ValidationError as error:
        found: dict[str, str] = {}
        for problem in problems(error, settings):
            name = problem.field.split(".")[0]
            found.setdefault(name, f"received {problem.received}; allowed: {problem.allowed}")
        return None, found


def to_query(part: Part[Any], preset: Preset[Any], settings: Settings) -> dict[str, str]:
    """The shortest query for these settings of this preset, without the part."""
    base = preset.settings.model_dump()
    query = {} if preset == part.presets[0] else {"preset": preset.name}
    return query | {
        name: as_text(value).replace(", ", ",") for name, value in settings.model_dump().items() if value != base[name]
    }


def from_query(part: Part[Any], query: Mapping[str, str]) -> Asked:
    """Read settings from a URL's query; a key or value that cannot be used is left out and described by a notice."""
    notices: list[str] = []
    name = query.get("preset", part.presets[0].name)
    presets = {preset.name: preset for preset in part.presets}
    if name not in presets:
        notices.append(_notice("preset", name, ", ".join(presets)))
    preset = presets.get(name, part.presets[0])
    pairs = _pairs(part, query, notices)
    base = preset.settings.model_dump()
    while True:
        raw = base | {key: parsed(part.settings, key, text) for key, text in pairs.items()}
        settings, wrong = validated(part.settings, raw)
        if settings is not None:
            return Asked(preset, settings, tuple(notices[:MAX_NOTICES]))
        blamed = [key for key in pairs if key in wrong] or list(pairs)
        for key in blamed:
            notices.append(f"{key}: {wrong.get(key, 'does not go with the rest')}. It is left out.")
            del pairs[key]


def _pairs(part: Part[Any], query: Mapping[str, str], notices: list[str]) -> dict[str, str]:
    pairs = {}
    for key, value in list(query.items())[:MAX_KEYS]:
        if key in RESERVED_KEYS:
            continue
        if key not in part.settings.model_fields:
            notices.append(_notice(key, value, ", ".join(part.settings.model_fields)))
        elif len(value) > MAX_VALUE_LENGTH:
            notices.append(_notice(key, value, f"up to {MAX_VALUE_LENGTH} characters"))
        else:
            pairs[key] = value
    return pairs


def _notice(key: str, value: str, allowed: str) -> str:
    return f"{one_line(key)}: received {one_line(value)}; allowed: {allowed}. It is left out."

"""A configuration as a URL's query and back, so that any link reproduces what it names: of runs and of studies alike.

    config -> QueryCodec.to_query -> {"preset": "classic", "arms.0.lr": "0.3"}     only what differs from the preset
    query -> QueryCodec.from_query -> Asked(preset, config, notices)               never raises

Keys are dotted paths; `arms=N`, of a list of models, keeps only its first N items of the preset.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from bnviz.config.fields import FieldView, fields_of
from bnviz.config.overrides import OverrideError, apply_overrides
from bnviz.config.paths import below, covers
from bnviz.config.problems import one_line, problems

RESERVED_KEYS = frozenset({"preset", "part", "hide", "embed", "embed_options"})  # the pages' own and Streamlit's
MAX_KEYS, MAX_KEY_LENGTH, MAX_VALUE_LENGTH, MAX_NOTICES = 200, 60, 1000, 8

Config = TypeVar("Config", bound=BaseModel)
Adapt = Callable[[dict[str, Any], Mapping[str, str]], dict[str, Any]]


@dataclass(frozen=True)
class Asked(Generic[Config]):
    """What a query asks for: always usable; `notices` say what was left out."""

    preset: str
    config: Config
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class QueryCodec(Generic[Config]):
    """The links of one model.

    Args:
        model: what a link describes.
        presets: what a link may start from, by name; the first one where it names none.
        adapt: (plain values, what was asked for) -> values in which the others follow from those that were asked for.
        added_by: the field of an item of a list that a link writes for every added item.
    """

    model: type[Config]
    presets: Mapping[str, Config]
    adapt: Adapt = lambda raw, _: raw
    added_by: str = ""

    def to_query(self, config: Config, preset: str | None = None) -> dict[str, str]:
        """The shortest query that `from_query` turns into `config`, from the preset, or else from the one nearest to it."""
        if preset is not None:
            return self._difference(preset, config)
        return min((self._difference(name, config) for name in self.presets), key=len)

    def from_query(self, query: Mapping[str, str]) -> Asked[Config]:
        """Read a configuration from a URL's query; whatever it holds, the result is valid.

        A key or value that cannot be used is left out and described by a notice: the key, what was received, what is
        allowed. What follows from another value (the batch is no larger than the training set) adapts silently.
        """
        notices: list[str] = []
        preset = self._preset(query, notices)
        pairs = _short_pairs(query, notices)
        base = self._shortened(self.presets[preset].model_dump(), pairs, notices)
        while True:
            raw = self._applied(base, pairs, notices)
            try:
                config = self.model.model_validate(self.adapt(raw, pairs))
            except ValidationError as error:
                self._drop(pairs, error, notices)
            else:
                return Asked(preset, config, _cut(notices))

    # --- from a query

    def _preset(self, query: Mapping[str, str], notices: list[str]) -> str:
        name = query.get("preset", self._default)
        if name in self.presets:
            return name
        notices.append(_notice("preset", name, ", ".join(self.presets)))
        return self._default

    def _shortened(self, base: dict[str, Any], pairs: dict[str, str], notices: list[str]) -> dict[str, Any]:
        """The base with the first items of its lists of models, as many as the pairs say; these pairs are taken out."""
        for name, view in self._lists.items():
            if (text := pairs.pop(name, None)) is None:
                continue
            fewest, most = view.lengths
            if text.isascii() and text.isdigit() and len(text) < 4 and (fewest or 0) <= int(text) <= (most or 999):
                base[name] = base[name][: int(text)]
            else:
                notices.append(_notice(name, text, f"whole number, {fewest} to {most}"))
        return base

    def _applied(self, base: dict[str, Any], pairs: dict[str, str], notices: list[str]) -> dict[str, Any]:
        """The base with every pair that names a field; the others leave `pairs` with a notice."""
        raw = apply_overrides(base, ())
        for key, text in list(pairs.items()):
            try:
                raw = apply_overrides(raw, [(key, text)], self.model)
            except OverrideError as error:
                notices.append(_notice(key, error.problem.received, error.problem.allowed))
                del pairs[key]
        return raw

    def _drop(self, pairs: dict[str, str], error: ValidationError, notices: list[str]) -> None:
        """Take the pairs that were refused out of `pairs`: all of them where none can be blamed."""
        found = problems(error, self.model)
        blamed = {key: problem for problem in reversed(found) for key in pairs if covers(key, problem.field)}
        for key in [key for key in pairs if key in blamed]:
            notices.append(_notice(key, blamed[key].received, blamed[key].allowed))
            del pairs[key]
        if not blamed:
            notices.append(f"{found[0].message}. The rest of the link is left out.")
            pairs.clear()

    # --- to a query

    def _difference(self, preset: str, config: Config) -> dict[str, str]:
        """What differs from a preset, as text."""
        query = {} if preset == self._default else {"preset": preset}
        theirs = self._leaves[preset]
        for path, value in _flat(config.model_dump(mode="json")).items():
            if (theirs[path] if path in theirs else self._default_at(path)) != value:
                query[path] = as_text(value)
        for name in self._lists:
            query |= self._items(name, self.presets[preset], config)
        return dict(sorted(query.items(), key=lambda item: (item[0] != "preset", item[0])))

    def _items(self, name: str, base: Config, config: Config) -> dict[str, str]:
        """How many items are kept, and each added one, in order, even if all its values are defaults."""
        theirs, ours = getattr(base, name), getattr(config, name)
        kept = {name: str(len(ours))} if len(ours) < len(theirs) else {}
        added = range(len(theirs), len(ours))
        return kept | {f"{name}.{i}.{self.added_by}": as_text(getattr(ours[i], self.added_by)) for i in added}

    @cached_property
    def _default(self) -> str:
        return next(iter(self.presets))

    @cached_property
    def _lists(self) -> dict[str, FieldView]:
        """The fields that are lists of models."""
        return {name: view for name, view in fields_of(self.model).items() if view.kind == "list" and view.owner}

    @cached_property
    def _leaves(self) -> dict[str, dict[str, Any]]:
        return {name: _flat(config.model_dump(mode="json")) for name, config in self.presets.items()}

    @cached_property
    def _of_new_items(self) -> dict[str, dict[str, Any]]:
        """The defaults in an item of each list of models."""
        return {name: _flat(view.owner().model_dump(mode="json")) for name, view in self._lists.items() if view.owner}

    def _default_at(self, path: str) -> Any:
        """The default at a path in an item that the preset does not have."""
        name, _, in_item = path.split(".", 2)
        return self._of_new_items[name][in_item]


def as_text(value: Any, separator: str = ",") -> str:
    """A value as it stands in a link or in a text field; `from_text` reads it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return separator.join(map(as_text, value)) or "none"
    if isinstance(value, float) and float(short := f"{value:.12g}") == value:
        return short
    return str(value)


def _short_pairs(query: Mapping[str, str], notices: list[str]) -> dict[str, str]:
    """The pairs that are short enough to be looked at."""
    pairs: dict[str, str] = {}
    for key, value in query.items():
        if key in RESERVED_KEYS:
            continue
        if len(key) > MAX_KEY_LENGTH or len(value) > MAX_VALUE_LENGTH or len(pairs) >= MAX_KEYS:
            limits = f"up to {MAX_KEYS} keys of {MAX_KEY_LENGTH} characters, values of {MAX_VALUE_LENGTH}"
            notices.append(_notice(key, value, limits))
        else:
            pairs[key] = value
    return pairs


def _notice(key: str, value: str, allowed: str) -> str:
    return f"{one_line(key)}: received {one_line(value)}; allowed: {allowed}. It is left out."


def _cut(notices: list[str]) -> tuple[str, ...]:
    rest = len(notices) - MAX_NOTICES
    return tuple(notices if rest <= 0 else [*notices[:MAX_NOTICES], f"... and {rest} more."])


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Every value that is set as a whole, by its path: of nested dicts and of lists of dicts; other lists are values."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = {str(i): item for i, item in enumerate(value)}
    if not isinstance(value, dict):
        return {path: value}
    return {key: leaf for name, part in value.items() for key, leaf in _flat(part, below(path, name)).items()}

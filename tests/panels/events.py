"""Holding events against the protocol: their types, their numbers, and series against the marks that draw them."""

import json
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, NoReturn

from pydantic import TypeAdapter

from bnviz.charts.numbers import ALPHABET
from bnviz.charts.spec import DIVERGED, NOT_MEASURED
from bnviz.panels import protocol
from bnviz.records.encoder import Encoder
from bnviz.records.records import END_STATES, Measured, Record, RunEnded, Started
from bnviz.web.sse import JsonEncoder

ADAPTERS = {
    "status": TypeAdapter(protocol.Status),
    "panel": TypeAdapter(protocol.Start),
    "frame": TypeAdapter(protocol.Frame),
    **dict.fromkeys(END_STATES.values(), TypeAdapter(protocol.End)),
}
PACKED = {*ALPHABET, NOT_MEASURED, DIVERGED}
Event = dict[str, Any]  # {"event": its name, "data": what was sent}


def no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def received(name: str, body: bytes) -> Event:
    """An event as a browser gets it, held against its type; raises for what is not in the protocol."""
    assert b"\n" not in body
    ADAPTERS[name].validate_json(body, strict=True)
    return {"event": name, "data": json.loads(body, parse_constant=no_number)}


def events_of(records: Iterator[Record] | list[Record], panel: Callable[[], Encoder[protocol.Message]]) -> list[Event]:
    """The events that a panel is sent of a run."""
    encoder, found = JsonEncoder(panel()), []
    for record in records:
        if isinstance(record, Started):
            found.append(received("panel", encoder.start(record)))
        elif isinstance(record, Measured):
            found.append(received("frame", encoder.frame(record)))
        else:
            assert isinstance(record, RunEnded)
            found.append(received(END_STATES[type(record)], encoder.end(record)))
    return found


def misfits(events: list[Event]) -> list[str]:
    """What of the frames the marks of the charts cannot draw, in words; empty when all is well."""
    charts = {chart["id"]: chart for chart in events[0]["data"]["charts"]}
    found = []
    for frame in (event["data"] for event in events if event["event"] == "frame"):
        if set(frame["charts"]) != set(charts):
            found.append(f"frame {frame['frame']} has the charts {sorted(frame['charts'])}")
            continue
        for name, views in frame["charts"].items():
            found += [f"{name} in frame {frame['frame']}: {words}" for words in _of_chart(charts[name], views)]
    return found


def views_of(chart: dict[str, Any]) -> set[str]:
    """The keys of all views that a visitor can choose."""
    choices = [[value for value, _ in each["options"]] for each in chart["selectors"] if each["role"] == "view"]
    return {"/".join(choice) for choice in product(*choices)}


def _of_chart(chart: dict[str, Any], views: dict[str, Any]) -> Iterator[str]:
    if set(views) != views_of(chart):
        yield f"views {sorted(views)}"
    for view, series in views.items():
        if chart["kind"] == "append" and not series:
            continue  # a frame of another stage adds nothing
        for mark in chart["marks"]:
            if not _has_place(chart["figure"], mark):
                yield f"the figure has no place for the {mark['mark']} of series {mark['series']}"
            elif mark["series"] >= len(series):
                yield f"no series {mark['series']} in view {view!r}"
            elif not _fits(chart["kind"], mark, series[mark["series"]]):
                yield f"{mark['mark']} cannot draw {series[mark['series']]!r:.200}"


def _has_place(figure: dict[str, Any], mark: dict[str, Any]) -> bool:
    """Whether the trace of a mark is there, with the name that its SVG is found by, or its image is."""
    if mark["mark"] in ("image", "columns"):
        return mark["trace"] < len(figure["layout"].get("images", []))
    return mark["trace"] < len(figure["data"]) and bool(figure["data"][mark["trace"]].get("uid"))


def _fits(kind: str, mark: dict[str, Any], series: Any) -> bool:
    columns = {*mark["columns"], mark["x"] or 0}
    if mark["mark"] == "image":
        return kind == "replace" and _is_packed(series) and len(series) % (mark["rows"] or 1) == 0
    if mark["mark"] == "ridge":
        return kind == "replace" and isinstance(series, list) and all(map(_is_packed, series))
    if not isinstance(series, list) or (series and max(columns) >= len(series) and mark["mark"] != "flag"):
        return False
    if mark["mark"] == "columns":
        return kind == "append" and all(_is_packed(series[column]) and len(series[column]) == mark["rows"] for column in columns)
    if kind == "append":
        return all(map(_is_value, series))
    return all(isinstance(column, list) and all(map(_is_value, column)) for column in series)


def _is_packed(series: Any) -> bool:
    return isinstance(series, str) and set(series) <= PACKED


def _is_value(value: Any) -> bool:
    return value is None or isinstance(value, int | float)

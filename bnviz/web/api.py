"""The HTTP API, mounted at /api beside the pages: create, watch, stop and export runs. See docs/api.md."""

import asyncio
import io
import signal
import threading
import time
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, fields
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path as FilePath
from types import FrameType
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pandas import DataFrame
from pydantic import ValidationError

from bnviz.config.ceilings import CostTooHigh
from bnviz.config.models import RunConfig
from bnviz.config.problems import Problem, one_line, problems
from bnviz.config.studies import AnyConfig, StudyConfig, parse_config
from bnviz.experiments.board.catalog import UnknownPart, stages_of
from bnviz.panels import PANELS
from bnviz.records.records import Record, StepMeasured
from bnviz.records.study_table import row_count, study_table
from bnviz.records.tables import Tables, to_csv
from bnviz.runs.service import QueueFull, RunService, RunStatus, UnknownRun, get_service
from bnviz.runs.status import LiveRun
from bnviz.web.sse import EventStream, JsonEncoder, RecordsAsJson, Streams, Subscriber

MAX_BODY_BYTES = 64 * 1024
MAX_EXPORT_ROWS = 2_000_000  # a default run has 150,000 in its largest table
PARQUET, CSV = "application/vnd.apache.parquet", "text/csv; charset=utf-8"
RunId = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="The run's id: 16 hexadecimal digits.")]
_export_lock = threading.Lock()
TableName = Literal["curves", "layers", "histograms", "measurements"]
RUN_TABLES, STUDY_TABLES = ("curves", "layers", "histograms"), ("measurements",)


class Refused(Exception):
    """A request that is answered with this status and these words."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers


def build_api(service: Callable[[], RunService] = get_service) -> FastAPI:
    """Build the application; `service` is asked for at the first request, not before."""
    api = FastAPI(title="bnviz", version=_version(), docs_url=None, redoc_url=None)  # their pages load from a CDN
    api.state.service, api.state.streams = service, Streams()
    api.add_exception_handler(Refused, _refused)
    api.add_exception_handler(UnknownRun, _unknown)
    api.add_exception_handler(ValidationError, _invalid_config)
    api.add_exception_handler(RequestValidationError, _bad_parameters)
    api.post("/runs", status_code=201)(create_run)
    api.get("/runs/{run_id}")(get_run)
    api.delete("/runs/{run_id}")(stop_run)
    api.get("/runs/{run_id}/stream")(stream_run)
    api.get("/runs/{run_id}/{table}.{extension}")(export_run)
    api.get("/health")(health)
    return api


async def create_run(request: Request) -> JSONResponse:
    """Start a run, or join the one of an equal configuration (`cached`: it had finished already)."""
    _same_origin(request)
    config = await asyncio.to_thread(parse_config, await _body(request))  # a large one would hold up every stream
    try:
        status = await asyncio.to_thread(_service(request).submit, config)
    except CostTooHigh as error:
        return _unprocessable(
            {"field": "config", "received": f"{error.received}", "allowed": f"{error.allowed}", "message": f"{error}"}
        )
    except UnknownPart as error:
        return _unprocessable(_problem("part", f"{config.model_dump_json()}", str(error)))
    except QueueFull as error:
        raise Refused(429, str(error), **{"retry-after": str(error.retry_after)}) from error
    return JSONResponse(_described(request, status), 201, {"location": str(request.url_for("get_run", run_id=status.id).path)})


async def get_run(request: Request, run_id: RunId) -> dict[str, Any]:
    """How a run is doing."""
    return _described(request, await asyncio.to_thread(_service(request).status, run_id))


async def stop_run(request: Request, run_id: RunId) -> dict[str, Any]:
    """Stop a run, unless others watch it too: equal configurations share one run."""
    _same_origin(request)
    service = _service(request)
    run = await asyncio.to_thread(service.live, run_id)
    if run.watchers > 1 and not run.over:
        raise Refused(409, f"{run.watchers} watch this run, so it goes on.")
    return _described(request, await asyncio.to_thread(service.stop, run_id))


async def stream_run(
    request: Request,
    run_id: RunId,
    panel: Annotated[str | None, Query(description="Panel to draw; without one, the records themselves.")] = None,
    after: Annotated[int, Query(ge=-1, description="Last frame that the client has.")] = -1,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Stream a run as server-sent events, from the start or from where the client was."""
    if panel is not None and panel not in PANELS:
        return _unprocessable(_problem("panel", panel, ", ".join(PANELS)))
    if last_event_id is not None:
        if not (last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 10):
            return _unprocessable(_problem("Last-Event-ID", last_event_id, "the id of a frame"))
        after = int(last_event_id)
    service = _service(request)
    live = await asyncio.to_thread(service.live, run_id)  # it may have to be read from the store
    if panel is not None and (panel == "study") != isinstance(live.config, StudyConfig):
        return _unprocessable(_problem("panel", panel, "study for an experiment, explore for a run"))

    def subscribe(run: LiveRun) -> Subscriber:
        feed = run.journal.feed(panel or "", lambda: JsonEncoder(PANELS[panel]() if panel else RecordsAsJson()))
        return Subscriber(run, feed, after + 1)

    return EventStream(lambda: service.watch(run_id), subscribe, request.app.state.streams)


async def export_run(request: Request, run_id: RunId, table: TableName, extension: Literal["csv", "parquet"]) -> Response:
    """A table of all that a run or a study has measured so far."""
    service = _service(request)
    config = (await asyncio.to_thread(service.status, run_id)).config
    if table not in _tables_of(config):
        raise Refused(404, f"There is no such table; available: {', '.join(_tables_of(config))}.")
    records = (await asyncio.to_thread(service.journal, run_id))[:]
    rows = sum(_row_count(record, table) for record in records)
    if rows > MAX_EXPORT_ROWS:
        headless = "`bnviz run` writes tables of any size"
        raise Refused(413, f"The table has {rows} rows, more than the allowed {MAX_EXPORT_ROWS}: {headless}.")
    content = await asyncio.to_thread(_export, config, records, table, extension)
    disposition = f'attachment; filename="bnviz-{run_id}-{table}.{extension}"'
    return Response(content, headers={"content-disposition": disposition}, media_type=CSV if extension == "csv" else PARQUET)


def _row_count(record: Record, table: TableName) -> int:
    """Rows that a record adds to a table, at most."""
    if table == "measurements":
        return row_count(record)
    if not isinstance(record, StepMeasured):
        return 0
    if table == "histograms":
        return sum(counts.size for arm in record.arms for counts in arm.histograms.values())
    return sum(max((values.size for values in getattr(arm, table).values()), default=0) for arm in record.arms)


def _tables_of(config: AnyConfig) -> tuple[str, ...]:
    return RUN_TABLES if isinstance(config, RunConfig) else STUDY_TABLES


def _build(config: AnyConfig, records: list[Record], table: TableName) -> DataFrame:
    if isinstance(config, StudyConfig):
        return study_table([stage.key for stage in stages_of(config)], records)
    tables = Tables(config)
    for record in records:
        tables.add(record)
    return getattr(tables, table)


def _export(config: AnyConfig, records: list[Record], table: TableName, extension: str) -> bytes:
    """Build a table and write it, one at a time: it takes many times the memory of the records."""
    with _export_lock:
        frame = _build(config, records, table)
        if extension == "csv":
            return to_csv(frame).encode()
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        return buffer.getvalue()


async def health(request: Request) -> dict[str, Any]:
    """Whether the server works and how busy it is."""
    service = _service(request)
    uptime = round(time.monotonic() - service.started_at, 1)
    return {"status": "ok", "version": _version(), "uptime_seconds": uptime, **service.counts()}


@asynccontextmanager
async def serving(api: FastAPI) -> AsyncIterator[None]:
    """Run the service for as long as the server runs: the first run finds its worker warm, and none outlives it."""
    service, loop, streams = api.state.service(), asyncio.get_running_loop(), api.state.streams
    streams.closing = False
    service.start()
    restore = _on_exit_signals(lambda: loop.call_soon_threadsafe(streams.close))
    try:
        yield
    finally:
        restore()
        streams.close()
        await asyncio.to_thread(service.close)


def _on_exit_signals(act: Callable[[], object]) -> Callable[[], None]:
    """Act before the server's own handler: it waits for open streams to end and would wait for ever."""
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, frame: FrameType | None) -> None:
        act()
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number, handler in before.items():
        if callable(handler):  # a server's; without one the signal does what it always does
            signal.signal(number, handle)

    def restore() -> None:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)

    return restore


def _service(request: Request) -> RunService:
    return request.app.state.service()


def _same_origin(request: Request) -> None:
    """Refuse what a page of another site asks a visitor's browser to do."""
    site = request.headers.get("sec-fetch-site", "none")
    if site not in ("same-origin", "none"):
        raise Refused(403, "Only this app's own pages may do that.")


async def _body(request: Request) -> bytes:
    """The JSON body, bounded; a form from another site cannot have this content type."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise Refused(415, "Send the configuration as application/json.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Refused(413, f"The body has more than {MAX_BODY_BYTES} bytes.")
    return bytes(body)


def _described(request: Request, status: RunStatus) -> dict[str, Any]:
    base = str(request.url_for("get_run", run_id=status.id).path)
    tables = {name: {kind: f"{base}/{name}.{kind}" for kind in ("csv", "parquet")} for name in _tables_of(status.config)}
    described = {field.name: getattr(status, field.name) for field in fields(status) if field.name != "config"}
    described["config"] = status.config.model_dump(mode="json")
    return described | {"links": {"self": base, "stream": f"{base}/stream", **tables}}


def _problem(field: str, received: str, allowed: str) -> dict[str, str]:
    problem = Problem(field, one_line(received), allowed)
    return asdict(problem) | {"message": problem.message}


def _unprocessable(*found: dict[str, str]) -> JSONResponse:
    return JSONResponse({"detail": list(found)}, 422)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return JSONResponse({"detail": str(error)}, error.status, error.headers)


async def _unknown(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": f"No run {error} is known. It may have been forgotten: start it again."}, 404)


async def _invalid_config(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ValidationError)
    found = await asyncio.to_thread(problems, error)
    return _unprocessable(*(asdict(problem) | {"message": problem.message} for problem in found))


async def _bad_parameters(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    details = ((str(detail["loc"][-1]), str(detail.get("input")), str(detail["msg"])) for detail in error.errors())
    return _unprocessable(*(_problem(*detail) for detail in details))


@cache
def _version() -> str:
    try:
        return version("bnviz")
    except PackageNotFoundError:  # run from its folder, not installed
        project = FilePath(__file__).parents[2] / "pyproject.toml"
        return tomllib.loads(project.read_text("utf-8"))["project"]["version"] if project.exists() else "unknown"


api = build_api()

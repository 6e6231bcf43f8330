"""The server's settings: environment variables named BNVIZ_*, read once, validated, described in docs/settings.md."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bnviz.config.problems import problems

PREFIX = "BNVIZ_"


class BadSetting(ValueError):
    """A setting cannot be used; the message names the variable, what was received and what is allowed."""


def default_data_dir() -> str:
    """The platform's cache folder for this app."""
    home = Path.home()
    if sys.platform == "darwin":
        return str(home / "Library" / "Caches" / "bnviz")
    return str(Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "bnviz")


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


class ServerSettings(BaseModel):
    """All settings; a field `max_workers` is the variable BNVIZ_MAX_WORKERS."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256, description="Runs at once.")
    queue_size: int = Field(16, ge=0, le=1000, description="Runs that may wait for a worker.")
    run_seconds: float = Field(300.0, ge=1, le=86_400, description="Wall-clock limit of a run.")
    stuck_seconds: float = Field(60.0, ge=0.5, le=86_400, description="A worker that sends nothing for this long is ended.")
    unwatched_seconds: float = Field(60.0, ge=0.5, le=86_400, description="A run that nobody watches for this long is stopped.")
    run_mb: int = Field(128, ge=1, le=4096, description="Records of one run; a run with more is stopped.")
    worker_mb: int = Field(3072, ge=64, le=1_048_576, description="Memory of one run; one that needs more fails.")
    trace_mb: int = Field(64, ge=0, le=65_536, description="Records of ended runs kept in memory.")
    store_mb: int = Field(256, ge=1, le=65_536, description="Records of finished runs kept on disk.")
    data_dir: str = Field(default_factory=default_data_dir, description="Folder of the finished runs; empty for none.")
    stream: Annotated[Literal["on", "off"], BeforeValidator(_lower)] = Field(
        "on",
        description="off: charts are fed through Streamlit's own connection, which is slower; for hosts that block our routes.",
    )


def read_settings(environment: Mapping[str, str] = os.environ) -> ServerSettings:
    """Read the settings from BNVIZ_* variables; empty ones count as not set, except BNVIZ_DATA_DIR.

    Raises:
        BadSetting: it lists every bad variable, one a line.
    """
    given = {name: environment[variable(name)] for name in ServerSettings.model_fields if variable(name) in environment}
    given = {name: text for name, text in given.items() if text.strip() or name == "data_dir"}
    try:
        return ServerSettings.model_validate(given)
    except ValidationError as error:
        found = problems(error)
        details = {detail["loc"][0]: detail["msg"] for detail in error.errors(include_url=False)}
        raise BadSetting("\n".join(f"{variable(p.field)}: received {p.received}; {details[p.field]}" for p in found)) from error


def variable(name: str) -> str:
    """The environment variable of a field of `ServerSettings`."""
    return PREFIX + name.upper()

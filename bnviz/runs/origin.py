"""What the records of a configuration come from: they may be used again only while this is what it was.

code     the sources that turn a configuration into records, by an allowlist, and the packages that they compute with
stages   of a study, what its experiment makes of the settings; how that is drawn and judged plays no part
"""

import hashlib
import importlib.metadata
import json
from functools import cache
from pathlib import Path

import bnviz
from bnviz.config.models import RunConfig
from bnviz.config.studies import AnyConfig, StudyConfig
from bnviz.experiments.board.catalog import stages_of
from bnviz.experiments.kit.base import Stage

# Modules and packages of bnviz that decide what a run yields. A test holds the list against the imports.
THE_RUN = (
    "closed_forms.arithmetic",
    "config.base",
    "config.cost",
    "config.models",
    "config.schedule",
    "config.stages",
    "config.studies",
    "datasets",
    "measure",
    "nets",
    "probes",
    "records.records",
    "registry",
    "training",
)
PACKAGES = ("torch", "numpy", "scikit-learn")


def origin(config: AnyConfig) -> str:
    """Name what this configuration's records come from: the same name, the same records.

    Raises:
        UnknownPart, pydantic.ValidationError: a study that this build does not know.
    """
    return code_hash() if isinstance(config, RunConfig) else f"{code_hash()}:{_stages_hash(config)}"


def _stages_hash(config: StudyConfig) -> str:
    return _short(hashlib.sha256(json.dumps([_as_json(stage) for stage in stages_of(config)], sort_keys=True).encode()))


def _as_json(stage: Stage) -> dict[str, object]:
    """Everything of a stage that its records depend on: all but its label."""
    return {
        "key": stage.key,
        "run": stage.run and stage.run.model_dump_json(),
        "keep": stage.keep,
        "probe": stage.probe,
        "options": dict(stage.options),
        "seconds": stage.estimated_seconds,  # the share that is done
    }


@cache
def code_hash() -> str:
    """Name the code that decides what a run yields: our sources, torch, NumPy and scikit-learn."""
    root = Path(bnviz.__file__).parent
    digest = hashlib.sha256()
    for package in PACKAGES:
        digest.update(f"{package}={_version(package)}\n".encode())
    for path in sorted(root.rglob("*.py")):
        if _decides(path.relative_to(root)):
            digest.update(str(path.relative_to(root)).encode() + b"\n" + path.read_bytes())
    return _short(digest)


def _decides(path: Path) -> bool:
    """Whether a file below `bnviz/` is one of `THE_RUN`, or in one of its packages."""
    parts = path.with_suffix("").parts
    return any(".".join(parts[:depth]) in THE_RUN for depth in range(1, len(parts) + 1))


def _short(digest: "hashlib._Hash") -> str:
    return digest.hexdigest()[:16]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"

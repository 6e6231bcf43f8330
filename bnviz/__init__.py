"""Train small networks with and without batch normalization, side by side, and watch what it changes.

    import bnviz
    for record in bnviz.run(bnviz.RunConfig()): ...
    trace = bnviz.record(bnviz.RunConfig())   # trace.curves, trace.layers, trace.histograms
    verdict, results = bnviz.conclude("race", "figure1")

`run`, `record` and `conclude` need torch and are imported when first used: the web process imports this package
for its configuration and its charts and never loads torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.config.studies import StudyConfig

if TYPE_CHECKING:
    from bnviz.experiments.board.headless import conclude
    from bnviz.runs.recording import Trace, record
    from bnviz.training.run import run

__all__ = ["ArmConfig", "DatasetConfig", "RunConfig", "StudyConfig", "Trace", "conclude", "record", "run"]

_LAZY = {
    "conclude": "bnviz.experiments.board.headless",
    "record": "bnviz.runs.recording",
    "run": "bnviz.training.run",
    "Trace": "bnviz.runs.recording",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'bnviz' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)

"""Train small networks with and without batch normalization, side by side, and watch what it changes.

    import bnviz
    for record in bnviz.run(bnviz.RunConfig()): ...
    trace = bnviz.record(bnviz.RunConfig())   # trace.curves, trace.layers, trace.histograms

`run` and `record` need torch and are imported when first used: the web process imports this package
for its configuration and its charts and never loads torch.
"""

from typing import TYPE_CHECKING, Any

from bnviz.config import ArmConfig, DatasetConfig, RunConfig

if TYPE_CHECKING:
    from bnviz.recording import Trace, record
    from bnviz.run import run

__all__ = ["ArmConfig", "DatasetConfig", "RunConfig", "Trace", "record", "run"]


def __getattr__(name: str) -> Any:
    if name == "run":
        from bnviz.run import run

        return run
    if name in ("Trace", "record"):
        from bnviz import recording

        return getattr(recording, name)
    raise AttributeError(f"module 'bnviz' has no attribute {name!r}")

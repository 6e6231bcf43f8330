"""What a worker does: the records of a run or of a study, from its configuration. Needs torch."""

from collections.abc import Iterator

from bnviz.config.models import RunConfig
from bnviz.config.studies import AnyConfig
from bnviz.experiments.board.catalog import stages_of
from bnviz.records.records import Record
from bnviz.training.run import run
from bnviz.training.study import run_study


def run_any(config: AnyConfig) -> Iterator[Record]:
    """Go through a run or a study.

    Raises:
        UnknownPart, pydantic.ValidationError: no such study.
        DatasetUnavailable: a data set has to be downloaded and cannot be.
    """
    return run(config) if isinstance(config, RunConfig) else run_study(config, stages_of(config))

"""What a study is, and which of the two a JSON text describes: a run or a study."""

from pydantic import Field, JsonValue
from pydantic_core import from_json

from bnviz.config.base import IdentifiedModel
from bnviz.config.models import RunConfig


class StudyConfig(IdentifiedModel):
    """One part of an experiment with its settings: a sequence of runs and probes, see `bnviz.experiments`.

    `bnviz.experiments.board.catalog.study_config` builds it, with every setting checked and written out.
    """

    experiment: str = Field(pattern="^[a-z][a-z0-9_]{0,39}$")
    part: str = Field(pattern="^[a-z][a-z0-9_]{0,39}$")
    settings: dict[str, JsonValue] = Field(default_factory=dict)


AnyConfig = RunConfig | StudyConfig


def parse_config(text: bytes | str) -> AnyConfig:
    """Read the JSON of a run's or a study's configuration. Raises `pydantic.ValidationError`."""
    try:
        raw = from_json(text)
    except ValueError:
        raw = None  # what is wrong with it is said below
    model = StudyConfig if isinstance(raw, dict) and "experiment" in raw else RunConfig
    return model.model_validate_json(text)

"""The links of a part's settings."""

from bnviz.config.query import QueryCodec
from bnviz.experiments.kit.base import Part, S


def links(part: Part[S]) -> QueryCodec[S]:
    """Reads and writes the links of a part, without the part's own name."""
    return QueryCodec(part.settings, {preset.name: preset.settings for preset in part.presets})

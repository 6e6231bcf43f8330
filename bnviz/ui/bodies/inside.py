"""What the page puts above the charts of `inside`: a batch to edit and its arithmetic. Follows."""

from bnviz.experiments.base import Part, Settings


def draw(part: Part, settings: Settings) -> None:
    """Draw it."""

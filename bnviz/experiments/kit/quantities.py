"""Quantities: what is measured, what it is called, and how charts and verdicts read it.

drift = Quantity("pre_activation_drift", "Drift of distributions", "How far ...", "drift (half-spreads)", log=True)
drift.by_step("drift", styles, steps)          a chart over the steps
drift.over_run(results).at(arm="batch")        one number per seed
drift.ratio(results, "batch", "none")          a `Spread` over the pairs
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bnviz.charts.builders import category_chart, curve_chart, curve_point, layer_chart, sweep_chart, sweep_series
from bnviz.charts.theme import ArmStyle, norm_style
from bnviz.config.models import NormName
from bnviz.experiments.kit.base import Chart, Series
from bnviz.experiments.kit.labelled import Labelled, known_median
from bnviz.experiments.kit.readings import finite
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.spread import Spread, ratio_of

PERCENT = (-2.0, 102.0)  # range of an axis of shares, with room for lines at both ends
Styles = Mapping[str, ArmStyle]  # by the names of arms, in the order of the charts


def norm_styles(*norms: NormName) -> Styles:
    """The styles of arms that are named by their norms."""
    return {norm: norm_style(norm) for norm in norms}


@dataclass(frozen=True)
class Swept:
    """An axis that a study goes along: its name, its places, and its title on a chart."""

    axis: str
    places: Sequence[float]
    title: str
    log: bool = False


@dataclass(frozen=True)
class Conditions:
    """An axis whose places have names and no order: the axis, the name of each place, and the title on a chart."""

    axis: str
    names: Mapping[Any, str]
    title: str = ""


@dataclass(frozen=True)
class Quantity:
    """Something that is measured of every arm and trial.

    Args:
        measure: a curve, layer measure or extra that the stage keeps.
        title: of a chart of it.
        how: to read it: a sentence or two under the chart.
        axis: its name and unit, on an axis.
        log: whether its axis is logarithmic.
        range: of its axis, in its own units; None: that of the data.
        cap, floor: of an axis that follows the data.
        factor: on what was recorded: 100 for percent.
        first_layer: of what is measured by layer: the first that counts, 1 next to the data.
        take: how to read it, where it is more than a measure: (results, stage) -> axes arm and those of the trials.
        stage: key of the stage; empty where there is one only.
    """

    measure: str
    title: str = ""
    how: str = ""
    axis: str = ""
    log: bool = False
    range: tuple[float, float] | None = None
    cap: float | None = None
    floor: float | None = None
    factor: float = 1.0
    first_layer: int = 1
    take: Callable[[Results, str], Labelled] | None = None
    stage: str = ""

    def worded(self, **words: object) -> "Quantity":
        """The same with words put into title, how and axis: `{every}` becomes the value of `every`."""
        title, how, axis = (text.format(**words) for text in (self.title, self.how, self.axis))
        return replace(self, title=title, how=how, axis=axis)

    # --- values

    def newest(self, results: Results, stage: str = "") -> Labelled:
        """As measured last, by arm and trial; of what is measured by layer the median over the layers.

        Raises:
            LookupError: nothing was measured yet.
        """
        if self.take:
            return self.take(results, stage or self.stage)
        found = self.layers(results, stage)
        return found.over("layer") if "layer" in found.axes else found

    def layers(self, results: Results, stage: str = "") -> Labelled:
        """As measured last, by arm, trial and, where it is measured by layer, layer from the first that counts."""
        return self._counted(results.newest(self.measure, stage or self.stage))

    def over_run(self, results: Results, stage: str = "") -> Labelled:
        """Median over all measurements, and over the layers, of what is known, by arm and trial; NaN: nothing is."""
        found = self._counted(results.over_steps(self.measure, stage or self.stage))
        return finite(found).over_all(known_median, "step", "layer")

    def ratio(self, results: Results, arm: str, reference: str) -> Spread:
        """Over the run, an arm over another, pair by pair; pairs of which one is unknown are left out."""
        found = self.over_run(results)
        return ratio_of(found.at(arm=arm).values, found.at(arm=reference).values)

    def _counted(self, found: Labelled) -> Labelled:
        scaled = found * self.factor if self.factor != 1 else found
        return scaled.since("layer", self.first_layer) if "layer" in found.axes and self.first_layer > 1 else scaled

    # --- charts

    def by_step(self, id: str, styles: Styles, steps: int) -> Chart:
        """A curve over the steps for every style's arm; the frames of stages other than the quantity's add nothing."""
        spec = curve_chart(id, self.title, self.how, self.axis, tuple(styles.values()), steps, y_log=self.log, y_range=self.range)
        spec.y_cap, spec.y_floor = self.cap, self.floor

        def draw(results: Results) -> dict[str, list[Series]]:
            if self.stage and results.key != self.stage:
                return {"": []}
            found = self.newest(results)
            return {"": [curve_point(found.at(arm=arm).values) for arm in styles]}

        return Chart(spec, draw)

    def by_layer(
        self, id: str, styles: Styles, layers: int | Sequence[int], take: Callable[[Results], Labelled] | None = None
    ) -> Chart:
        """A line over these layers, or so many, for every style's arm: as measured last, or as `take` says (arm, seed, layer)."""
        shown = tuple(styles.values())
        spec = layer_chart(id, self.title, self.how, self.axis, shown, layers, y_log=self.log, y_range=self.range)

        def draw(results: Results) -> dict[str, list[Series]]:
            found = take(results) if take else self.layers(results)
            return {"": [sweep_series(found.at(arm=arm).rows("layer", "seed")) for arm in styles]}

        return Chart(spec, draw)

    def by_value(
        self, id: str, styles: Styles, swept: Swept, take: Callable[[Results], Labelled], *, markers: bool = True
    ) -> Chart:
        """A line over the places of an axis for every style's arm; `take` gives axes arm, that one and seed."""
        spec = sweep_chart(
            id, self.title, self.how, swept.title, self.axis, swept.places, tuple(styles.values()), x_log=swept.log,
            y_log=self.log, y_range=self.range, markers=markers,
        )  # fmt: skip
        spec.y_cap, spec.y_floor = self.cap, self.floor

        def draw(results: Results) -> dict[str, list[Series]]:
            found = take(results)
            return {"": [sweep_series(found.at(arm=arm).rows(swept.axis, "seed")) for arm in styles]}

        return Chart(spec, draw)

    def by_condition(self, id: str, styles: Styles, conditions: Conditions, take: Callable[[Results], Labelled]) -> Chart:
        """Boxes side by side for every style's arm, over named conditions; `take` gives axes arm, that one and seed."""
        names = tuple(conditions.names.values())
        spec = category_chart(
            id, self.title, self.how, self.axis, names, tuple(styles.values()), x_title=conditions.title,
            y_log=self.log, y_range=self.range,
        )  # fmt: skip
        spec.y_cap, spec.y_floor = self.cap, self.floor

        def draw(results: Results) -> dict[str, list[Series]]:
            found = take(results)
            return {"": [sweep_series(found.at(arm=arm).rows(conditions.axis, "seed")) for arm in styles]}

        return Chart(spec, draw)

"""What can be measured, as each measurement declares it.

@MeasureEntry(name="kurtosis", wants=("probed",), results={"kurtosis": {...}})      in bnviz/measure/kurtosis.py
def measure_kurtosis(moment: Moment) -> Results: ...

MEASURES  all of them: what a run may be asked for, the tables' columns, docs/measurements.md
chosen    which results a list of names asks for
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypedDict

from bnviz.registry.declared import BadDeclaration, Entry, declared

ALL_TRIALS = "all_trial_distributions"  # asked for like a measurement: distributions of all trials, not of the first alone

Table = Literal["curves", "layers", "percentiles", "histograms", "extras"]
TABLES: dict[tuple[str, ...], Table] = {  # where what is always taken is filed, by its axes
    ("trial",): "curves",
    ("trial", "layer"): "layers",
    ("shown", "layer", "percentile"): "percentiles",
    ("shown", "layer", "bin"): "histograms",
}
AXES = {
    "trial": "the networks of an arm",
    "shown": f"the trials whose distributions are recorded: the first, or all with `{ALL_TRIALS}`",
    "layer": "hidden layers, the one next to the data first; the time steps of a recurrent net",
    "unit": "units of a layer; a channel of a convolution is one",
    "percentile": "5, 15, 50, 85 and 95",
    "bin": "what lies below the bins, the bins, what lies above them",
}
Cost = Literal["free", "test pass", "probe pass", "own work"]
COSTS: dict[Cost, str] = {  # cheapest first, which is the order in which they are taken
    "free": "from tensors that the step has anyway",
    "test pass": "from one pass of the test set, shared by all that want it",
    "probe pass": "from one pass of the probe batch, shared by all that want it",
    "own work": "passes of its own, or of copies of the networks, or a decomposition of the data",
}


@dataclass(frozen=True, slots=True)
class Want:
    """Something that a measurement reads."""

    cost: Cost
    words: str
    needs: str = ""  # the shared tensor that it is made of


SHARED = {  # attributes of a `Moment`: worked out once when first wanted, dropped when none is left that wants them
    "test_logits": Want("test pass", "the logits of the test set, in inference mode"),
    "activations": Want("probe pass", "the hidden layers' tensors of the probe batch, layer by layer"),
    "probed": Want("probe pass", "the same, stacked over layers and tensors", "activations"),
    "distributions": Want("probe pass", "the same of the shown trials, each layer's entries in a row", "probed"),
    "percentiles": Want("probe pass", "their percentiles", "distributions"),
}
WANTS = {
    "step": Want("free", "logits, loss, gradients and direction of the step's own batch, and the parameters"),
    **SHARED,
    "data": Want("own work", "the data set"),
    "passes": Want("own work", "further passes of the networks"),
    "copies": Want("own work", "passes of copies of the networks with other parameters"),
}


class Result(TypedDict):
    """One named result of a measurement."""

    definition: str
    unit: str
    axes: tuple[str, ...]  # of AXES, or the measurement's own


class UnknownMeasure(ValueError):
    """A name that is asked for and that names nothing; the text lists what there is."""


@dataclass(frozen=True, kw_only=True)
class MeasureEntry(Entry):
    """What a measurement says of itself, above a function of a `Moment` that returns its results by name.

    Args:
        results: what it yields, by names that no other measurement has. It yields all of them, or none where it does not apply.
        wants: what it reads, of WANTS; its cost follows.
        always: taken in every run that does not say what to keep; otherwise only when it is asked for.
        source: where it comes from.
        caveat: when it misleads, and where it is NaN or missing.
        own_axes: axes that it alone has, with their lengths; 0 where that depends on the configuration.
        copies: how many copies of the networks it holds at once, for the estimate of memory; "layer" for one per layer.
    """

    results: Mapping[str, Result]
    wants: tuple[str, ...]
    always: bool = False
    source: str = ""
    caveat: str = ""
    own_axes: Mapping[str, int] = field(default_factory=dict)
    copies: int | Literal["layer"] = 0

    def __post_init__(self) -> None:
        """Raise BadDeclaration for a want or an axis that does not exist, and for what has no table."""
        if unknown := {*self.wants} - {*WANTS}:
            raise BadDeclaration(f"{self.name} wants {_listed(unknown)}; there is {_listed(WANTS)}")
        for name, result in self.results.items():
            if unknown := {*result["axes"]} - {*AXES, *self.own_axes}:
                raise BadDeclaration(f"{name} has the axes {_listed(unknown)}; there is {_listed({*AXES, *self.own_axes})}")
        kinds = {result["axes"] for result in self.results.values()}
        if self.always and (len(kinds) > 1 or not kinds <= {*TABLES}):
            raise BadDeclaration(f"{self.name} is always taken, and no table has its axes: {kinds}")

    @property
    def cost(self) -> Cost:
        """Of the most expensive thing that it wants."""
        return max((WANTS[want].cost for want in self.wants), key=list(COSTS).index)

    @property
    def is_of_the_data(self) -> bool:
        """True when it reads nothing of the networks, so that it holds for a trial that has diverged too."""
        return self.wants == ("data",)

    @property
    def shares(self) -> frozenset[str]:
        """The shared tensors that it reads, with those that they are made of."""
        found, left = set(), [want for want in self.wants if want in SHARED]
        while left:
            found.add(want := left.pop())
            left += [need for need in (SHARED[want].needs,) if need]
        return frozenset(found)

    @property
    def table(self) -> Table:
        """The table of `ArmMeasured` that holds its results."""
        return TABLES[next(iter(self.results.values()))["axes"]] if self.always else "extras"

    def filed(self, result: str) -> tuple[Table, str]:
        """The table of a result, and its name in there: that of the tensor for a distribution."""
        return self.table, result.removesuffix(f"_{self.table}")


MEASURES = declared(MeasureEntry, "bnviz.measure")
MEASURE_OF = {result: name for name, entry in MEASURES.items() for result in entry.results}
EXTRAS = tuple(sorted([ALL_TRIALS, *(name for name, entry in MEASURES.items() if not entry.always)]))
if TYPE_CHECKING:
    ExtraName = str
else:
    ExtraName = Literal[EXTRAS]


def columns(table: Table) -> tuple[str, ...]:
    """The names in a table of what is always taken, in order."""
    return tuple(entry.filed(result)[1] for entry in MEASURES.values() if entry.table == table for result in entry.results)


def chosen(names: Collection[str]) -> dict[str, frozenset[str]]:
    """Which results of which measurements are asked for, the cheapest measurement first.

    Args:
        names: of measurements, which ask for all of their results, of single results, and ALL_TRIALS.

    Raises:
        UnknownMeasure: a name that is none of these.
    """
    if unknown := {*names} - {*MEASURES, *MEASURE_OF, ALL_TRIALS}:
        there_is = sorted({*MEASURES, *MEASURE_OF, ALL_TRIALS})
        raise UnknownMeasure(f"nothing that is measured is called {_listed(unknown)}; there is {', '.join(there_is)}")
    wanted = {
        entry: frozenset(entry_results if entry in names else entry_results & {*names})
        for entry, entry_results in ((name, {*found.results}) for name, found in MEASURES.items())
    }
    cheapest_first = sorted(wanted, key=lambda name: list(COSTS).index(MEASURES[name].cost))
    return {name: wanted[name] for name in cheapest_first if wanted[name]}


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))

"""What an experiment is: a page that asks, trains live and answers from what it measured.

    Settings -> stages(settings) -> runs and probes, one after the other -> Results -> charts, verdict

An `Experiment` has one or more parts, each with a question of its own. Everything here is declarative: no torch, no
streamlit. Each experiment is one module or package of `bnviz.experiments.parts` that defines an `EXPERIMENT`, and one lesson,
`assets/lessons/<id>.md`; `catalog` finds them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from bnviz.charts.spec import ChartSpec
from bnviz.charts.wire import Series as Series  # with `Chart`, for the parts
from bnviz.charts.wire import Views
from bnviz.config.stages import Stage
from bnviz.experiments.kit.evidence import Evidence, NotMeasured, Numbers
from bnviz.experiments.kit.results import Results

NOT_MEASURED = "not measured"
Judgement = Literal["supported", "mixed", "not supported in this setting", "not measured"]


class Settings(BaseModel):
    """The knobs of a part; each field has a `title`, a `description` and bounds, and becomes a control and a URL key.

    Fields are int, float, bool, a Literal, or a tuple of one of these; numbers have `ge` and `le`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


@dataclass(frozen=True)
class Choice:
    """A prediction that a visitor can make, and an answer that the data can give."""

    key: str
    text: str


S = TypeVar("S", bound=Settings)


@dataclass(frozen=True)
class Preset(Generic[S]):
    """Settings that put the visitor in front of something; the first of a part is its default."""

    name: str
    title: str
    sentence: str  # what this preset shows and what to watch; no result
    settings: S


@dataclass(frozen=True)
class Reference:
    """A source, as the page cites it."""

    text: str  # "Ioffe & Szegedy 2015, Batch Normalization"
    url: str

    def at(self, place: str) -> "Reference":
        """The same source, cited at a place in it: "section 3.2"."""
        return Reference(f"{self.text}, {place}", self.url)


@dataclass(frozen=True)
class Chart:
    """A chart: its skeleton, and what a frame puts into it.

    `draw(results)` gives `{view: [series, ...]}` as `bnviz.charts.spec` has it: for an append chart the newest point of
    every series, for a replace chart every series as a whole. It is called once for every frame, after it was added.
    """

    spec: ChartSpec
    draw: Callable[[Results], Views]


@dataclass(frozen=True)
class Verdict:
    """What the data say.

    Args:
        answer: key of a Choice; None: the data do not decide.
        headline: the answer in a sentence, with its number and that number's uncertainty.
        numbers: that it rests on, by name, each a `Spread` or a float: for claims and tests.
        details: what else was measured, in a few sentences.
    """

    answer: str | None
    headline: str
    numbers: Numbers = field(default_factory=dict[str, Any])
    details: str = ""

    @property
    def sentence(self) -> str:
        """Headline and details."""
        return f"{self.headline} {self.details}" if self.details else self.headline


@dataclass(frozen=True)
class Finding:
    """What the claims board says of a claim after a run."""

    judgement: Judgement
    measured: str  # "speed-up 3.1 (95 % interval 2.4 to 3.9)"


@dataclass(frozen=True)
class Claim:
    """A claim of the literature about batch norm that this part tests in one of its presets.

    `rule` judges a verdict that holds the numbers it reads; whether it does is not the rule's concern (see `Evidence`).
    "mixed" is for what was measured and does not decide.
    """

    id: str
    text: str  # "Batch norm allows higher learning rates."
    source: Reference
    preset: str
    rule: Callable[[Verdict], Finding]

    def judge(self, verdict: Verdict) -> Finding:
        """What the rule makes of a verdict; "not measured" where it does not have the numbers that the rule reads."""
        try:
            return self.rule(replace(verdict, numbers=Evidence(verdict.numbers)))
        except NotMeasured:
            return Finding(NOT_MEASURED, verdict.sentence)


@dataclass(frozen=True)
class Part(Generic[S]):
    """One question of an experiment.

    `verdict` is called when a stage ends and when the study does; None while there is too little to say anything.
    `caveat` is (part, preset): where the lesson's caveat takes the visitor. `body` names a module of `bnviz.ui.bodies`
    whose `draw(part, settings)` puts something of its own on the page, above the live charts.
    """

    id: str
    title: str
    question: str  # one sentence
    choices: tuple[Choice, ...]  # two to four
    settings: type[S]
    presets: tuple[Preset[S], ...]
    stages: Callable[[S], tuple[Stage, ...]]
    charts: Callable[[S], tuple[Chart, ...]]
    verdict: Callable[[S, Results], Verdict | None]
    references: tuple[Reference, ...]
    caveat: tuple[str, str]
    claims: tuple[Claim, ...] = ()
    body: str = ""

    def preset(self, name: str) -> Preset[S]:
        """The preset of this name. Raises KeyError."""
        return {preset.name: preset for preset in self.presets}[name]


@dataclass(frozen=True)
class Experiment:
    """A page: `number` is its place in the list, `id` its address and the name of its lesson."""

    id: str
    number: int
    title: str
    icon: str  # ":material/..."
    parts: tuple[Part[Any], ...]

    def part(self, name: str) -> Part[Any]:
        """The part of this id. Raises KeyError."""
        return {part.id: part for part in self.parts}[name]

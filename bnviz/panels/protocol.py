"""What the live panel in the browser is sent and what it sends back: every event of a run's stream, and the component's data.

    event: status -> Status        event: panel -> Start        event: frame -> Frame
    event: finished | stopped | failed -> End
    through Streamlit: Data to the component, and in slow mode the same events in it, Slow; back come Messages

These types and those of `bnviz.charts.wire` are the one description of it. Tests hold every event against them, and
`scripts/build_protocol.py` writes assets/live_panel/protocol.d.ts from them, against which the JavaScript is checked.
"""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from bnviz.charts.wire import Cells, Chart, Number, Style, Views
from bnviz.records.records import EndState, RunState


class Status(TypedDict, closed=True):
    """Where a run stands before its end; `queue_position` counts from 1, `cached`: it had finished before it was asked for."""

    state: RunState
    queue_position: int | None
    cached: bool


class Proof(TypedDict, closed=True):
    """Whether the arms are twins, in words and as one row of hashes per arm; a study has none, and an empty text."""

    twins: bool
    text: str
    rows: list[str]


class Start(TypedDict, closed=True):
    """The skeleton that frames are drawn into; `steps` and `frames` are 0 for a study, whose stages count their own."""

    run_id: str
    steps: int
    frames: int
    cells: Cells
    arms: list[Style]
    band: str
    proof: Proof
    charts: list[Chart]


class Frame(TypedDict, closed=True):
    """What one measurement adds: views by chart, and the sentences that changed, a chart's note as `chart:view`.

    A study's says which share of its work is done, 0 to 1, and where it stands, in words for the playback bar.
    """

    frame: int
    step: int
    charts: dict[str, Views]
    text: dict[str, str]
    done: NotRequired[Number]
    at: NotRequired[str]


class End(TypedDict, closed=True):
    """How a run ended; `lost`: nobody knows it any more. `answer`: a study's, a choice or null where the data do not decide."""

    state: EndState | Literal["lost"]
    step: int
    reason: str
    verdict: str
    answer: NotRequired[str | None]


class Slow(TypedDict, closed=True):
    """Events that come through Streamlit: the frames since the tick before the last, of `count` that there are."""

    status: Status | None
    start: Start | None
    frames: list[Frame]
    count: int
    end: End | None


class Prediction(TypedDict, closed=True):
    """What the visitor expects: the texts that could be chosen, by key, and the key that was; empty: none."""

    choices: dict[str, str]
    predicted: str


class Data(TypedDict, closed=True):
    """What the component needs; addresses are relative to the app's base path. `generation` grows when a run starts anew."""

    run_id: str
    generation: int
    module: str
    css: str
    plotly: str
    stream: str
    run: str
    health: str
    autoplay: bool
    slow: Slow | None
    prediction: Prediction | None


class States(TypedDict, closed=True):
    """What the component tells and Streamlit keeps.

    The API is out of reach; frames are asked for from this one on, with a number of its own so that it can be done twice;
    the run and generation of which it has everything.
    """

    unreachable: bool
    resume_from: tuple[int, Number]
    complete: str


class Triggers(TypedDict, closed=True):
    """What the component asks for once: to stop the run, where the API cannot be asked, and to run it again."""

    stop: bool
    again: bool


Message = Start | Frame | End  # what an encoder makes of a record

"""The page of an experiment, the same for all: question, prediction, run, verdict, why, caveat, references.

URL -> _sync -> controls      prediction, then Run -> _submit -> live panel      caveat's button -> another part or preset
"""

from dataclasses import dataclass
from importlib import import_module
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bnviz.config.ceilings import CostTooHigh
from bnviz.config.studies import StudyConfig
from bnviz.experiments.board.catalog import catalog, study_config
from bnviz.experiments.board.lessons import PartLesson, lesson
from bnviz.experiments.kit.base import Experiment, Part, Settings
from bnviz.experiments.kit.links import links
from bnviz.panels.protocol import Prediction
from bnviz.runs.service import QueueFull, get_service
from bnviz.ui import address, knobs
from bnviz.ui.glossary import words_on_this_page
from bnviz.ui.live_panel import live_panel, replay
from bnviz.ui.markdown import escaped
from bnviz.ui.state import controls_hidden

NO_PREDICTION = "(see first)"  # no choice has such a key
RUN_SHORTCUT = "Ctrl+Enter"


@dataclass
class Visit:
    """What the session remembers of one part of an experiment."""

    preset: str
    query: dict[str, str]
    notices: tuple[str, ...] = ()
    shown: StudyConfig | None = None
    run_id: str = ""
    error: str = ""


class ExperimentPage:
    """One experiment for one session, drawn from top to bottom by `draw`."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.part = self._chosen_part()
        self.links = links(self.part)
        self.scope = f"{experiment.id}.{self.part.id}"
        self.visit = self._sync()
        self.settings, self.messages = knobs.read(self.scope, self.part)

    def draw(self) -> None:
        """The page."""
        words = lesson(self.experiment.id)
        with st.container(gap="xsmall", key="experiment_head"):
            row = st.container(horizontal=True, vertical_alignment="center")
            row.title(self.experiment.title, anchor=False, width="content")
            if not controls_hidden():
                self._parts(row)
            st.subheader(self.part.question, anchor=False)
            self._prediction()
        for notice in self.visit.notices:
            st.warning(escaped(notice))
        if self.part.body:
            self._presets()  # it may fill the screen
        if self.part.body and self.settings is not None:
            import_module(f"bnviz.ui.bodies.{self.part.body}").draw(self.part, self.settings)
        self._run_area()
        st.markdown(words.opening)
        self._lesson(words.parts[self.part.id])
        if not controls_hidden():
            with st.sidebar:
                knobs.draw(self.scope, self.part, self.messages)
        self._write_link()

    # --- which part, and its settings

    def _chosen_part(self) -> Part:
        parts = {part.id: part for part in self.experiment.parts}
        asked = st.query_params.get("part", self.experiment.parts[0].id)
        return parts.get(asked, self.experiment.parts[0])

    def _sync(self) -> Visit:
        """The session's visit of this part, in line with the URL: on the first visit, and when a link changed it since."""
        visits: dict[str, Visit] = st.session_state.setdefault("visits", {})
        query = {key: value for key, value in st.query_params.to_dict().items() if key not in ("hide", "part")}
        before = self._controls()
        if address.must_load(self.scope, query, before) or self.scope not in visits:
            asked = self.links.from_query(query)
            visits[self.scope] = Visit(asked.preset, query, asked.notices)
            self._load(asked.preset, asked.config)
            address.loaded(self.scope, query, before, self._controls())
        elif before is None:
            knobs.load(self.scope, self.links.from_query(visits[self.scope].query).config)
        return visits[self.scope]

    def _controls(self) -> tuple[object, ...] | None:
        """What the visitor has set, to be compared; None while the session does not hold a value for every control."""
        if not knobs.is_loaded(self.scope, self.part):
            return None
        is_open = bool(st.session_state.get(f"take_home:{self.scope}"))
        return self._predicted, is_open, *knobs.values(self.scope, self.part)

    def _load(self, preset: str, settings: Settings) -> None:
        knobs.load(self.scope, settings)
        st.session_state[f"preset:{self.scope}"] = preset

    def _write_link(self) -> None:
        """Let the URL follow the controls."""
        if self.settings is not None:
            self.visit.query = self.links.to_query(self.settings, self.visit.preset)
        query = self._address()
        if query != st.query_params.to_dict():
            st.query_params.from_dict(query)
        address.ran(self.scope, self.visit.query, self._controls())

    def _address(self) -> dict[str, str]:
        part = {} if self.part == self.experiment.parts[0] else {"part": self.part.id}
        hide = {"hide": "controls"} if controls_hidden() else {}
        return part | self.visit.query | hide

    # --- what is drawn

    def _parts(self, place: DeltaGenerator) -> None:
        if len(self.experiment.parts) < 2:
            return
        titles = {part.id: part.title for part in self.experiment.parts}
        key = f"part:{self.experiment.id}"
        st.session_state[key] = self.part.id
        place.segmented_control(
            "Part",
            list(titles),
            key=key,
            format_func=titles.__getitem__,
            on_change=self._turn_to_chosen,
            label_visibility="collapsed",
        )

    def _turn_to_chosen(self) -> None:
        go_to(self.experiment, st.session_state[f"part:{self.experiment.id}"] or self.part.id, None)

    def _prediction(self) -> None:
        texts = {choice.key: choice.text for choice in self.part.choices} | {NO_PREDICTION: "I would rather see it first"}
        row = st.container(horizontal=True, vertical_alignment="center", key="prediction_row")
        row.markdown("**What do you expect?**", width="content")
        row.pills(
            "What do you expect?",
            list(texts),
            key=self._prediction_key,
            format_func=texts.__getitem__,
            persist_state="session",
            label_visibility="collapsed",
        )

    @property
    def _prediction_key(self) -> str:
        return f"prediction:{self.scope}"

    @property
    def _predicted(self) -> str:
        return st.session_state.get(self._prediction_key) or ""

    def _presets(self) -> None:
        titles = {preset.name: preset.title for preset in self.part.presets}
        if len(titles) < 2 or controls_hidden():
            return
        key = f"preset:{self.scope}"
        st.session_state.setdefault(key, self.visit.preset)
        st.pills(
            "Presets",
            list(titles),
            key=key,
            format_func=titles.__getitem__,
            on_change=self._choose_preset,
            label_visibility="collapsed",
        )

    def _choose_preset(self) -> None:
        """Show a preset, and run it once a prediction was made."""
        preset = self.part.preset(st.session_state[f"preset:{self.scope}"] or self.visit.preset)
        self.visit.preset, self.visit.notices = preset.name, ()
        self._load(preset.name, preset.settings)
        self.visit.query = self.links.to_query(preset.settings, preset.name)
        st.query_params.from_dict(self._address())
        address.ran(self.scope, self.visit.query, self._controls())
        if self._predicted:
            self._submit(preset.settings)

    def _run_area(self) -> None:
        row = st.container(horizontal=True, vertical_alignment="center")
        if not self.part.body:
            with row:
                self._presets()
        row.button(
            "Run",
            type="primary",
            icon=":material/play_arrow:",
            key="run",
            on_click=self._press_run,
            shortcut=RUN_SHORTCUT,
            disabled=not self._predicted or self.settings is None,
        )
        row.markdown(self._note())
        if self.visit.error:
            st.error(escaped(self.visit.error), icon=":material/error:")
        if self.visit.run_id and self._predicted:
            live_panel(self.visit.run_id, panel="study", key="study", prediction=self._predicted_words())

    def _note(self) -> str:
        """One line beside Run: what has to be done, or what the controls' state means for what is shown."""
        if self.settings is None:
            return ":red[**Cannot run:** see the settings.]"
        if not self._predicted:
            return "Predict first: you remember it better."
        if self.visit.shown and self._config(self.settings) != self.visit.shown:
            return ":orange[**Changed: press Run.**] The charts still show the earlier settings."
        preset = self.part.preset(self.visit.preset)
        return preset.sentence if self.settings == preset.settings else ""

    def _predicted_words(self) -> Prediction:
        choices = {choice.key: choice.text for choice in self.part.choices}
        return {"choices": choices, "predicted": "" if self._predicted == NO_PREDICTION else self._predicted}

    def _lesson(self, words: PartLesson) -> None:
        why, caveat = st.columns(2, gap="medium")
        with why:
            st.markdown(f"#### Why\n{words.why}")
        with caveat:
            st.markdown(f"#### But\n{words.caveat}")
            part, preset = self.part.caveat
            st.button(
                "See it",
                key=f"caveat:{self.scope}",
                icon=":material/arrow_forward:",
                on_click=go_to,
                args=(self.experiment, part, preset),
            )
        sources = " · ".join(f"[{escaped(source.text)}]({source.url})" for source in self.part.references)
        st.caption(f"Sources: {sources}")
        words_on_this_page(
            " ".join((self.part.question, words.why, words.caveat, *(choice.text for choice in self.part.choices)))
        )
        if self.visit.shown is not None:
            self._take_home()

    def _take_home(self) -> None:
        box = st.expander("Download the numbers, share the experiment", key=f"take_home:{self.scope}", on_change="rerun")
        if not box.open:  # what shows the link is heavy to load
            return
        base = f"api/runs/{self.visit.run_id}/measurements"
        box.markdown(f"All that was measured, one row per number: [CSV]({base}.csv) or [Parquet]({base}.parquet)")
        box.caption("This link opens the experiment with these settings:")
        here, query = (st.context.url or "").split("?")[0], {"part": self.part.id} | self.visit.query
        box.code(f"{here}?{urlencode(query)}", language=None, wrap_lines=True)

    # --- running

    def _config(self, settings: Settings) -> StudyConfig:
        return study_config(self.experiment.id, self.part.id, settings)

    def _press_run(self) -> None:
        settings, _ = knobs.read(self.scope, self.part)
        self.visit.notices = ()
        if settings is not None and self._predicted:
            self._submit(settings)

    def _submit(self, settings: Settings) -> None:
        config = self._config(settings)
        self.visit.error = ""
        try:
            status = get_service().submit(config)
        except (QueueFull, CostTooHigh) as error:
            self.visit.error = str(error)
            return
        if status.cached and self.visit.run_id == status.id:
            replay("study")
        self.visit.shown, self.visit.run_id = config, status.id


def go_to(experiment: Experiment, part: str, preset: str | None) -> None:
    """Turn to a part, in a preset where one is named; for callbacks."""
    scope = f"{experiment.id}.{part}"
    visits = st.session_state.setdefault("visits", {})
    found = experiment.part(part)
    query: dict[str, str] = {} if part == experiment.parts[0].id else {"part": part}
    if preset is not None:
        query |= links(found).to_query(found.preset(preset).settings, preset)
        visits.pop(scope, None)
    elif scope in visits:
        query |= visits[scope].query
    if controls_hidden():
        query["hide"] = "controls"
    st.query_params.from_dict(query)


def draw(experiment_id: str) -> None:
    """Draw the page of an experiment."""
    ExperimentPage(catalog()[experiment_id]).draw()

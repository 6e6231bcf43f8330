"""Records of a study to what its page draws: the charts and the verdict that its experiment describes."""

from bnviz.charts.spec import cells
from bnviz.experiments.board.catalog import part_of, settings_of
from bnviz.experiments.kit.base import Verdict
from bnviz.experiments.kit.results import Results
from bnviz.panels.protocol import End, Frame, Start
from bnviz.records.records import END_STATES, RunEnded, RunFinished, RunStopped, StageMeasured, StudyStarted

TOO_LITTLE = "Stopped before enough was measured for an answer."


class StudyEncoder:
    """Encodes one study; called once with each record, in order."""

    def __init__(self) -> None:
        self._verdict: Verdict | None = None
        self._results: Results | None = None
        self._said = ""

    def start(self, started: StudyStarted) -> Start:
        """The panel's skeleton: the charts of the part."""
        self._part, self._settings = part_of(started.config), settings_of(started.config)
        self._stages = self._part.stages(self._settings)
        self._results = Results(self._stages)
        self._charts = self._part.charts(self._settings)
        return {
            "run_id": started.run_id,
            "steps": 0,
            "frames": 0,
            "cells": cells(),
            "arms": [],
            "band": "",
            "proof": {"twins": False, "text": "", "rows": []},
            "charts": [chart.spec.as_dict() for chart in self._charts],
        }

    def frame(self, measured: StageMeasured) -> Frame:
        """One frame: what each chart draws, how far the study is, and the verdict when it changes."""
        assert self._results is not None
        self._results.add(measured)
        charts = {chart.spec.id: chart.draw(self._results) for chart in self._charts}
        if measured.is_last:
            self._conclude()
        return {
            "frame": measured.frame,
            "step": measured.step,
            "done": round(measured.done, 4),
            "at": self._at(measured),
            "charts": charts,
            "text": self._news(),
        }

    def end(self, ended: RunEnded) -> End:
        """How the study ended, the last word on it, and the answer that it gives to the prediction."""
        if not isinstance(ended, RunFinished):
            self._conclude()
        state = END_STATES[type(ended)]
        is_early = isinstance(ended, RunStopped) and self._verdict is None
        sentence = self._verdict.sentence if self._verdict else TOO_LITTLE if is_early else ""
        answer = self._verdict.answer if self._verdict else None
        return {"state": state, "step": ended.step, "reason": getattr(ended, "reason", ""), "verdict": sentence, "answer": answer}

    def _conclude(self) -> None:
        if self._results is not None and self._results.now is not None:
            self._verdict = self._part.verdict(self._settings, self._results)

    def _news(self) -> dict[str, str]:
        """The sentence, when it is another than in the frame before."""
        sentence = self._verdict.sentence if self._verdict else ""
        if sentence == self._said:
            return {}
        self._said = sentence
        return {"verdict": sentence}

    def _at(self, measured: StageMeasured) -> str:
        """Words for the playback bar: the stage, where there are several, and the step of one that trains."""
        stage = self._stages[measured.stage]
        words = [stage.label] if len(self._stages) > 1 else []
        if stage.run is not None:
            words.append(f"step {measured.step}")
        return " · ".join(words)

"""What holds for every experiment: words, settings, presets, costs, and what charts and verdicts make of a partial run."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import pytest
from pydantic import ValidationError

from bnviz import probes
from bnviz.config.ceilings import MEMORY_CEILING
from bnviz.config.memory import estimated_bytes
from bnviz.config.query import RESERVED_KEYS, Asked
from bnviz.config.schedule import measured_steps
from bnviz.experiments import parts
from bnviz.experiments.board.catalog import catalog, check_study, settings_of, study_config
from bnviz.experiments.board.lessons import lesson
from bnviz.experiments.kit.base import Experiment, Part, Stage, Verdict
from bnviz.experiments.kit.links import links
from bnviz.experiments.kit.results import Results
from bnviz.records.records import StageMeasured, StepMeasured

NAME = re.compile("[a-z][a-z0-9_]{0,39}")
BUDGET_SECONDS = 20.0  # of a default preset, by the estimate
LONG_BUDGET_SECONDS = 45.0
LONG = ("depth", "landscape")
MOST_WORDS = {"why": 120, "caveat": 80}
EXPERIMENTS = list(catalog().values())
PARTS = [(experiment, part) for experiment in EXPERIMENTS for part in experiment.parts]
every_experiment = pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.id)
every_part = pytest.mark.parametrize(("experiment", "part"), PARTS, ids=lambda each: each.id)


def test_ids_and_numbers_are_unique() -> None:
    modules = [import_module(f"{parts.__name__}.{found.name}") for found in iter_modules(parts.__path__)]
    found = [module.EXPERIMENT for module in modules if hasattr(module, "EXPERIMENT")]
    assert len({each.id for each in found}) == len({each.number for each in found}) == len(found)
    assert [each.number for each in EXPERIMENTS] == sorted(each.number for each in EXPERIMENTS)


@every_experiment
def test_an_experiment_has_a_name_and_parts(experiment: Experiment) -> None:
    assert NAME.fullmatch(experiment.id)
    assert experiment.title
    assert re.fullmatch(r":material/\w+:", experiment.icon)
    ids = [part.id for part in experiment.parts]
    assert ids
    assert len(set(ids)) == len(ids)


@every_part
def test_a_part_asks_one_question_with_two_to_four_answers(experiment: Experiment, part: Part) -> None:
    assert NAME.fullmatch(part.id)
    assert part.question.endswith("?")
    keys = [choice.key for choice in part.choices]
    assert 2 <= len(keys) <= 4
    assert len(set(keys)) == len({choice.text for choice in part.choices}) == len(keys)
    assert all(NAME.fullmatch(key) for key in keys)


@every_part
def test_presets_are_valid_and_distinct(experiment: Experiment, part: Part) -> None:
    assert part.presets
    assert len({preset.name for preset in part.presets}) == len({preset.title for preset in part.presets}) == len(part.presets)
    settings = [preset.settings for preset in part.presets]
    assert all(type(each) is part.settings for each in settings)
    assert all(a != b for i, a in enumerate(settings) for b in settings[:i])
    assert all(preset.sentence.endswith((".", "?")) for preset in part.presets)


@every_part
def test_the_lesson_is_there_and_short(experiment: Experiment, part: Part) -> None:
    words = lesson(experiment.id)
    assert words.opening
    told = words.parts[part.id]
    assert 0 < len(told.why.split()) <= MOST_WORDS["why"]
    assert 0 < len(told.caveat.split()) <= MOST_WORDS["caveat"]


@every_experiment
def test_the_lesson_tells_of_no_other_parts(experiment: Experiment) -> None:
    assert set(lesson(experiment.id).parts) == {part.id for part in experiment.parts}


@every_part
def test_the_caveat_leads_somewhere_else(experiment: Experiment, part: Part) -> None:
    target, preset = part.caveat
    experiment.part(target).preset(preset)
    assert part.caveat != (part.id, part.presets[0].name)


@every_part
def test_references_are_linked(experiment: Experiment, part: Part) -> None:
    sources = [*part.references, *(claim.source for claim in part.claims)]
    assert part.references
    for source in sources:
        assert source.url.startswith("https://")
        assert source.text


@every_part
def test_claims_name_a_preset(experiment: Experiment, part: Part) -> None:
    for claim in part.claims:
        part.preset(claim.preset)
        assert claim.text.endswith(".")


@every_part
def test_no_preset_costs_more_than_a_run_may(experiment: Experiment, part: Part) -> None:
    for preset in part.presets:
        check_study(study_config(experiment.id, part.id, preset.settings))


@every_part
def test_no_preset_comes_near_the_memory_that_a_run_may_take(experiment: Experiment, part: Part) -> None:
    for preset in part.presets:
        trained = [(stage.run, stage.keep) for stage in part.stages(preset.settings) if stage.run]
        assert all(estimated_bytes(run, keep) < MEMORY_CEILING / 8 for run, keep in trained)


@every_part
def test_the_default_is_done_soon(experiment: Experiment, part: Part) -> None:
    seconds = sum(stage.estimated_seconds for stage in part.stages(part.presets[0].settings))
    assert seconds <= (LONG_BUDGET_SECONDS if experiment.id in LONG else BUDGET_SECONDS)


FAR_OUT = (-1e15, 1e15)


@every_part
def test_every_setting_is_explained_and_bounded(experiment: Experiment, part: Part) -> None:
    """Numbers far out are refused, also as one of a list: before anything is computed from them."""
    base = part.presets[0].settings.model_dump()
    for name, field in part.settings.model_fields.items():
        assert NAME.fullmatch(name)
        assert name not in RESERVED_KEYS
        assert field.title, name
        assert field.description, name
        assert not field.is_required(), name
        value = base[name]
        first = value[0] if isinstance(value, tuple) else value
        if isinstance(first, bool | str):
            continue
        for far in FAR_OUT:
            wrong = type(first)(far)
            with pytest.raises(ValidationError):
                part.settings.model_validate(base | {name: (wrong, *value[1:]) if isinstance(value, tuple) else wrong})


@every_part
def test_settings_survive_the_url_and_the_configuration(experiment: Experiment, part: Part) -> None:
    for base in part.presets:
        for preset in part.presets:
            asked = links(part).from_query(links(part).to_query(preset.settings, base.name))
            assert asked == Asked(base.name, preset.settings)
        config = study_config(experiment.id, part.id, base.settings)
        assert settings_of(type(config).model_validate_json(config.model_dump_json())) == base.settings


@every_part
def test_stages_can_be_told_apart_and_done(experiment: Experiment, part: Part) -> None:
    known = {found.name for found in iter_modules(probes.__path__)}
    for preset in part.presets:
        stages = part.stages(preset.settings)
        assert stages
        assert len({stage.key for stage in stages}) == len(stages)
        for stage in stages:
            assert (stage.run is None) == bool(stage.probe)
            assert stage.probe in {"", *known}
            json.dumps(dict(stage.options), allow_nan=False)


@every_part
def test_charts_are_few_short_and_json(experiment: Experiment, part: Part) -> None:
    for preset in part.presets:
        charts = part.charts(preset.settings)
        assert 1 <= len(charts) <= 6
        assert len({chart.spec.id for chart in charts}) == len(charts)
        for chart in charts:
            json.dumps(chart.spec.as_dict(), allow_nan=False)
            assert len(chart.spec.title.split()) <= 4, chart.spec.title
            assert chart.spec.how_to_read
            assert "\n" not in chart.spec.how_to_read


@every_part
def test_nothing_measured_is_no_answer(experiment: Experiment, part: Part) -> None:
    for preset in part.presets:
        results = Results(part.stages(preset.settings))
        verdict = part.verdict(preset.settings, results)
        assert verdict is None or verdict.answer is None


def first_measurements(index: int, stage: Stage) -> Iterator[StageMeasured]:
    """The first two measurements of a stage, at its own steps; the second is already taken after one update, to be quick."""
    if stage.run is not None:
        from bnviz.training.run import run

        short = stage.run.model_copy(update={"steps": min(stage.run.steps, 1)})
        records = (record for record in run(short, frozenset(stage.keep)) if isinstance(record, StepMeasured))
        for step, record in zip(measured_steps(stage.run), records, strict=False):
            yield StageMeasured(0, index, step, 0.0, False, record.arms, {})
        return
    probe = import_module(f"bnviz.probes.{stage.probe}").probe(**stage.options)
    for step, (_, values) in zip(range(2), probe, strict=False):
        yield StageMeasured(0, index, step, 0.0, False, (), dict(values))


def is_plain(text: str) -> bool:
    return not re.search(r"\bnan\b|\binf\b", text)


@pytest.mark.slow
@every_part
def test_a_run_that_has_just_begun_is_drawn_and_stopped_without_trouble(experiment: Experiment, part: Part) -> None:
    """Each stage measured twice, as if the visitor stopped there: charts are JSON, verdicts claim nothing they cannot know."""
    settings = part.presets[0].settings
    stages, charts = part.stages(settings), part.charts(settings)
    results = Results(stages)
    chosen = {0, len(stages) // 2, len(stages) - 1}
    keys = {choice.key for choice in part.choices}
    for index in sorted(chosen):
        for measured in first_measurements(index, stages[index]):
            results.add(measured)
            for chart in charts:
                views = chart.draw(results)
                json.dumps(views, allow_nan=False)
                wanted = max((mark.series for mark in chart.spec.marks), default=-1)
                assert all(not series or len(series) > wanted for series in views.values()), chart.spec.id
            verdict = part.verdict(settings, results)
            assert verdict is None or (verdict.answer in {None, *keys} and is_plain(verdict.sentence)), verdict


def test_a_verdict_is_what_it_says() -> None:
    """The rule above can fail."""
    assert not is_plain(Verdict(None, "The loss is nan.").sentence)
    assert is_plain(Verdict(None, "The inference is finite.").sentence)

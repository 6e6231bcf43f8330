"""What stored records come from: no answer of code that has changed since is shown as today's."""

from dataclasses import replace

import grimp
import pytest

from bnviz.config.models import RunConfig
from bnviz.experiments.board import catalog
from bnviz.experiments.board.catalog import study_config
from bnviz.experiments.kit.base import Experiment, Stage
from bnviz.records.codec import encode
from bnviz.runs import origin as origin_module
from bnviz.runs.origin import THE_RUN, code_hash, origin
from bnviz.runs.store import Store
from bnviz.runs.workers.execute import run_any
from tests.studies.conftest import TINY

STUDY = ("tiny", "losses")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Experiment:
    """The only experiment there is while the test runs."""
    monkeypatch.setattr(catalog, "catalog", lambda: {"tiny": TINY})
    return TINY


def with_stages(tiny: Experiment, change) -> Experiment:
    """The experiment after an edit of its file: `change` is applied to every stage."""
    part = tiny.parts[0]
    edited = replace(part, stages=lambda settings: tuple(change(stage) for stage in part.stages(settings)))
    return replace(tiny, parts=(edited,))


def with_lr(stage: Stage, factor: float) -> Stage:
    if stage.run is None:
        return stage
    arms = tuple(arm.model_copy(update={"lr": arm.lr * factor}) for arm in stage.run.arms)
    return replace(stage, run=stage.run.model_copy(update={"arms": arms}))


CHANGES = {
    "rate": lambda stage: with_lr(stage, 0.001),
    "keep": lambda stage: replace(stage, keep=("train_loss", "test_loss")) if stage.run else stage,
    "probe": lambda stage: replace(stage, probe="shattered") if stage.probe else stage,
    "options": lambda stage: replace(stage, options={**stage.options, "nets": 41}) if stage.probe else stage,
    "key": lambda stage: replace(stage, key=f"{stage.key}!"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_study_has_another_origin_when_a_stage_changes(tiny, monkeypatch, change):
    config = study_config(*STUDY)
    before = origin(config)
    assert before == origin(config)
    edited = with_stages(tiny, CHANGES[change])
    monkeypatch.setattr(catalog, "catalog", lambda: {"tiny": edited})
    assert origin(config) != before


def test_how_a_stage_is_called_plays_no_part(tiny, monkeypatch):
    before = origin(study_config(*STUDY))
    edited = with_stages(tiny, lambda stage: replace(stage, label="another"))
    monkeypatch.setattr(catalog, "catalog", lambda: {"tiny": edited})
    assert origin(study_config(*STUDY)) == before


def test_an_edited_experiment_is_not_answered_from_the_store(tiny, monkeypatch, make_service, tmp_path):
    """Divide a stage's learning rate by 1000, restart: the study is computed again."""
    config = study_config(*STUDY)
    assert Store(tmp_path, 10**7).save(config, [encode(record) for record in run_any(config)])
    assert make_service(data_dir=str(tmp_path)).submit(config).cached, "unchanged, it is there after a restart"

    monkeypatch.setattr(catalog, "catalog", lambda: {"tiny": with_stages(tiny, CHANGES["rate"])})
    assert not make_service(data_dir=str(tmp_path)).submit(config).cached


def test_a_stored_study_that_this_build_does_not_know_is_not_used(tiny, monkeypatch, tmp_path):
    config = study_config(*STUDY)
    store = Store(tmp_path, 10**7)
    assert store.save(config, [encode(record) for record in run_any(config)])
    monkeypatch.setattr(catalog, "catalog", dict)
    assert store.load(config.run_id) is None


def test_the_code_hash_follows_the_sources_that_decide(tmp_path, monkeypatch):
    (tmp_path / "nets").mkdir()
    (tmp_path / "charts").mkdir()
    (tmp_path / "training").mkdir()
    monkeypatch.setattr(origin_module.bnviz, "__file__", str(tmp_path / "__init__.py"))
    hashes = []
    for path, text in (
        ("nets/a.py", "1"),
        ("nets/a.py", "2"),
        ("training/loop.py", "1"),
        ("charts/a.py", "1"),
        ("charts/a.py", "2"),
    ):
        (tmp_path / path).write_text(text)
        hashes.append(code_hash.__wrapped__())
    assert len(set(hashes[:3])) == 3
    assert hashes[2] == hashes[3] == hashes[4], "how it is drawn does not change what a run yields"


def test_the_list_of_what_decides_is_what_the_run_imports():
    """All that running and probing import; what experiments decide is in the stages."""
    graph = grimp.build_graph("bnviz", cache_dir=None)
    found_by_name = {name for name in graph.modules if name.startswith(("bnviz.probes.", "bnviz.measure."))}
    found, left = set(), {"bnviz.training.study", "bnviz.training.run"} | found_by_name
    while left:
        module = left.pop()
        found.add(module.removeprefix("bnviz."))
        left |= graph.find_modules_directly_imported_by(module) - found - {f"bnviz.{name}" for name in found}
    unlisted = {module for module in found if not any(module == name or module.startswith(f"{name}.") for name in THE_RUN)}
    assert not unlisted
    unused = {name for name in THE_RUN if not any(module == name or module.startswith(f"{name}.") for module in found)}
    assert not unused


def test_a_run_comes_from_the_code_alone():
    assert origin(RunConfig()) == origin(RunConfig(seed=1)) == code_hash()

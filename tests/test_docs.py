"""The documentation names everything there is, its links lead somewhere, and its commands exist."""

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel

from bnviz.config.ceilings import check_cost
from bnviz.config.models import ArmConfig, DatasetConfig, PerTrial, RunConfig
from bnviz.config.presets import PRESETS
from bnviz.config.studies import StudyConfig, parse_config
from bnviz.experiments.board.catalog import catalog, check_study
from bnviz.experiments.kit.base import Experiment
from bnviz.panels import PANELS
from bnviz.records.records import Measured, Started
from bnviz.records.tables import PERCENTILE_MEASURES
from bnviz.registry.activations import ACTIVATIONS
from bnviz.registry.datasets import DATASETS
from bnviz.registry.measures import MEASURE_OF
from bnviz.registry.norms import NORMS, NormEntry
from bnviz.registry.optimizers import OPTIMIZERS
from bnviz.runs.settings import ServerSettings, variable
from bnviz.web.api import TableName, build_api

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
PREFIXES: tuple[tuple[type[BaseModel], str], ...] = (
    (RunConfig, ""),
    (DatasetConfig, "dataset."),
    (ArmConfig, "arms.N."),
    (PerTrial, "arms.N.per_trial."),
)
FIELDS = [prefix + name for model, prefix in PREFIXES for name in model.model_fields]
RESULTS = [*MEASURE_OF, *PERCENTILE_MEASURES, "diverged_at"]
SETTINGS = [variable(name) for name in ServerSettings.model_fields]


def told(page: str) -> set[str]:
    """Names in code style in a heading or in the first cell of a table row of a page."""
    lines = (DOCS / page).read_text("utf-8").splitlines()
    places = [line if line.startswith("#") else line.split("|")[1] for line in lines if line.startswith(("#", "|"))]
    return {name for place in places for name in re.findall(r"`([^`]+)`", place)} | {
        line.lstrip("# ") for line in lines if line.startswith("#")
    }


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_of_the_configuration_is_documented(name: str) -> None:
    assert name in told("configuration.md")


@pytest.mark.parametrize("norm", NORMS.values(), ids=lambda norm: norm.name)
def test_every_norm_is_documented_with_its_formula_and_source(norm: NormEntry) -> None:
    assert norm.name in told("norms.md")
    (row,) = [line for line in (DOCS / "norms.md").read_text("utf-8").splitlines() if line.startswith(f"| `{norm.name}` |")]
    assert norm.formula.replace("|", "\\|") in row
    assert norm.name == "none" or "References:" in norm.doc, f"{norm.target}: the docstring names no source"


@pytest.mark.parametrize("name", [*DATASETS, *ACTIVATIONS, *OPTIMIZERS])
def test_everything_that_can_be_chosen_is_documented(name: str) -> None:
    assert name in told("configuration.md")


@pytest.mark.parametrize("name", RESULTS)
def test_every_measurement_is_documented(name: str) -> None:
    assert name in told("measurements.md")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_documented(name: str) -> None:
    assert name in told("presets.md")


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_documented(name: str) -> None:
    assert name in told("settings.md")


@pytest.mark.parametrize("experiment", catalog().values(), ids=lambda each: each.id)
def test_every_experiment_is_documented(experiment: Experiment) -> None:
    text = (DOCS / "all-experiments.md").read_text("utf-8")
    _, _, section = text.partition(f"(`{experiment.id}`)")
    section = section.partition("\n## ")[0]
    for part in experiment.parts:
        assert f"(`{part.id}`)" in section
        assert all(f"`{name}`" in section for name in (*part.settings.model_fields, *(claim.id for claim in part.claims)))


@pytest.mark.slow
def test_the_example_without_the_page_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (DOCS / "experiments.md").read_text("utf-8"), re.DOTALL)
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, cwd=ROOT, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("plain ")


def test_generated_pages_are_current() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/build_docs.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            headings = [line.lstrip("# ") for line in target.read_text("utf-8").splitlines() if line.startswith("#")]
            assert anchor in {slug(heading) for heading in headings}, link


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    blocks = re.findall(r"```(?:sh|bash|console)?\n(.*?)```|`([^`\n]+)`", page.read_text("utf-8"), re.DOTALL)
    commands = [line.strip() for block in blocks for line in "".join(block).splitlines()]
    for command in commands:
        if match := re.match(r"make ([a-z-]+)", command):
            assert match[1] in make_targets(), command
        for script in re.findall(r"(?<![\w/])(?:scripts|benchmarks|tests)/[\w/]+\.(?:py|sh)", command):
            assert (ROOT / script).exists(), command


API = (DOCS / "api.md").read_text("utf-8")
RECORDS = [kind.__name__ for kind in get_args(Started | Measured)]


@pytest.mark.parametrize("name", [*PANELS, *get_args(TableName), *RECORDS])
def test_the_api_page_knows_runs_and_studies(name: str) -> None:
    assert f"`{name}`" in API or f"?panel={name}`" in API


def test_what_the_api_page_posts_is_accepted() -> None:
    bodies = re.findall(r"-d '(.*?)'", API)
    configs = [parse_config(body) for body in bodies]
    assert {type(config) for config in configs} == {RunConfig, StudyConfig}
    for config in configs:
        check_study(config) if isinstance(config, StudyConfig) else check_cost(config)


def test_every_address_of_the_api_has_a_heading() -> None:
    told_of = {
        (method, re.sub(r"{\w+}", "{}", path)) for method, path in re.findall(r"^## ([A-Z]+) /api(\S+)", API, re.MULTILINE)
    }
    there = {
        (method, re.sub(r"{\w+}", "{}", route.path))
        for route in build_api().routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert told_of == there


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:bnviz|tests|assets)/[\w./]+)`", CONTRIBUTING))))
def test_the_files_that_contributing_names_exist(name: str) -> None:
    assert (ROOT / name).exists()


NAMES_IN_FILES = re.findall(r"((?:`\w+`(?:, | and | or )?)+)[^`.]*? in `((?:bnviz|tests)/[\w./]+\.py)`", CONTRIBUTING)


@pytest.mark.parametrize("names", NAMES_IN_FILES)
def test_what_contributing_says_is_in_a_file_is_there(names: tuple[str, str]) -> None:
    words, file = names
    source = (ROOT / file).read_text("utf-8")
    for name in re.findall(r"`(\w+)`", words):
        assert re.search(rf"^(?:def |class )?{name}\b", source, re.MULTILINE), f"{name} in {file}"


def test_the_two_commands_of_the_readme() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "make app" in text
    assert "make test" in text


def test_the_readmes_python_example_runs() -> None:
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert examples
    for example in examples:
        done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, cwd=ROOT, check=False, timeout=120)
        assert done.returncode == 0, done.stderr


def test_the_readmes_command_lines_are_understood() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    commands = re.findall(r"bnviz run --preset (\w+)", text)
    assert commands
    assert set(commands) <= set(PRESETS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_images_have_a_text(page: Path) -> None:
    text = page.read_text("utf-8")
    assert not re.findall(r"!\[\]\(", text)
    assert all(re.search(r'alt="[^"]+"', image) for image in re.findall(r"<img[^>]*>", text))

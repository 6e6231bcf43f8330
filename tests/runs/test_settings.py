"""Settings of the server: read from the environment, refused in words, all documented."""

import re
from pathlib import Path

import pytest

from bnviz.runs.settings import BadSetting, ServerSettings, default_data_dir, read_settings, variable

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_defaults_are_valid_and_the_environment_may_be_empty():
    settings = read_settings({})
    assert settings.max_workers >= 1
    assert settings.data_dir == default_data_dir()
    assert read_settings({"BNVIZ_MAX_WORKERS": " ", "OTHER": "1"}) == settings


def test_values_are_read():
    given = {"BNVIZ_MAX_WORKERS": "3", "BNVIZ_RUN_SECONDS": "1.5", "BNVIZ_DATA_DIR": "", "BNVIZ_STREAM": "OFF"}
    settings = read_settings(given)
    assert (settings.max_workers, settings.run_seconds, settings.data_dir, settings.stream) == (3, 1.5, "", "off")


@pytest.mark.parametrize(
    ("name", "value"),
    [("BNVIZ_MAX_WORKERS", "0"), ("BNVIZ_QUEUE_SIZE", "many"), ("BNVIZ_RUN_SECONDS", "nan"), ("BNVIZ_STREAM", "maybe")],
)
def test_bad_values_name_the_variable_and_what_was_received(name, value):
    with pytest.raises(BadSetting) as error:
        read_settings({name: value, "BNVIZ_STORE_MB": "-1"})
    lines = str(error.value).splitlines()
    assert len(lines) == 2
    assert any(line.startswith(f"{name}: received {value};") for line in lines)
    assert any(line.startswith("BNVIZ_STORE_MB: received -1;") for line in lines)


def test_every_setting_has_its_own_heading():
    headings = re.findall(r"^## (BNVIZ_\w+)$", DOCS.read_text("utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(variable(name) for name in ServerSettings.model_fields)


@pytest.mark.parametrize("name", list(ServerSettings.model_fields))
def test_documented_defaults_and_bounds_are_the_real_ones(name):
    section = DOCS.read_text("utf-8").split(f"## {variable(name)}\n")[1].split("\n## ")[0]
    field = ServerSettings.model_fields[name]
    for limit in field.metadata:
        for bound in ("ge", "le"):
            if hasattr(limit, bound):
                assert f"{getattr(limit, bound):g}" in section or str(getattr(limit, bound)) in section
    if isinstance(field.default, int | float):
        assert f"efault {field.default:g}" in section

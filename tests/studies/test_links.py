"""Settings in links: every link gives settings that can be used, and says what it left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnviz.config.problems import validated
from bnviz.config.query import MAX_NOTICES, Asked
from bnviz.experiments.kit.links import links


@pytest.fixture
def part(tiny):
    return tiny.parts[0]


def test_an_empty_query_is_the_first_preset(part):
    assert links(part).from_query({}) == Asked("small", part.presets[0].settings)


def test_only_what_differs_from_the_preset_is_written(part):
    preset = part.presets[1]
    changed = preset.settings.model_copy(update={"lr": 0.3, "widths": (3, 5), "residual": True, "norms": ("batch",)})
    query = links(part).to_query(changed, "longer")
    assert query == {"preset": "longer", "lr": "0.3", "widths": "3,5", "residual": "true", "norms": "batch"}
    assert links(part).from_query(query) == Asked("longer", changed)
    assert links(part).to_query(part.presets[0].settings, "small") == {}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"preset": "huge"}, "preset: received huge; allowed: small, longer"),
        ({"steps": "0"}, "steps: received 0; allowed: whole number, 1 to 50"),
        ({"widths": "2,x"}, "widths: received x"),
        ({"activation": "sine"}, "activation: received sine; allowed: relu, tanh"),
        ({"learning": "1"}, "learning: received 1; allowed: steps, lr, widths"),
        ({"widths": "1," * 800}, "widths: received"),
    ],
)
def test_what_cannot_be_used_is_left_out_and_said(part, query, said):
    asked = links(part).from_query({"lr": "0.5"} | query)
    assert asked.config.lr == 0.5
    assert asked.config == part.presets[0].settings.model_copy(update={"lr": 0.5})
    (notice,) = asked.notices
    assert notice.startswith(said)
    assert notice.endswith("It is left out.")


def test_the_pages_own_keys_are_not_settings(part):
    assert links(part).from_query({"part": "losses", "hide": "controls", "embed": "true"}).notices == ()


def test_a_problem_is_told_for_each_field(part):
    settings, wrong = validated(part.settings, {"steps": 0, "lr": -1})
    assert settings is None
    assert set(wrong) == {"steps", "lr"}


@given(st.dictionaries(st.sampled_from(["steps", "lr", "widths", "norms", "preset", "x", "residual"]), st.text(max_size=30)))
def test_no_query_breaks_the_page(query):
    from tests.studies.conftest import PART

    asked = links(PART).from_query(query)
    assert len(asked.notices) <= MAX_NOTICES + 1
    assert links(PART).from_query(links(PART).to_query(asked.config, asked.preset)) == Asked(asked.preset, asked.config)

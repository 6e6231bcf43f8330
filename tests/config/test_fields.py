"""One view of a field says what its model says, and one path leads to it and to its values."""

from typing import Annotated, Literal

import pytest
from pydantic import Field

from bnviz.config.base import Float, FrozenModel, Int
from bnviz.config.fields import FieldView, field_at, fields_of
from bnviz.config.models import ArmConfig, RunConfig
from bnviz.config.paths import covers, numbered, put, values_at


class Item(FrozenModel):
    size: Int = Field(default=3, ge=1, le=9, title="Size", description="How large.")


class Everything(FrozenModel):
    """A field of every kind."""

    count: Int | None = Field(default=None, ge=0, le=4)
    rate: Float = Field(default=0.5, ge=0, le=1)
    free: float = 1.0
    on: bool = False
    name: str = Field(default="", max_length=5)
    choice: Literal["a", "b"] = "a"
    some: tuple[Literal["a", "b"], ...] = Field(default=(), max_length=2)
    rates: tuple[Annotated[Float, Field(ge=0, le=2)], ...] = Field(default=(1.0,), min_length=1)
    one: Item = Item()
    many: tuple[Item, ...] = Field(default_factory=lambda: (Item(),), min_length=1, max_length=3)


def view(path: str) -> FieldView:
    found = field_at(Everything, path)
    assert found is not None
    assert found.path == path
    return found


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("count", "int"), ("rate", "float"), ("on", "bool"), ("name", "text"), ("choice", "choice"), ("some", "list"),
        ("some.0", "choice"), ("rates.*", "float"), ("one", "model"), ("one.size", "int"), ("many", "list"), ("many.1", "model"),
        ("many.*.size", "int"),
    ],
)  # fmt: skip
def test_kinds(path: str, kind: str) -> None:
    assert view(path).kind == kind


def test_what_a_field_takes() -> None:
    assert (view("count").optional, view("count").bounds, view("count").default) == (True, (0, 4), None)
    bounds = view("rate").bounds
    assert bounds == (0.0, 1.0)
    assert all(type(bound) is float for bound in bounds)
    assert view("free").bounds is None
    assert (view("name").lengths, view("some").lengths, view("rates").lengths) == ((None, 5), (None, 2), (1, None))
    assert view("choice").choices == view("some.1").choices == ("a", "b")
    assert view("rates.7").bounds == (0.0, 2.0)
    assert view("many").default == (Item(),)
    size = view("many.0.size")
    assert (size.name, size.title, size.description, size.default) == ("size", "Size", "How large.", 3)


def test_owners_are_set_field_by_field() -> None:
    assert view("one").owner is view("many").owner is view("many.0").owner is Item
    assert view("rates").owner is view("one.size").owner is None


def test_children() -> None:
    assert list(fields_of(Everything)) == list(Everything.model_fields)
    assert [child.path for child in view("many").children] == ["many.*.size"]
    assert [child.path for child in view("many.2").children] == ["many.2.size"]
    assert view("rates").children == ()


@pytest.mark.parametrize("path", ["", "other", "rate.0", "many.x", "many.-1", "one.0", "many.0.other", "many.²", "many.1000"])
def test_paths_to_nothing(path: str) -> None:
    assert field_at(Everything, path) is None


def test_a_location_of_an_error_is_a_path() -> None:
    assert field_at(RunConfig, ("arms", 1, "lr")) == field_at(RunConfig, "arms.1.lr")
    assert field_at(RunConfig, ("steps", "a.b")) is None


@pytest.mark.parametrize(
    ("path", "other", "is_covered"),
    [
        ("arms.*.lr", "arms.0.lr", True),
        ("arms.*.lr", "arms.*.lr", True),
        ("arms.0", "arms.0.lr", True),
        ("arms.0.lr", "arms.*.lr", False),
        ("arms.0.lr", "arms.0", False),
        ("arms.*.lr", "arms.x.lr", False),
        ("arm", "arms", False),
        ("steps", "steps", True),
    ],
)
def test_what_a_path_covers(path: str, other: str, is_covered: bool) -> None:
    assert covers(path, other) is is_covered


def test_values_are_read_and_put_by_path() -> None:
    raw = {"steps": 1, "arms": [{"lr": 1}, {"lr": 2}]}
    assert (values_at(raw, "steps"), values_at(raw, "arms.*.lr"), values_at(raw, "arms.1.lr")) == ([1], [1, 2], [2])
    put(raw, "arms.*.lr", 3)
    put(raw, "arms.0.lr", 4)
    put(raw, "steps", 5)
    assert raw == {"steps": 5, "arms": [{"lr": 4}, {"lr": 3}]}
    for path in ("arms.2.lr", "arms.0.other", "other.lr"):
        with pytest.raises(LookupError):
            values_at(raw, path)


def test_paths_in_the_documentation() -> None:
    assert numbered("arms.*.per_trial.lr") == numbered("arms.12.per_trial.lr") == "arms.N.per_trial.lr"


def test_every_field_of_a_run_has_a_kind_and_words() -> None:
    for found in (*fields_of(RunConfig).values(), *fields_of(ArmConfig).values()):
        assert found.kind != "other"
        assert found.description

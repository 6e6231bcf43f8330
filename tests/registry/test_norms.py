"""What the app knows of a norm comes from its file alone."""

from typing import get_args

from bnviz.config.models import MAX_ARMS, ArmConfig, NormName
from bnviz.experiments.parts.other_norms import common
from bnviz.registry.norms import NORMS, NormEntry
from bnviz.ui import fields

OFFERED = ["none", "batch", "layer", "group", "instance", "rms"]
VARIANTS = ["batch_noisy", "batch_detached", "batch_l1", "batch_l2", "batch_linf"]


def test_norms_come_in_the_order_of_their_places_and_new_ones_after_them():
    assert list(NORMS)[: len(OFFERED + VARIANTS)] == OFFERED + VARIANTS
    assert list(get_args(NormName)) == list(NORMS)


def test_the_lists_of_norms_follow():
    assert [name for name in NORMS if name in fields.COMPARED] == list(fields.COMPARED)
    assert fields.COMPARED[: len(OFFERED)] == tuple(OFFERED)
    assert not set(VARIANTS) & set(fields.COMPARED)
    assert list(common.NORMS) == OFFERED
    assert len(common.NORMS) <= MAX_ARMS
    assert all(fields.word(name) == norm.label for name, norm in NORMS.items()), "a name that another choice has as well"


def test_a_new_norm_is_offered_on_the_front_page_and_counts_as_one_that_keeps_much():
    new = NormEntry(name="new", label="new norm", color="#000000", dash="solid", symbol="cross", formula="y")
    assert (new.in_compare, new.in_experiments) == (True, False)
    assert new.kept_tensors == max(NORMS[name].kept_tensors for name in OFFERED + VARIANTS)


def test_an_entry_names_the_parameters_of_its_class():
    entry = NORMS["rms"]

    class Other:
        affine: tuple[str, ...] = ()

    assert entry(Other) is Other
    assert Other.affine == ("gamma",)


def test_every_norm_may_be_asked_for():
    assert [ArmConfig.model_validate({"norm": name}).norm for name in NORMS] == list(NORMS)

"""`make test-processors`: the instruction set that was asked for is the one that torch computes with."""

import os

import pytest
import torch

from scripts.processors import SETS, environment, is_there

ASKED = os.environ.get("ATEN_CPU_CAPABILITY")


@pytest.mark.skipif(ASKED is None, reason="no instruction set was asked for")
def test_torch_computes_with_the_set_that_was_asked_for():
    assert torch.backends.cpu.get_cpu_capability().lower() == ASKED


def test_the_plainest_set_is_everywhere_and_an_unknown_one_nowhere(monkeypatch):
    assert is_there("default")
    monkeypatch.setitem(SETS, "avx9000", {})
    assert environment("avx9000")["ATEN_CPU_CAPABILITY"] == "avx9000"
    assert not is_there("avx9000")

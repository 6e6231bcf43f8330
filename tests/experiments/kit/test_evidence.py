"""A claim is judged by what was measured: a verdict without the numbers that a rule reads is "not measured", for every claim."""

import math
from collections.abc import Iterator
from functools import cache
from itertools import islice

import numpy as np
import pytest

from bnviz.experiments.board import claims
from bnviz.experiments.board.catalog import find_part
from bnviz.experiments.board.claims import Stated
from bnviz.experiments.kit.base import NOT_MEASURED, Claim, Finding, Reference, Settings, Verdict
from bnviz.experiments.kit.evidence import COUNTS, Evidence, NotMeasured
from bnviz.experiments.kit.results import Results
from tests.experiments.made_up import Template, made_up_results, template

SENTENCE = "What the verdict says."
DRAWS, VERDICTS = 200, 4  # of results; of verdicts among them that have a number for all that the rule reads
every_claim = pytest.mark.parametrize("stated", claims.stated(), ids=lambda each: each.claim.id)


@cache
def measured_once(run: tuple[str, str, str]) -> tuple[Settings, tuple[Template, ...]]:
    """The settings that a claim names, and what their stages measure."""
    part = find_part(*run[:2])
    settings = part.preset(run[2]).settings
    return settings, tuple(template(stage) for stage in part.stages(settings))


def full_verdicts(stated: Stated) -> Iterator[Verdict]:
    """Verdicts on made-up measurements that the claim can be judged by."""
    part, stream = find_part(stated.experiment, stated.part), np.random.default_rng(0)
    settings, templates = measured_once(stated.run)
    for _ in range(DRAWS):
        results = Results([each.stage for each in templates])
        for measured in made_up_results(templates, stream, ("likely", "shares"), is_whole=True):
            results.add(measured)
        verdict = part.verdict(settings, results)
        if verdict is not None and stated.claim.judge(verdict).judgement != NOT_MEASURED:
            yield verdict


def judged(stated: Stated, verdict: Verdict, numbers: dict[str, float]) -> str:
    return stated.claim.judge(Verdict(verdict.answer, SENTENCE, numbers)).judgement


@every_claim
def test_a_verdict_without_numbers_is_no_evidence(stated: Stated) -> None:
    answers: list[str | None] = [None, *(choice.key for choice in find_part(stated.experiment, stated.part).choices)]
    for answer in answers:
        assert stated.claim.judge(Verdict(answer, SENTENCE, {})) == Finding(NOT_MEASURED, SENTENCE)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numpy: what is made up may be infinite or not there
@every_claim
def test_numbers_that_are_missing_are_no_evidence(stated: Stated) -> None:
    """All NaN, no pairs to judge by; and to leave one number out never turns one judgement into another."""
    verdicts = list(islice(full_verdicts(stated), VERDICTS))
    assert verdicts, "no drawn verdict can be judged"
    for verdict in verdicts:
        numbers, before = dict(verdict.numbers), stated.claim.judge(verdict).judgement
        assert judged(stated, verdict, dict.fromkeys(numbers, math.nan)) == NOT_MEASURED
        for name in numbers:
            if name in COUNTS:
                assert judged(stated, verdict, numbers | {name: 0.0}) == NOT_MEASURED
            for fewer in (numbers | {name: math.nan}, {key: value for key, value in numbers.items() if key != name}):
                assert judged(stated, verdict, fewer) in (before, NOT_MEASURED), name


@pytest.mark.parametrize("numbers", [{}, {"pairs": 0.0, "ratio": 2.0}, {"seeds": 0.0}])
def test_nothing_to_judge_by_is_no_evidence(numbers: dict[str, float]) -> None:
    with pytest.raises(NotMeasured):
        Evidence(numbers)


def test_there_is_no_default_for_what_was_not_measured() -> None:
    evidence = Evidence({"faster_pairs": 0.0, "never": math.inf, "unknown": math.nan})
    assert (evidence["faster_pairs"], evidence.get("never"), len(evidence)) == (0.0, math.inf, 3)
    for name in ("unknown", "missing"):
        with pytest.raises(NotMeasured, match=name):
            evidence[name]
        with pytest.raises(NotMeasured, match=name):
            evidence.get(name, 1.0)
        with pytest.raises(NotMeasured, match=name):
            assert name in evidence
    with pytest.raises(NotMeasured, match="unknown"):
        dict(evidence)


def test_a_rule_that_breaks_is_no_missing_evidence() -> None:
    """A mistake in a rule is not taken for a verdict without numbers."""

    def broken(verdict: Verdict) -> Finding:
        return Finding("supported", str(1 / verdict.numbers["zero"]))

    claim = Claim("a", "A claim.", Reference("A 2020", "https://a.b"), "default", broken)
    with pytest.raises(ZeroDivisionError):
        claim.judge(Verdict(None, SENTENCE, {"zero": 0.0}))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@every_claim
def test_what_was_never_measured_supports_nothing(stated: Stated) -> None:
    """Every trial has diverged and every value is NaN, or nothing else than NaN was measured: no claim is supported."""
    part, stream = find_part(stated.experiment, stated.part), np.random.default_rng(0)
    settings, templates = measured_once(stated.run)
    results = Results([each.stage for each in templates])
    for measured in made_up_results(templates, stream, ("nan",), is_whole=True):
        results.add(measured)
    verdict = part.verdict(settings, results)
    assert verdict is None or stated.claim.judge(verdict).judgement != "supported"

"""What holds for every normalization: each that is declared in bnviz/nets/norms goes through all of this by itself.

A norm's own test file in tests/nets/norms names what it is compared with, and what does not hold for it and why.
"""

import inspect
import sys
from copy import copy

import pytest
import torch
from torch import Tensor

from bnviz.charts.theme import arm_styles
from bnviz.config.models import ArmConfig, RunConfig
from bnviz.nets import NORM_LAYERS
from bnviz.records.records import RunFinished, StepMeasured
from bnviz.registry.norms import NORMS
from bnviz.training.run import run
from tests.nets.norms.cases import BATCH, POSITIONS, TRIALS, WIDTH, Case
from tests.nets.norms.references import exceptions_of, learned_of

MODES = ("train", "probe", "eval")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        test = metafunc.function.__name__
        cases = [Case(name, place) for name in NORM_LAYERS for place in POSITIONS]
        metafunc.parametrize("case", [pytest.param(c, id=f"{c.name}-{c.place}", marks=_marks(c.name, test)) for c in cases])


def _marks(name: str, test: str) -> list[pytest.MarkDecorator]:
    reasons = exceptions_of(name)
    return [pytest.mark.xfail(reason=reasons[test], strict=True)] if test in reasons else []


def close(ours: Tensor, theirs: Tensor, tolerance: float = 1e-11) -> None:
    torch.testing.assert_close(ours.detach(), theirs.detach().reshape(ours.shape), rtol=tolerance, atol=tolerance)


def upstream_of(values: Tensor) -> Tensor:
    return torch.randn(values.shape, generator=torch.Generator().manual_seed(4), dtype=values.dtype)


def same_bits(ours: list[Tensor], theirs: list[Tensor]) -> bool:
    return all(torch.equal(mine, other) for mine, other in zip(ours, theirs, strict=True))


def test_its_test_file_names_a_reference_that_does_not_use_it(case, monkeypatch):
    def used(*arguments: object) -> None:
        pytest.fail(f"the reference of {case.name} calls the norm that it is there to check")

    values, modules = case.values(), case.references()
    monkeypatch.setattr(NORM_LAYERS[case.name], "__call__", used)
    assert [module(values[trial]).shape for trial, module in enumerate(modules)] == [values[0].shape] * TRIALS


@pytest.mark.parametrize("name", NORM_LAYERS)
def test_what_its_test_file_excepts_is_there_and_has_a_reason(name):
    tests = dict(inspect.getmembers(sys.modules[__name__], inspect.isfunction))
    for test, reason in exceptions_of(name).items():
        assert test in tests, f"{name}: the contract has no {test}"
        assert reason, f"{name}: why does {test} not hold?"


def test_outputs_and_gradients_equal_those_of_the_reference(case):
    values, affine, modules = case.values(), case.affine(), case.references()
    out, upstream = case.made()(values, affine, "train"), upstream_of(values)
    gradients = torch.autograd.grad((out * upstream).sum(), [values, *affine])
    for trial, module in enumerate(modules):
        given = values[trial].detach().requires_grad_()
        theirs = module.train()(given)
        close(out[trial], theirs)
        expected = torch.autograd.grad((theirs * upstream[trial]).sum(), [given, *learned_of(module)])
        for ours, other in zip(gradients, expected, strict=True):
            close(ours[trial], other, getattr(module, "tolerance", 1e-11))


def test_running_statistics_and_inference_equal_those_of_the_reference(case):
    norm, values = case.trained(), case.values(9)
    out = norm(values, case.affine(), "eval")
    for trial, module in enumerate(case.references()):
        for step in range(3):
            module.train()(case.values(step)[trial])
        theirs = [getattr(module, name, None) for name in ("running_mean", "running_var")]
        assert len(norm.statistics()) == len([other for other in theirs if other is not None])
        for ours, other in zip(norm.statistics(), theirs, strict=False):
            close(ours[trial], other)
        close(out[trial], module.eval()(values[trial]))


def test_gradients_are_those_of_differences(case):
    norm, values = case.made(), case.values(batch=3)
    torch.autograd.gradcheck(lambda y, *affine: norm(y, list(affine), "probe"), (values, *case.affine()))


def test_parameters_are_those_declared_and_start_where_the_arm_says(case):
    norm, start = case.made(), {"gamma": 0.5, "beta": -2}
    initial = norm.initial_parameters()
    assert tuple(initial) == norm.affine == NORMS[case.name].affine
    assert tuple(initial) in (("gamma",), ("gamma", "beta")), "a recurrent cell needs gamma and has a bias of its own"
    for name, value in initial.items():
        assert torch.equal(value, torch.full((TRIALS, 1, norm.affine_size()), start[name], dtype=torch.float64))


def test_permuting_the_batch_permutes_the_outputs(case):
    order = torch.tensor([4, 0, 5, 2, 1, 3])
    ours, permuted, values = case.trained(), case.trained(), case.values()
    for mode in MODES:
        close(permuted(values[:, order], case.affine(), mode), ours(values, case.affine(), mode)[:, order], 1e-10)
    for statistic, other in zip(ours.statistics(), permuted.statistics(), strict=True):
        close(statistic, other)


def test_a_sample_depends_on_its_batch_in_training_only_if_declared_and_never_in_inference(case):
    values = case.values().detach()
    changed = values.clone()
    changed[:, 1:] = 3 * changed[:, 1:] - 1
    norm = case.trained()
    one, other = (norm(given, case.affine(), "probe")[:, 0] for given in (values, changed))
    assert torch.allclose(one, other, rtol=1e-12, atol=1e-12) != NORMS[case.name].over_batch
    whole = norm(values, case.affine(), "eval")
    for count in (1, 4):
        close(norm(values[:, :count], case.affine(), "eval"), whole[:, :count])


def test_inference_uses_running_statistics_where_declared(case):
    norm, values = case.trained(), case.values()
    assert bool(norm.statistics()) == NORMS[case.name].keeps_statistics
    before = norm(values, case.affine(), "eval")
    assert torch.equal(norm(values, case.affine(), "eval"), before)
    for statistic in norm.statistics():
        assert tuple(statistic.shape) == (TRIALS, WIDTH)
        statistic += 1
        after = norm(values, case.affine(), "eval")
        assert not torch.allclose(after, before)
        before = after


def test_inference_is_its_folded_scale_and_shift(case):
    norm, values, affine = case.trained(), case.values(), case.affine()
    folded = norm.folded(affine)
    assert (folded is None) != NORMS[case.name].keeps_statistics
    if folded is not None:
        scale, shift = (part.view(TRIALS, 1, WIDTH, *[1] * (values.ndim - 3)) for part in folded)
        close(norm(values, affine, "eval"), values * scale + shift)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("given", ["one sample", "constant", "zero"])
def test_a_batch_without_spread_stays_finite(case, given, mode):
    batch = 1 if given == "one sample" else BATCH
    values = case.values(batch=batch).detach() * (given == "one sample") + 3.0 * (given == "constant")
    norm, affine = case.made(), case.affine()
    values.requires_grad_()
    out = norm(values, affine, mode)
    gradients = torch.autograd.grad(out.pow(2).sum(), [values, *affine])
    assert out.shape == values.shape
    assert all(bool(part.isfinite().all()) for part in (out, *gradients, *norm.statistics()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_numbers_keep_their_type(case, dtype):
    norm, affine = case.made(dtype=dtype), [part.to(dtype) for part in case.affine()]
    for mode in MODES:
        assert norm(case.values().to(dtype), affine, mode).dtype == dtype
    assert all(value.dtype == dtype for value in (*norm.initial_parameters().values(), *norm.statistics()))


def test_trials_do_not_leak_into_each_other(case):
    """The bits of trials 0 and 2 are the same whatever trial 1 is given, numbers or not."""
    found = []
    for factor in (1.0, 1e3, float("nan")):
        values, affine, norm = case.values().detach(), case.affine(), case.made()
        values[1] *= factor
        values.requires_grad_()
        outs = [norm(values, affine, mode) for mode in MODES]
        gradients = torch.autograd.grad(sum((out * upstream_of(out)).sum() for out in outs), [values, *affine])
        found.append([part[[0, 2]] for part in (*outs, *gradients, *norm.statistics())])
    assert same_bits(found[0], found[1])
    assert same_bits(found[0], found[2])


def test_probing_changes_nothing_and_shows_the_next_step(case):
    norm, values = case.trained(), case.values(8)
    before = [part.clone() for part in (values, *norm.statistics())]
    probes = [norm(values, case.affine(), "probe") for _ in range(2)]
    assert same_bits(before, [values, *norm.statistics()])
    assert torch.equal(*probes)
    assert torch.equal(probes[0], norm(values, case.affine(), "train"))


def test_the_first_trials_are_a_norm_of_their_own_on_the_same_memory(case):
    norm, values, affine = case.trained(), case.values(), case.affine()
    part = norm.first(2)
    for mode in ("probe", "eval"):
        close(part(values[:2], [each[:2] for each in affine], mode), norm(values, affine, mode)[:2])
    assert (part.trials, norm.trials) == (2, TRIALS)
    for ours, whole in zip(part.statistics(), norm.statistics(), strict=True):
        assert ours.data_ptr() == whole.data_ptr()
        assert tuple(ours.shape) == (2, WIDTH)


def test_reset_forgets_the_trials_it_is_told_and_no_others(case):
    norm = case.trained()
    before, fresh = [statistic.clone() for statistic in norm.statistics()], case.made().statistics()
    norm.reset(torch.tensor([False, True, False]))
    for now, old, new in zip(norm.statistics(), before, fresh, strict=True):
        assert torch.equal(now[1], new[1])
        assert torch.equal(now[[0, 2]], old[[0, 2]])
        assert not torch.equal(old[1], new[1])


def test_copies_of_the_trials_pass_as_more_trials(case):
    """As the costly measurements do: in mode "probe", copy after copy."""
    norm, values, affine = case.trained(), case.values(), case.affine()
    wide = copy(norm)
    wide.trials = 2 * TRIALS
    twice = [torch.cat([part, part]) for part in (values, *affine)]
    out = norm(values, affine, "probe")
    close(wide(twice[0], twice[1:], "probe"), torch.cat([out, out]))


def test_it_keeps_no_more_for_the_backward_pass_than_declared(case):
    values, affine, kept = case.values(batch=64), case.affine(), {}

    def noted(tensor: Tensor) -> Tensor:
        if tensor.numel() >= values.numel():
            kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(noted, lambda tensor: tensor):
        out = case.made()(values, affine, "train")
    assert out.requires_grad
    assert len(kept) <= NORMS[case.name].kept_tensors, "the estimate of memory would be too low"


@pytest.mark.trains
@pytest.mark.parametrize("architecture", ["dense", "conv", "recurrent"])
@pytest.mark.parametrize("name", NORMS)
def test_a_net_with_it_trains_is_measured_and_is_drawn(name, architecture):
    arm = ArmConfig(norm=name, architecture=architecture, depth=2, width=4, lr=0.05, group_count=2)
    config = RunConfig(arms=(arm, ArmConfig()), trials=2, steps=2, batch_size=8, probe_size=8, measure_every=1)
    records = list(run(config))
    assert isinstance(records[-1], RunFinished)
    losses = [record.arms[0].curves["train_loss"] for record in records if isinstance(record, StepMeasured)]
    assert len(losses) == 3
    assert all(bool(torch.as_tensor(loss).isfinite().all()) for loss in losses)
    entry, style = NORMS[name], arm_styles(config)[0]
    assert (style.label, style.color, style.dash, style.symbol) == (config.arm_labels[0], entry.color, entry.dash, entry.symbol)
    assert style.as_dict()["stroke"]
    assert style.as_dict()["shape"]

"""What every registered optimizer promises, against the one of `torch.optim` that `REFERENCES` has for each."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, optim

from bnviz.config.models import ArmConfig
from bnviz.nets.parameters import FlatParameters
from bnviz.registry.optimizers import OPTIMIZERS
from bnviz.training.optimizers.base import Optimizer

Settings = dict[str, Any]
TRIALS, STEPS = 3, 7
REFERENCES: dict[str, Callable[[Tensor, Settings], optim.Optimizer]] = {
    "sgd": lambda weights, settings: optim.SGD([weights], **settings),
    "adam": lambda weights, settings: optim.Adam([weights], **settings),
}
every = pytest.mark.parametrize("name", OPTIMIZERS)


def read_by(name: str, **settings: float) -> Settings:
    """Of the settings those that the optimizer reads."""
    return {key: value for key, value in settings.items() if key != "momentum" or OPTIMIZERS[name].momentum}


def parameters() -> FlatParameters:
    stream = torch.Generator().manual_seed(5)
    shapes = {"weight": (TRIALS, 2, 3), "bias": (TRIALS, 3)}
    return FlatParameters([(key, torch.randn(shape, generator=stream, dtype=torch.float64)) for key, shape in shapes.items()])


def gradients(of: FlatParameters) -> Tensor:
    """One a step; a third of them 0, for what divides by them; shape (steps, parameters)."""
    stream = torch.Generator().manual_seed(6)
    drawn = torch.randn(STEPS, len(of.flat), generator=stream, dtype=torch.float64)
    return drawn * (torch.rand(drawn.shape, generator=stream) > 1 / 3)


def built(name: str, of: FlatParameters, **settings: Any) -> Optimizer:
    return OPTIMIZERS[name].load()(ArmConfig(optimizer=name, **settings), of)


def stepped(name: str, steps: int = STEPS, **settings: Any) -> FlatParameters:
    """The parameters after some steps."""
    ours = parameters()
    optimizer = built(name, ours, **settings)
    for gradient in gradients(ours)[:steps]:
        optimizer.apply(optimizer.direction(gradient.clone()))
    return ours


def of_torch(name: str, steps: int, settings: Settings) -> FlatParameters:
    assert name in REFERENCES, f"no reference for {name} in {__name__}"
    theirs = parameters()
    weights = theirs.flat.clone().requires_grad_()
    optimizer = REFERENCES[name](weights, settings)
    for gradient in gradients(theirs)[:steps]:
        weights.grad = gradient.clone()
        optimizer.step()
    theirs.flat.copy_(weights.detach())
    return theirs


def test_no_reference_is_left_of_an_optimizer_that_is_gone():
    assert set(REFERENCES) == set(OPTIMIZERS)


@every
@pytest.mark.parametrize("steps", [1, 2, STEPS])
@pytest.mark.parametrize(
    "settings", [{}, {"momentum": 0.9}, {"weight_decay": 0.05}, {"momentum": 0.5, "weight_decay": 0.05}], ids=str
)
def test_steps_are_those_of_torch(name, settings, steps):
    settings = read_by(name, lr=0.07, **settings)
    torch.testing.assert_close(
        stepped(name, steps, **settings).flat, of_torch(name, steps, settings).flat, rtol=1e-12, atol=1e-13
    )


@every
def test_each_trial_can_have_values_of_its_own(name):
    swept = read_by(name, lr=(0.3, 0.01, 0.1), momentum=(0.0, 0.9, 0.5), weight_decay=(0.1, 0.0, 0.02))
    ours = stepped(name, per_trial=swept)
    for trial in range(TRIALS):
        theirs = of_torch(name, STEPS, {key: values[trial] for key, values in swept.items()})
        for key, view in ours.views.items():
            torch.testing.assert_close(view[trial], theirs.views[key][trial], rtol=1e-12, atol=1e-13)


@every
def test_what_it_does_not_read_changes_nothing(name):
    with_momentum = stepped(name, lr=0.07, momentum=0.9)
    assert torch.equal(with_momentum.flat, stepped(name, lr=0.07).flat) == (not OPTIMIZERS[name].momentum)


@every
def test_reset_forgets_what_was_there_of_the_given_parameters_only(name):
    """Even NaN, as a trial that diverged leaves it: such a parameter stays where it is while its gradient is 0."""
    ours, settings = parameters(), read_by(name, lr=0.07, momentum=0.9)
    lost = ours.spread(torch.tensor([False, True, False]))
    optimizer = built(name, ours, **settings)
    for gradient in gradients(ours)[:3]:
        gradient[lost] = torch.nan
        optimizer.apply(optimizer.direction(gradient))
    optimizer.reset(lost)
    for gradient in gradients(ours)[3:]:
        gradient[lost] = 0
        direction = optimizer.direction(gradient)
        assert bool((direction[lost] == 0).all())
        optimizer.apply(direction)
    whole = stepped(name, **settings)
    assert torch.equal(ours.flat[~lost], whole.flat[~lost])


@every
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_it_holds_no_more_than_the_estimate_of_memory_counts(name, momentum):
    ours, entry = parameters(), OPTIMIZERS[name]
    optimizer = built(name, ours, momentum=momentum)
    optimizer.apply(optimizer.direction(gradients(ours)[0]))
    held = [value for value in vars(optimizer).values() if isinstance(value, Tensor) and value.shape == ours.flat.shape]
    assert len(held) - 1 <= entry.copies + entry.momentum_copies * bool(momentum), "the parameters themselves are no copy"


@every
def test_the_entry_says_what_people_need(name):
    entry = OPTIMIZERS[name]
    assert entry.label
    assert entry.formula
    assert entry.source
    assert entry.sentence.endswith(".")

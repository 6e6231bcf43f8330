"""What every registered activation promises, against a formula in NumPy that `REFERENCES` has for each."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from bnviz.closed_forms.functions import FUNCTIONS, function_of
from bnviz.config.models import ArmConfig
from bnviz.nets import DenseStack
from bnviz.registry.activations import ACTIVATIONS

FLAT = 0.2  # of the steepest slope: a smaller one is that of a flat end
REFERENCES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, z / 100),
    "tanh": lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "gelu": lambda z: z * np.vectorize(lambda each: (1 + math.erf(each / math.sqrt(2))) / 2)(z),
    "linear": lambda z: z,
}
every = pytest.mark.parametrize("name", ACTIVATIONS)
GRID = np.concatenate([-np.geomspace(20, 1e-3, 60), np.geomspace(1e-3, 20, 60)])  # 0, where some have their kink, is left out


def reference(name: str) -> Callable[[np.ndarray], np.ndarray]:
    assert name in REFERENCES, f"no reference for {name} in {__name__}"
    return REFERENCES[name]


def value_and_slope(name: str, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the registered function, in float64; the slope by autograd."""
    given = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    value = ACTIVATIONS[name].load()(given)
    (slope,) = torch.autograd.grad(value.sum(), given)
    return value.detach().numpy(), slope.numpy()


def test_no_reference_is_left_of_an_activation_that_is_gone():
    assert set(REFERENCES) == set(ACTIVATIONS)


@every
def test_values_are_those_of_the_formula(name):
    value, _ = value_and_slope(name, np.append(GRID, 0.0))
    np.testing.assert_allclose(value, reference(name)(np.append(GRID, 0.0)), rtol=1e-12, atol=1e-15)


@every
def test_the_gradient_is_that_of_central_differences(name):
    step = 1e-5
    _, slope = value_and_slope(name, GRID)
    formula = reference(name)
    np.testing.assert_allclose(slope, (formula(GRID + step) - formula(GRID - step)) / (2 * step), rtol=1e-6, atol=1e-9)


@every
def test_it_works_element_by_element_and_leaves_its_input_alone(name):
    function = ACTIVATIONS[name].load()
    given = torch.randn(2, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    before = given.clone()
    got = function(given)
    assert torch.equal(given, before)
    assert (got.shape, got.dtype) == (given.shape, torch.float32)
    one_by_one = torch.stack([function(each) for each in given.flatten()]).view(given.shape)
    torch.testing.assert_close(got, one_by_one)


@every
def test_large_inputs_give_no_nan(name):
    given = torch.tensor([-1e30, -100.0, 0.0, 100.0, 1e30], requires_grad=True)
    value: Tensor = ACTIVATIONS[name].load()(given)
    (slope,) = torch.autograd.grad(value.sum(), given)
    assert bool(value.isfinite().all())
    assert bool(slope.isfinite().all())


@every
def test_outputs_outside_the_linear_range_lie_on_a_flat_end(name):
    """And without a range at most one end is flat."""
    linear_range = ACTIVATIONS[name].linear_range
    value, slope = value_and_slope(name, np.linspace(-50, 50, 4001))
    slope = np.abs(slope)
    if linear_range is None:
        assert max(slope[:500].max(), slope[-500:].max()) > FLAT * slope.max()
        return
    low, high = linear_range
    assert value.min() < low < high < value.max()
    outside = (value < low) | (value > high)
    assert slope[outside].max() < FLAT * slope.max() < slope[~outside].max()


@every
def test_a_unit_dies_just_where_the_entry_says_so(name):
    below, above = np.linspace(-10, -0.01, 500), np.linspace(0.01, 10, 500)
    value, slope = value_and_slope(name, below)
    assert bool((value == 0).all() and (slope == 0).all()) == ACTIVATIONS[name].dies
    if ACTIVATIONS[name].dies:  # else the count of dead units would refuse it
        assert value_and_slope(name, above)[0].min() >= 0


@every
def test_it_has_the_slopes_that_the_entry_says(name):
    declared = ACTIVATIONS[name].slope_below_zero
    slope = value_and_slope(name, GRID)[1]
    is_linear = len(set(slope[GRID < 0])) == 1 and bool((slope[GRID > 0] == 1).all())
    assert (declared is not None) == is_linear
    assert declared is None or declared == slope[0]


@every
def test_the_closed_forms_know_the_same_function_or_say_that_they_know_none(name):
    if name not in FUNCTIONS:
        with pytest.raises(ValueError, match=f"received {name}, allowed, as closed forms know them: relu, "):
            function_of(name)
        return
    value, slope = value_and_slope(name, GRID)
    np.testing.assert_allclose(function_of(name).value(GRID), value, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(function_of(name).slope(GRID), slope, rtol=1e-12, atol=1e-15)


@every
def test_a_stack_uses_it(name):
    net = DenseStack(ArmConfig(activation=name, depth=1, width=4), inputs=3, classes=2, trials=2, seed=0, dtype=torch.float64)
    assert net.activation is ACTIVATIONS[name].load()


@every
def test_the_entry_says_what_people_need(name):
    entry = ACTIVATIONS[name]
    assert entry.label
    assert entry.formula
    assert entry.sentence.endswith(".")

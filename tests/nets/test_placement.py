"""The norm of the inputs, and where gamma, beta and dropout are put."""

import pytest
import torch
from torch import Tensor, nn

from bnviz.config.models import ArmConfig
from bnviz.nets import DenseStack
from bnviz.nets.stack import Activations

TRIALS, BATCH, WIDTH = 2, 9, 5


def close(ours: Tensor, theirs: Tensor, tolerance: float = 1e-12) -> None:
    torch.testing.assert_close(ours.detach(), theirs.detach(), rtol=tolerance, atol=tolerance)


def test_the_norm_of_the_inputs_is_a_batch_norm_of_every_feature():
    arm = ArmConfig(norm="none", norm_on_input=True, depth=2, width=WIDTH)
    net = DenseStack(arm, inputs=3, classes=2, trials=TRIALS, seed=1, dtype=torch.float64)
    bare = DenseStack(
        arm.model_copy(update={"norm_on_input": False}), inputs=3, classes=2, trials=TRIALS, seed=1, dtype=torch.float64
    )
    inputs = torch.randn(TRIALS, BATCH, 3, dtype=torch.float64) * torch.tensor([1e-3, 1.0, 1e3], dtype=torch.float64)
    outputs = net.forward(inputs, "train")
    for trial in range(TRIALS):
        theirs = nn.BatchNorm1d(3).double()
        close(outputs[trial], bare.forward(theirs(inputs[trial]).expand(TRIALS, -1, -1), "eval")[trial], 1e-10)
        assert net.input_norm is not None
        close(net.input_norm.running_var[trial], theirs.running_var)
    before = net.statistics()
    net.forward(inputs, "train")
    assert not torch.equal(net.statistics()[0], before[0])
    net.restore_statistics(before)
    close(net.statistics()[0], before[0])
    assert {"gamma_input", "beta_input"} <= set(net.parameters.views)
    net.reset(torch.ones(TRIALS, dtype=torch.bool))
    assert bool((net.statistics()[0] == 0).all())


def test_gamma_and_beta_start_where_they_are_told():
    net = DenseStack(ArmConfig(norm="batch", gamma_init=0.5, beta_init=-2), inputs=3, classes=2, trials=2, seed=0)
    assert bool((net.parameters.views["gamma3"] == 0.5).all())
    assert bool((net.parameters.views["beta3"] == -2).all())


@pytest.mark.parametrize("placement", ["before_activation", "after_activation"])
@pytest.mark.parametrize("dropout_placement", ["before_norm", "after_norm", "layer_end"])
def test_dropout_stands_where_it_is_told(placement, dropout_placement):
    """With a norm that is replaced by one that notes what it is given and returns ones."""
    arm = ArmConfig(
        norm="batch",
        depth=1,
        width=200,
        activation="linear",
        dropout=0.5,
        dropout_placement=dropout_placement,
        norm_placement=placement,
    )
    net = DenseStack(arm, inputs=3, classes=2, trials=1, seed=0)
    given: list[Tensor] = []

    def ones(values: Tensor, affine: list[Tensor], mode: str) -> Tensor:
        given.append(values.detach())
        return torch.ones_like(values)

    ones.affine = ()  # type: ignore[attr-defined]
    net.norms = [ones]  # type: ignore[list-item]
    out = net.hidden(torch.randn(1, 20, 3), "train")
    dropped_before, dropped_after = float((given[0] == 0).float().mean()), float((out == 0).float().mean())
    expected = (0.5, 0.0) if dropout_placement == "before_norm" else (0.0, 0.5)
    assert (dropped_before, dropped_after) == pytest.approx(expected, abs=0.05)
    assert not bool((net.hidden(torch.randn(1, 20, 3), "probe") == 0).any())


def test_what_a_layer_hands_on_is_the_next_layers_input():
    arm = ArmConfig(norm="batch", norm_placement="after_activation", depth=3, width=WIDTH, residual=True)
    net = DenseStack(arm, inputs=4, classes=2, trials=TRIALS, seed=0, dtype=torch.float64)
    kept = Activations()
    last = net.hidden(torch.randn(TRIALS, BATCH, 4, dtype=torch.float64), "probe", kept)
    for i in (1, 2):
        views = net.parameters.views
        close(kept.pre_norm[i], torch.baddbmm(views[f"bias{i}"], kept.layer_output[i - 1], views[f"weight{i}"]))
    assert torch.equal(kept.layer_output[-1], last)

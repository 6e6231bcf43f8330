"""What batch norm leaves unchanged, exactly: float64 and eps = 0, because eps breaks invariances by about eps/var.

Sources: Ioffe & Szegedy 2015, section 3; van Laarhoven 2017; Arora et al. 2018; Wan et al. 2020.
"""

import pytest
import torch

from bnviz.closed_forms.batch_noise import running_start_error
from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.datasets import load
from bnviz.nets import Activations, DenseStack
from bnviz.nets.norms.batch import BatchNorm
from bnviz.training.loop import ArmState, Trainer

TINY = 1e-11  # float64 rounding (1e-16) through four layers and sums over some hundred terms, relative
BATCH, FEATURES, TRIALS = 16, 10, 3


def _arm(norm="batch", **settings) -> ArmConfig:
    return ArmConfig(norm=norm, norm_eps=0, depth=4, width=20, **settings)


def _config(arm: ArmConfig, steps: int) -> RunConfig:
    data = DatasetConfig(name="gaussian", features=FEATURES, train_size=200, test_size=1)
    return RunConfig(dataset=data, arms=(arm,), trials=TRIALS, batch_size=BATCH, probe_size=2, steps=steps)


def _trained(arm: ArmConfig, steps: int = 10) -> ArmState:
    """The arm in float64 after `steps` updates, with the gradient of the next batch."""
    config = _config(arm, steps)
    trainer = Trainer(config, load(config.dataset, 0), torch.float64)
    return next(trainer.states((steps,))).arms[0]


def _gradient(arm: ArmState, name: str) -> torch.Tensor:
    parameters = arm.net.parameters
    return arm.gradient[parameters.spans[name]].view(parameters.views[name].shape)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_a_bias_before_batch_norm_gets_no_gradient(activation):
    arm = _trained(_arm(activation=activation))
    for i in range(4):
        assert _gradient(arm, f"bias{i}").abs().max() < TINY * _gradient(arm, f"weight{i}").abs().max()
    assert _gradient(arm, "bias4").abs().max() > 1e-3  # the read-out has no norm behind it
    plain = _trained(_arm("none", activation=activation))
    assert all(_gradient(plain, f"bias{i}").abs().max() > 1e-5 for i in range(4))


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_gradient_is_orthogonal_to_the_weights_of_every_unit(activation):
    arm, plain = _trained(_arm(activation=activation)), _trained(_arm("none", activation=activation))
    for i in range(4):
        weights, gradient = arm.net.linear_weights[i].detach(), _gradient(arm, f"weight{i}")
        product = (weights * gradient).sum(1).abs()
        assert (product <= TINY * weights.norm(dim=1) * gradient.norm(dim=1).clamp(min=1e-6)).all()
        other = (plain.net.linear_weights[i].detach() * _gradient(plain, f"weight{i}")).sum(1).abs()
        assert other.max() > 1e-5
    head = (arm.net.linear_weights[4].detach() * _gradient(arm, "weight4")).sum(1).abs()
    assert head.max() > 1e-4  # the read-out is not scale-invariant


def test_the_gradient_of_the_pre_norm_sums_to_zero():
    """sum dL/dy = 0 and sum y dL/dy = 0 over the batch, for each unit: neither a shift nor a factor matters."""
    gamma, beta = _affine()
    values = _values(BATCH).requires_grad_()
    out = _norm_layer(0)(values, [gamma, beta], "train")
    (gradient,) = torch.autograd.grad((out * torch.sin(out)).sum(), values)
    assert gradient.abs().max() > 0.1
    assert gradient.sum(1).abs().max() < TINY
    assert (values * gradient).sum(1).abs().max() < TINY
    for gradient in _trained(_arm()).pre_norm_gradients:
        assert gradient.sum(1).abs().max() < TINY * gradient.abs().max() * BATCH


def _forward(arm: ArmConfig, scale: float) -> tuple[Activations, torch.Tensor, list[torch.Tensor]]:
    """Hidden tensors, logits and the gradients of the hidden weights, these being `scale` times as large."""
    net, kept = DenseStack(arm, inputs=FEATURES, classes=5, trials=2, seed=0, dtype=torch.float64), Activations()
    with torch.no_grad():
        for weight in net.linear_weights[:-1]:
            weight.mul_(scale)
    inputs = torch.randn(2, BATCH, FEATURES, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    logits = net.forward(inputs, "train", kept)
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.arange(2 * BATCH) % 5)
    return kept, logits.detach(), list(torch.autograd.grad(loss, net.linear_weights[:-1]))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("scale", [1e-3, 7.0, 1e3])
def test_scaling_the_weights_changes_no_output_and_divides_the_gradient(scale, activation):
    kept, logits, gradients = _forward(_arm(activation=activation), 1.0)
    kept_scaled, logits_scaled, gradients_scaled = _forward(_arm(activation=activation), scale)
    torch.testing.assert_close(logits_scaled, logits, rtol=TINY, atol=TINY)
    for a, b in zip(kept.pre_activation, kept_scaled.pre_activation, strict=True):
        torch.testing.assert_close(b, a, rtol=TINY, atol=TINY)
    for a, b in zip(gradients, gradients_scaled, strict=True):
        torch.testing.assert_close(b * scale, a, rtol=1e-9, atol=TINY)
    _, plain, _ = _forward(_arm("none", activation=activation), 1.0)
    _, plain_scaled, _ = _forward(_arm("none", activation=activation), scale)
    assert (plain_scaled - plain).abs().max() > 0.01


def test_the_initial_gain_does_not_reach_the_hidden_layers():
    stacks = []
    for gain in (1e-3, 1.0, 1e3):
        net = DenseStack(_arm(init_gain=gain), inputs=FEATURES, classes=5, trials=2, seed=0, dtype=torch.float64)
        inputs = torch.randn(2, BATCH, FEATURES, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        net.forward(inputs, "train", kept := Activations())
        stacks.append(torch.stack(kept.post_activation))
    torch.testing.assert_close(stacks[0], stacks[1], rtol=1e-9, atol=TINY)
    torch.testing.assert_close(stacks[2], stacks[1], rtol=1e-9, atol=TINY)


def test_an_sgd_step_lengthens_the_weights_as_pythagoras_says():
    """|w|^2 grows by lr^2 |g|^2 a step, for each unit: the step is at a right angle to the weights."""
    config = _config(_arm(lr=0.5), 4)
    states = Trainer(config, load(config.dataset, 0), torch.float64).states((3, 4))
    arm = next(states).arms[0]
    before = [(arm.net.linear_weights[i].detach().clone(), _gradient(arm, f"weight{i}").clone()) for i in range(4)]
    next(states)
    for i, (weights, gradient) in enumerate(before):
        after = arm.net.linear_weights[i].detach()
        expected = (weights**2).sum(1) + 0.5**2 * (gradient**2).sum(1)
        torch.testing.assert_close((after**2).sum(1), expected, rtol=TINY, atol=0)
        assert (expected / (weights**2).sum(1)).max() > 1 + 1e-6


def _norm_layer(eps: float, momentum: float = 0.1) -> BatchNorm:
    return BatchNorm(ArmConfig(norm="batch", norm_eps=eps, norm_momentum=momentum), 2, 5, torch.float64)


def _values(batch: int, seed: int = 0) -> torch.Tensor:
    return 3 + 2 * torch.randn(2, batch, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def _affine() -> list[torch.Tensor]:
    stream = torch.Generator().manual_seed(9)
    return [torch.randn(2, 1, 5, dtype=torch.float64, generator=stream) for _ in range(2)]


@pytest.mark.parametrize("mode", ["train", "probe"])
def test_one_sample_gives_beta(mode):
    gamma, beta = _affine()
    out = _norm_layer(1e-5)(_values(1), [gamma, beta], mode)
    torch.testing.assert_close(out, beta, rtol=0, atol=1e-12)


def test_two_samples_give_plus_and_minus_gamma_around_beta():
    gamma, beta = _affine()
    normed = (_norm_layer(0)(_values(2), [gamma, beta], "train") - beta) / gamma
    torch.testing.assert_close(normed.abs(), torch.ones_like(normed), rtol=1e-10, atol=0)
    torch.testing.assert_close(normed.sum(1), torch.zeros(2, 5, dtype=torch.float64), rtol=0, atol=1e-10)


def test_gamma_std_and_beta_mean_give_the_input_back():
    values = _values(BATCH)
    affine = [values.std(1, keepdim=True, correction=0), values.mean(1, keepdim=True)]
    torch.testing.assert_close(_norm_layer(0)(values, affine, "train"), values, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("momentum", [0.0, 0.1, 1.0])
def test_running_statistics_forget_their_start_as_foretold(momentum):
    norm, values, affine = _norm_layer(0, momentum), _values(BATCH), _affine()
    for _ in range(7):
        norm(values, affine, "train")
    left = running_start_error(momentum, 7)
    torch.testing.assert_close(norm.running_mean, (1 - left) * values.mean(1), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(norm.running_var, left + (1 - left) * values.var(1), rtol=1e-12, atol=1e-12)


def test_at_inference_batch_norm_is_one_affine_map():
    norm, affine = _norm_layer(1e-5), _affine()
    norm(_values(BATCH), affine, "train")
    x, y = _values(4, 1), _values(4, 2)
    out_x, out_y, out_mid = (norm(values, affine, "eval") for values in (x, y, (x + y) / 2))
    torch.testing.assert_close(out_mid, (out_x + out_y) / 2, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(norm(x[:, :1], affine, "eval"), out_x[:, :1], rtol=0, atol=0)  # whoever else is in the batch

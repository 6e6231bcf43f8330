"""The recurrent stack against `torch.nn` modules in float64, and its running statistics."""

import pytest
import torch
from torch import Tensor, nn

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.nets import RecurrentStack, build
from bnviz.nets.stack import Activations
from bnviz.records.records import StepMeasured
from bnviz.training.run import run
from tests.nets.parity import Placed, check_one_step, check_trajectory, close, shaken, with_parameters_of

TRIALS, BATCH, SIDE, CLASSES, WIDTH = 3, 7, 5, 4, 6
SHARED = {"architecture": "recurrent", "activation": "tanh", "width": WIDTH, "init": "xavier"}
ARMS = [
    ArmConfig(norm="none", **SHARED),
    *(ArmConfig(norm="batch", recurrent_norm=which, **SHARED) for which in ("hidden_shared", "hidden_per_step", "input_only")),
    ArmConfig(norm="batch", recurrent_norm="hidden_per_step", gamma_init=0.1, norm_eps=0.1, norm_momentum=0.3, **SHARED),
    ArmConfig(norm="layer", **SHARED),
    ArmConfig(norm="layer", recurrent_norm="input_only", **SHARED),
]


class Network(nn.Module):
    """An `nn.RNNCell` in a loop, with a norm module for each of its two terms."""

    def __init__(self, arm: ArmConfig, classes: int, side: int = 8) -> None:
        super().__init__()
        self.arm, self.side = arm, side
        self.input_map = nn.Linear(side, arm.width, bias=False)
        self.hidden_map = nn.Linear(arm.width, arm.width, bias=False)
        self.bias = nn.Parameter(torch.zeros(arm.width))
        self.head = nn.Linear(arm.width, classes)
        self.input_norm = self._norm()
        per_step = arm.recurrent_norm == "hidden_per_step"
        self.hidden_norms = nn.ModuleList(self._norm() for _ in range(side - 1 if per_step else 1))
        for norm in self.hidden_norms[1:]:
            norm.weight = self.hidden_norms[0].weight
        self.double()

    def _norm(self) -> nn.Module:
        if self.arm.norm == "none":
            return nn.Identity()
        if self.arm.norm == "layer":
            norm = nn.LayerNorm(self.arm.width, eps=self.arm.norm_eps)
        else:
            norm = nn.BatchNorm1d(self.arm.width, eps=self.arm.norm_eps, momentum=self.arm.norm_momentum)
        norm.bias.requires_grad_(False)
        return norm

    def forward(self, values: Tensor) -> Tensor:
        rows = values.view(-1, self.side, self.side)
        driven = self.input_norm(self.input_map(rows).flatten(0, 1)).view(len(rows), self.side, -1)
        state = torch.tanh(driven[:, 0] + self.bias)
        for t in range(1, self.side):
            recalled = self.hidden_map(state)
            if self.arm.recurrent_norm != "input_only":
                recalled = self.hidden_norms[(t - 1) % len(self.hidden_norms)](recalled)
            state = torch.tanh(recalled + driven[:, t] + self.bias)
        return self.head(state)

    def named(self) -> Placed:
        placed: Placed = {
            "weight0": (self.input_map.weight, lambda ours: ours.T),
            "bias0": (self.bias, torch.flatten),
            "weight1": (self.hidden_map.weight, lambda ours: ours.T),
            "weight2": (self.head.weight, lambda ours: ours.T),
            "bias2": (self.head.bias, torch.flatten),
        }
        if self.arm.norm != "none":
            placed["gamma0"] = (self.input_norm.weight, torch.flatten)
        if self.arm.norm != "none" and self.arm.recurrent_norm != "input_only":
            placed["gamma1"] = (self.hidden_norms[0].weight, torch.flatten)
        return placed

    def batch_norms(self) -> list:
        if self.arm.norm != "batch":
            return []
        return [self.input_norm] if self.arm.recurrent_norm == "input_only" else [self.input_norm, *self.hidden_norms]


def label(arm: ArmConfig) -> str:
    return "-".join(str(value) for name, value in arm.model_dump(exclude_defaults=True).items() if name not in SHARED) or "none"


def stack(arm: ArmConfig) -> RecurrentStack:
    net = build(arm, inputs=SIDE * SIDE, classes=CLASSES, trials=TRIALS, seed=3, dtype=torch.float64)
    assert isinstance(net, RecurrentStack)
    return net


@pytest.fixture(scope="module")
def batch() -> tuple[Tensor, Tensor]:
    stream = torch.Generator().manual_seed(7)
    inputs = torch.randn(TRIALS, BATCH, SIDE * SIDE, generator=stream, dtype=torch.float64)
    return inputs, torch.randint(CLASSES, (TRIALS, BATCH), generator=stream)


@pytest.mark.parametrize("arm", ARMS, ids=label)
def test_outputs_gradients_and_statistics_equal_those_of_modules(arm, batch):
    net = shaken(stack(arm))
    check_one_step(net, with_parameters_of(net, [Network(arm, CLASSES, SIDE) for _ in range(TRIALS)]), *batch)


@pytest.mark.parametrize("steps", [1, 2, 100])
@pytest.mark.parametrize(
    "arm", [*ARMS[:3], ARMS[5].model_copy(update={"lr": 0.02})], ids=label
)  # at 0.1 rounding grows by e^0.2 a step
def test_trajectories_equal_those_of_modules(arm, steps):
    check_trajectory(arm, steps, Network)


def test_without_a_norm_it_is_pytorchs_rnn(batch):
    net = shaken(stack(ARMS[0]))
    views = net.parameters.views
    for trial in range(TRIALS):
        theirs = nn.RNN(SIDE, WIDTH, batch_first=True).double()
        with torch.no_grad():
            theirs.weight_ih_l0.copy_(views["weight0"][trial].T)
            theirs.weight_hh_l0.copy_(views["weight1"][trial].T)
            theirs.bias_ih_l0.copy_(views["bias0"][trial, 0])
            theirs.bias_hh_l0.zero_()
        last = theirs(batch[0][trial].view(BATCH, SIDE, SIDE))[1][0]
        close(net.hidden(batch[0], "eval")[trial], last)


def test_shared_and_per_step_statistics_differ_in_eval_only():
    """The same training; in the end statistics of one's own for each step give back what the batch's give."""
    inputs = torch.randn(TRIALS, 60, SIDE * SIDE, dtype=torch.float64)
    shared, per_step = stack(ARMS[1]), stack(ARMS[2])
    for _ in range(100):
        assert torch.equal(shared.forward(inputs, "train"), per_step.forward(inputs, "train"))
    exact = per_step.forward(inputs, "probe")
    apart = [float((net.forward(inputs, "eval") - exact).abs().mean().detach()) for net in (shared, per_step)]
    assert apart[1] < 0.02
    assert apart[0] > 5 * apart[1]


def test_gammas_start_where_they_are_told():
    views = stack(ARMS[4]).parameters.views
    assert bool((views["gamma0"] == 0.1).all())
    assert bool((views["gamma1"] == 0.1).all())


def test_a_batch_of_one_and_a_constant_input_stay_finite():
    for arm in ARMS:
        net = stack(arm)
        for inputs in (torch.randn(TRIALS, 1, SIDE * SIDE), torch.ones(TRIALS, BATCH, SIDE * SIDE)):
            logits = net.forward(inputs.double(), "train")
            gradients = torch.autograd.grad(logits.pow(2).sum(), list(net.parameters.views.values()))
            assert all(bool(value.isfinite().all()) for value in (logits, *gradients))


def test_the_layers_are_the_time_steps(batch):
    kept = Activations()
    stack(ARMS[1]).forward(batch[0], "probe", kept)
    assert len(kept.pre_norm) == len(kept.post_activation) == SIDE
    config = RunConfig(arms=(ARMS[1],), trials=2, steps=2, batch_size=8, probe_size=8, measure_every=2)
    measured = [record for record in run(config) if isinstance(record, StepMeasured)]
    assert measured[-1].arms[0].layers["pre_norm_grad_norm"].shape == (2, 8)
    assert measured[-1].arms[0].layers["weight_grad_norm"].shape == (2, 8)

"""Every measurement of a step against networks written out one trial, one layer at a time in float64."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from bnviz.config.models import ArmConfig, DatasetConfig, PerTrial, RunConfig
from bnviz.datasets import load
from bnviz.measure import Measurer
from bnviz.records.records import LAYER_MEASURES, PERCENTILES, TENSORS, ArmMeasured, StepMeasured
from bnviz.training.batches import Batches
from bnviz.training.loop import Trainer
from bnviz.training.run import run

ARMS = {
    "plain": ArmConfig(norm="none"),
    "batch": ArmConfig(norm="batch"),
    "batch after": ArmConfig(norm="batch", norm_placement="after_activation", activation="tanh"),
    "layer": ArmConfig(norm="layer", activation="sigmoid"),
    "group after": ArmConfig(norm="group", norm_placement="after_activation", activation="leaky_relu"),
    "instance": ArmConfig(norm="instance", activation="gelu"),
    "rms residual": ArmConfig(norm="rms", residual=True, optimizer="adam", lr=0.01),
    "batch residual": ArmConfig(norm="batch", residual=True, momentum=0.9, lr=0.02, weight_decay=0.01),
}
STEP = 3


def _config(arm: ArmConfig, **settings) -> RunConfig:
    small = arm.model_copy(update={"depth": 3, "width": 12})
    options = {"trials": 2, "batch_size": 16, "probe_size": 24, "steps": STEP + 1, "measure_every": 1, "seed": 5} | settings
    return RunConfig(dataset=DatasetConfig(train_size=200, test_size=50), arms=(small,), **options)


@dataclass
class Naive:
    """One network of one trial, from copies of the core's parameters, in float64."""

    arm: ArmConfig
    parameters: dict[str, torch.Tensor]

    def normalize(self, i: int, x: torch.Tensor) -> torch.Tensor:
        if self.arm.norm == "none":
            return x
        if self.arm.norm == "batch":
            out = (x - x.mean(0)) / torch.sqrt(((x - x.mean(0)) ** 2).mean(0) + self.arm.norm_eps)
        elif self.arm.norm == "rms":
            out = x / torch.sqrt((x**2).mean(1, keepdim=True) + self.arm.norm_eps)
        else:
            parts = x.chunk(self.arm.group_count if self.arm.norm == "group" else 1, dim=1)
            centred = [part - part.mean(1, keepdim=True) for part in parts]
            out = torch.cat([part / torch.sqrt((part**2).mean(1, keepdim=True) + self.arm.norm_eps) for part in centred], dim=1)
        return out * self.parameters[f"gamma{i}"] + self.parameters.get(f"beta{i}", 0.0)

    def activate(self, x: torch.Tensor) -> torch.Tensor:
        return {
            "relu": lambda: x * (x > 0),
            "leaky_relu": lambda: torch.where(x > 0, x, 0.01 * x),
            "tanh": lambda: 2 / (1 + torch.exp(-2 * x)) - 1,
            "sigmoid": lambda: 1 / (1 + torch.exp(-x)),
            "gelu": lambda: x * (1 + torch.erf(x / 2**0.5)) / 2,
        }[self.arm.activation]()

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, dict[str, list[torch.Tensor]]]:
        kept: dict[str, list[torch.Tensor]] = {name: [] for name in TENSORS}
        for i in range(self.arm.depth):
            y = x @ self.parameters[f"weight{i}"] + self.parameters[f"bias{i}"]
            y.requires_grad_() if not y.requires_grad else y.retain_grad()
            if self.arm.norm_placement == "before_activation":
                z = self.normalize(i, y)
                a = out = self.activate(z)
            else:
                z = y
                a = self.activate(z)
                out = self.normalize(i, a)
            for name, tensor in zip(TENSORS, (y, z, a), strict=True):
                kept[name].append(tensor)
            x = x + out if self.arm.residual and i > 0 else out
        return x @ self.parameters[f"weight{self.arm.depth}"] + self.parameters[f"bias{self.arm.depth}"], kept


@dataclass
class Seen:
    """What the core measured at STEP, and what a naive reference needs to measure it again."""

    arm: ArmConfig
    measured: ArmMeasured
    networks: list[Naive]
    next_weights: list[list[torch.Tensor]]  # [trial][layer], after the step
    batches: list[tuple[torch.Tensor, torch.Tensor]]  # [trial]: inputs, labels of the step
    probe: torch.Tensor


def _copies(trainer: Trainer, trial: int) -> dict[str, torch.Tensor]:
    views = trainer.arms[0].net.parameters.views
    return {name: view.detach()[trial].clone().double().requires_grad_() for name, view in views.items()}


def _see(arm: ArmConfig) -> Seen:
    config = _config(arm, extras=("all_trial_distributions",))
    dataset = load(config.dataset, config.seed)
    trainer, measurer = Trainer(config, dataset), Measurer(config, dataset)
    states = trainer.states((STEP, STEP + 1))
    measured = measurer.measure(next(states))[0]
    networks = [Naive(config.arms[0], _copies(trainer, trial)) for trial in range(config.trials)]
    next(states)
    depth = config.arms[0].depth
    after = [[_copies(trainer, trial)[f"weight{i}"].detach() for i in range(depth)] for trial in range(config.trials)]
    chosen = [rows for rows, _ in zip(Batches(config), range(STEP + 1), strict=False)][STEP]
    inputs, labels = torch.from_numpy(dataset.train_inputs).double(), torch.from_numpy(dataset.train_labels)
    batches = [(inputs[chosen[trial]], labels[chosen[trial]]) for trial in range(config.trials)]
    return Seen(config.arms[0], measured, networks, after, batches, inputs[: config.probe_size])


@pytest.fixture(scope="module", params=ARMS)
def seen(request) -> Seen:
    return _see(ARMS[request.param])


def _norm(tensor: torch.Tensor) -> float:
    return sum(float(value) ** 2 for value in tensor.detach().flatten()) ** 0.5


def _close(got: np.ndarray, expected: list, rtol: float = 2e-4) -> None:
    """The core computes in float32 (6e-8 a rounding, some thousand of them through three layers), the reference in float64."""
    expected_array = np.array(expected)
    np.testing.assert_allclose(got, expected_array, rtol=rtol, atol=rtol * np.abs(expected_array).max())


def test_gradients_weights_and_updates(seen):
    for trial, (network, (inputs, labels)) in enumerate(zip(seen.networks, seen.batches, strict=True)):
        logits, kept = network.forward(inputs)
        loss = -torch.log_softmax(logits, 1)[range(len(labels)), labels].mean()
        loss.backward()
        layers, depth = seen.measured.layers, range(seen.arm.depth)
        weights = [network.parameters[f"weight{i}"] for i in depth]
        moves = [after - before.detach() for after, before in zip(seen.next_weights[trial], weights, strict=True)]
        _close(layers["weight_grad_norm"][trial], [_norm(weight.grad) for weight in weights])
        _close(layers["pre_norm_grad_norm"][trial], [_norm(y.grad) for y in kept["pre_norm"]])
        _close(layers["weight_norm"][trial], [_norm(weight) for weight in weights])
        # the weights that the difference is taken of are rounded to float32: 6e-8 against updates of 1e-3 and more
        _close(layers["update_ratio"][trial], [_norm(move) / _norm(w) for move, w in zip(moves, weights, strict=True)], rtol=1e-3)
        assert seen.measured.curves["train_loss"][trial] == pytest.approx(loss.item(), rel=2e-4)
        right = sum(int(row.argmax()) == int(label) for row, label in zip(logits, labels, strict=True))
        assert seen.measured.curves["train_accuracy"][trial] == pytest.approx(right / len(labels), abs=1e-6)


@pytest.mark.parametrize("tensor", TENSORS)
def test_moments_and_percentiles_on_the_probe(seen, tensor):
    for trial, network in enumerate(seen.networks):
        values = [layer.detach().numpy().ravel() for layer in network.forward(seen.probe)[1][tensor]]
        _close(seen.measured.layers[f"{tensor}_mean"][trial], [layer.mean() for layer in values], rtol=5e-4)
        _close(seen.measured.layers[f"{tensor}_std"][trial], [layer.std() for layer in values])
        _close(seen.measured.percentiles[tensor][trial], [np.percentile(layer, PERCENTILES) for layer in values], rtol=5e-4)


def test_units_on_the_probe(seen):
    for trial, network in enumerate(seen.networks):
        posts = [layer.detach().numpy() for layer in network.forward(seen.probe)[1]["post_activation"]]
        layers = seen.measured.layers
        dead = [sum(all(row[unit] == 0 for row in post) for unit in range(post.shape[1])) for post in posts]
        zeros = [sum(value == 0 for value in post.ravel()) / post.size for post in posts]
        np.testing.assert_allclose(layers["zero_fraction"][trial], zeros, atol=1e-6)
        if seen.arm.activation == "relu":
            np.testing.assert_array_equal(layers["dead_relu_count"][trial], dead)
        else:
            assert np.isnan(layers["dead_relu_count"][trial]).all()
        bounds = {"sigmoid": (0.05, 0.95), "tanh": (-0.95, 0.95)}.get(seen.arm.activation)
        if bounds is None:
            assert np.isnan(layers["saturated_fraction"][trial]).all()
        else:
            low, high = bounds
            outside = [sum(not low <= value <= high for value in post.ravel()) / post.size for post in posts]
            np.testing.assert_allclose(layers["saturated_fraction"][trial], outside, atol=1e-6)


@pytest.mark.parametrize("tensor", TENSORS)
def test_histograms_on_the_probe(seen, tensor):
    for trial, network in enumerate(seen.networks):
        for i, layer in enumerate(network.forward(seen.probe)[1][tensor]):
            values = layer.detach().numpy().ravel()
            edges = np.concatenate([[-np.inf], np.linspace(-5, 5, 81), [np.inf]])
            counts = seen.measured.histograms[tensor][trial, i].astype(int)
            assert counts.sum() == values.size
            # counts below each edge; a value within rounding of an edge may be on either side of it
            for edge, below in zip(edges[1:-1], counts.cumsum()[:-1], strict=True):
                assert (values < edge - 1e-4).sum() <= below <= (values < edge + 1e-4).sum()


def test_every_measure_is_there_with_its_shape(seen):
    assert set(seen.measured.layers) == set(LAYER_MEASURES)
    assert all(value.shape == (2, 3) and value.dtype == np.float32 for value in seen.measured.layers.values())
    assert all(value.shape == (2, 3, len(PERCENTILES)) for value in seen.measured.percentiles.values())


@pytest.mark.parametrize("name", ["plain", "batch", "batch after", "layer"])
def test_the_order_of_the_probe_batch_changes_nothing(name):
    config = _config(ARMS[name])
    dataset = load(config.dataset, config.seed)
    shuffled = dataset.train_inputs.copy()
    shuffled[: config.probe_size] = shuffled[np.random.default_rng(0).permutation(config.probe_size)]
    trainer = Trainer(config, dataset)
    state = next(trainer.states((STEP,)))
    first, second = (
        Measurer(config, replace(dataset, train_inputs=rows)).measure(state)[0] for rows in (dataset.train_inputs, shuffled)
    )
    for measure, values in first.layers.items():
        np.testing.assert_allclose(second.layers[measure], values, rtol=1e-5, atol=1e-6, err_msg=measure)
    for tensor in TENSORS:
        np.testing.assert_allclose(second.percentiles[tensor], first.percentiles[tensor], rtol=1e-5, atol=2e-6)
        moved = np.abs(second.histograms[tensor].astype(int) - first.histograms[tensor].astype(int)).sum()
        assert moved <= 2  # one entry, rounded to the other side of an edge by another order of summation


def _steps(config: RunConfig) -> list[StepMeasured]:
    return [record for record in run(config) if isinstance(record, StepMeasured)]


def test_test_curves_are_those_of_the_running_statistics():
    """Against a loop over the batches that were seen; momentum 1 keeps the statistics of the last one only."""
    config = _config(ARMS["batch"].model_copy(update={"norm_momentum": 1.0}), trials=1)
    dataset = load(config.dataset, config.seed)
    trainer = Trainer(config, dataset)
    states = trainer.states((STEP - 1, STEP))
    next(states)
    before = Naive(config.arms[0], _copies(trainer, 0))
    measured = Measurer(config, dataset).measure(next(states))[0]
    now = Naive(config.arms[0], _copies(trainer, 0))
    chosen = [rows for rows, _ in zip(Batches(config), range(STEP), strict=False)][STEP - 1][0]
    seen_batch = before.forward(torch.from_numpy(dataset.train_inputs).double()[chosen])[1]["pre_norm"]
    x = torch.from_numpy(dataset.test_inputs).double()
    for i, y in enumerate(seen_batch):
        p = now.parameters
        pre_norm = x @ p[f"weight{i}"] + p[f"bias{i}"]
        normed = (pre_norm - y.mean(0)) / torch.sqrt(y.var(0, unbiased=True) + config.arms[0].norm_eps)
        x = torch.relu(normed * p[f"gamma{i}"] + p[f"beta{i}"])
    logits = x @ now.parameters["weight3"] + now.parameters["bias3"]
    labels = torch.from_numpy(dataset.test_labels)
    expected = -torch.log_softmax(logits, 1)[range(len(labels)), labels].mean().item()
    assert measured.curves["test_loss"][0] == pytest.approx(expected, rel=5e-4)
    accuracy = float((logits.argmax(1) == labels).double().mean())
    assert measured.curves["test_accuracy"][0] == pytest.approx(accuracy, abs=1 / len(labels) + 1e-6)


@pytest.mark.parametrize("lost", [0, 1])
def test_a_diverged_trial_is_nan_from_then_on_and_the_other_is_not(lost):
    rates = (100.0, 1e-3) if lost == 0 else (1e-3, 100.0)
    arm = ArmConfig(norm="none", per_trial=PerTrial(lr=rates))
    records = _steps(_config(arm, steps=20, extras=("all_trial_distributions",)))
    at = int(records[-1].arms[0].diverged_at[lost])
    assert 0 < at <= 20
    for record in records:
        measured, kept = record.arms[0], 1 - lost
        assert measured.diverged_at.tolist()[kept] == -1
        assert measured.diverged_at[lost] == (at if record.step >= at else -1)
        gone = record.step >= at
        for values in (*measured.curves.values(), measured.layers["weight_norm"], measured.layers["dead_relu_count"]):
            assert np.isnan(values[lost]).all() == gone
            assert np.isfinite(values[kept]).all()
        for tensor in TENSORS:
            assert np.isnan(measured.percentiles[tensor][lost]).all() == gone
            assert (measured.histograms[tensor][lost].sum() == 0) == gone
            assert np.isfinite(measured.percentiles[tensor][kept]).all()
            assert (measured.histograms[tensor][kept].sum(axis=-1) == 24 * 12).all()


def test_a_run_ends_when_every_trial_has_diverged():
    records = list(run(_config(ArmConfig(norm="none", lr=100), steps=200)))
    assert records[-1].step < 200
    last = records[-2]
    assert isinstance(last, StepMeasured)
    assert (last.arms[0].diverged_at > 0).all()


def test_a_batch_of_one_and_a_net_of_one_unit():
    arm = ArmConfig(norm="batch", depth=2, width=1)
    config = RunConfig(
        dataset=DatasetConfig(train_size=20, test_size=5), arms=(arm,), trials=1, batch_size=1, probe_size=2, steps=3
    )
    for record in _steps(config):
        measured = record.arms[0]
        names = [name for name in LAYER_MEASURES if name != "saturated_fraction" and not name.endswith("_drift")]
        assert all(np.isfinite(measured.layers[name]).all() for name in names)
        assert (measured.layers["pre_norm_grad_norm"] == 0).all()  # one sample: the output is beta whatever comes in

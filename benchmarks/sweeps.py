"""A sweep as one stack against the loop over single networks that a PyTorch user writes.

    python benchmarks/sweeps.py [--rounds 5]

2 arms x 16 learning rates x 3 seeds: 96 networks of depth 6 and width 32 at batch 64, on one thread, in turn. Plain:
one network after another, `nn.Sequential`, `torch.optim.SGD(foreach=True)`, nothing measured. Ours: the learning rates
and seeds on the trial axis, measured as the learning-rate experiment does (train loss on its schedule). Data loading
and the building of the networks count on neither side. A ratio is plain seconds over ours for the same networks and
steps; the median of the rounds counts. Exits with 1 when the budget is missed.
"""

import argparse
import statistics
import sys
import time

import torch
from torch import nn

from bnviz.config.models import ArmConfig, PerTrial, RunConfig
from bnviz.datasets import Dataset, load
from bnviz.experiments.kit.trials import decades
from bnviz.training.loop import Trainer

RATES, SEEDS, DEPTH, WIDTH, BATCH = decades(1e-5, 1e-2, 16), 3, 6, 32, 64  # rates too small to diverge, on any processor
LEAST, AIM = 3.0, 5.0
OUR_STEPS, PLAIN_STEPS, MEASURE_EVERY = 120, 30, 10


def sweep(steps: int) -> RunConfig:
    rates = tuple(rate for rate in RATES for _ in range(SEEDS))
    arms = tuple(ArmConfig(norm=norm, depth=DEPTH, width=WIDTH, per_trial=PerTrial(lr=rates)) for norm in ("none", "batch"))
    return RunConfig(arms=arms, trials=len(rates), trial_seeds=tuple(range(SEEDS)) * len(RATES), batch_size=BATCH, steps=steps)


def network(arm: ArmConfig, inputs: int, classes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i in range(arm.depth):
        layers.append(nn.Linear(inputs if i == 0 else arm.width, arm.width))
        if arm.norm == "batch":
            layers.append(nn.BatchNorm1d(arm.width))
        layers.append(nn.ReLU())
    return nn.Sequential(*layers, nn.Linear(arm.width, classes))


def train_plainly(net: nn.Module, lr: float, inputs: torch.Tensor, labels: torch.Tensor, steps: int) -> None:
    optimizer = torch.optim.SGD(net.parameters(), lr=lr, foreach=True)
    order = torch.randperm(len(inputs))
    for step in range(steps):
        start = step * BATCH % (len(inputs) - BATCH)
        chosen = order[start : start + BATCH]
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(inputs[chosen]), labels[chosen]).backward()
        optimizer.step()


def plain_step_seconds(dataset: Dataset) -> float:
    """Seconds of one step of all 96 networks, one after the other."""
    inputs, labels = torch.from_numpy(dataset.train_inputs), torch.from_numpy(dataset.train_labels)
    config = sweep(PLAIN_STEPS)
    networks = [
        (network(arm, inputs.shape[1], dataset.class_count), lr) for arm in config.arms for lr in RATES for _ in range(SEEDS)
    ]
    begun = time.perf_counter()
    for net, lr in networks:
        train_plainly(net, lr, inputs, labels, PLAIN_STEPS)
    return (time.perf_counter() - begun) / PLAIN_STEPS


def our_step_seconds(dataset: Dataset) -> float:
    """Seconds of one step of the stacks, the train loss of all networks read every `MEASURE_EVERY` steps."""
    trainer = Trainer(sweep(OUR_STEPS), dataset)
    begun = time.perf_counter()
    for state in trainer.states(range(0, OUR_STEPS + 1, MEASURE_EVERY)):
        for arm in state.arms:
            arm.loss.detach().numpy().copy()
    seconds = time.perf_counter() - begun
    if any(bool(arm.diverged.any()) for arm in trainer.arms):
        raise RuntimeError("a network diverged: the two sides did not do the same work")
    return seconds / OUR_STEPS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    config = sweep(OUR_STEPS)
    dataset = load(config.dataset, config.seed)
    pairs = [(our_step_seconds(dataset), plain_step_seconds(dataset)) for _ in range(rounds + 1)][1:]  # the first warms up
    ours, plain = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratios = sorted(b / a for a, b in pairs)
    ratio = statistics.median(ratios)
    name = f"2 arms x {len(RATES)} rates x {SEEDS} seeds, {DEPTH} x {WIDTH}, batch {BATCH}: plain / one stack"
    verdict = "ok" if ratio >= LEAST else "MISSED"
    print(f"{name}  >= {LEAST:g} (aim {AIM:g})  {ratio:.2f}  ({ratios[0]:.2f} to {ratios[-1]:.2f} in {rounds} rounds)  {verdict}")
    print(f"a step of all 96 networks: one stack {1000 * ours:.1f} ms, plain {1000 * plain:.1f} ms")
    return 0 if ratio >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())

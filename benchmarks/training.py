"""Training with every default measurement on, against the plain loop that a PyTorch user writes.

    python benchmarks/training.py [--rounds 5]

Both sides run in turn on one thread, on the same data. Plain: one network after another, `nn.Sequential`,
`torch.optim.SGD(foreach=True)`, nothing measured. Ours: `bnviz.run(config)`, data loading not counted on
either side. A ratio is plain seconds over ours for the same number of networks and steps; the median of
the rounds counts. Exits with 1 when a budget is missed.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import nn

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.config.schedule import measured_steps
from bnviz.datasets import Dataset, load
from bnviz.measure import Measurer
from bnviz.training.loop import Trainer

CASES = (  # depth, width, batch, trials, least ratio, aim
    (6, 32, 64, 1, 0.9, 1.0),
    (6, 16, 32, 1, 0.9, 1.0),
    (6, 32, 64, 16, 4.0, 5.0),
    (6, 16, 32, 16, 7.0, 10.0),
)
MEASURING_SHARE, FRAMES_A_SECOND = 0.10, 15.0


def plain_network(arm: ArmConfig, inputs: int, classes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i in range(arm.depth):
        layers.append(nn.Linear(inputs if i == 0 else arm.width, arm.width))
        if arm.norm == "batch":
            layers.append(nn.BatchNorm1d(arm.width))
        layers.append(nn.ReLU())
    return nn.Sequential(*layers, nn.Linear(arm.width, classes))


def plain_seconds(config: RunConfig, dataset: Dataset, steps: int) -> float:
    """Seconds of the plain loop for all networks of the run, extrapolated from at most four of each arm."""
    inputs, labels = torch.from_numpy(dataset.train_inputs), torch.from_numpy(dataset.train_labels)
    timed = min(config.trials, 4)
    begun = time.perf_counter()
    for arm in config.arms:
        for _ in range(timed):
            net = plain_network(arm, inputs.shape[1], dataset.class_count)
            optimizer = torch.optim.SGD(net.parameters(), lr=arm.lr, foreach=True)
            order = torch.randperm(len(inputs))
            for step in range(steps):
                start = step * config.batch_size % (len(inputs) - config.batch_size)
                chosen = order[start : start + config.batch_size]
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(inputs[chosen]), labels[chosen]).backward()
                optimizer.step()
    return (time.perf_counter() - begun) * config.trials / timed


def our_seconds(config: RunConfig, dataset: Dataset, measured: bool) -> float:
    """Seconds of our training loop, with every default measurement on its schedule or with none."""
    trainer, measurer = Trainer(config, dataset), Measurer(config, dataset)
    begun = time.perf_counter()
    for state in trainer.states(measured_steps(config) if measured else ()):
        measurer.measure(state)
    return time.perf_counter() - begun


def in_turn(rounds: int, *sides: Callable[[], float]) -> list[list[float]]:
    """Run the sides in turn, once to warm up and then `rounds` times; the seconds of each side."""
    for side in sides:
        side()
    return [list(column) for column in zip(*([side() for side in sides] for _ in range(rounds)), strict=True)]


def speed_rows(rounds: int) -> list[tuple[str, str, str, bool]]:
    rows = []
    for depth, width, batch, trials, least, aim in CASES:
        arms = tuple(ArmConfig(norm=norm, depth=depth, width=width) for norm in ("none", "batch"))
        config = RunConfig(arms=arms, trials=trials, batch_size=batch, steps=600)
        dataset = load(config.dataset, config.seed)
        ours, plain = in_turn(
            rounds, lambda c=config, d=dataset: our_seconds(c, d, True), lambda c=config, d=dataset: plain_seconds(c, d, 100) * 6
        )
        ratio = statistics.median(b / a for a, b in zip(ours, plain, strict=True))
        name = f"2 arms, {trials} trials, {depth} x {width}, batch {batch}: plain / ours"
        rows.append(
            (name, f">= {least:g} (aim {aim:g})", f"{ratio:.2f}  ({statistics.median(ours) / 0.6:.2f} ms a step)", ratio >= least)
        )
    return rows


def measuring_share(config: RunConfig, dataset: Dataset) -> tuple[float, float]:
    """(share of the time spent on measuring, frames a second) of one run.

    Counted as measuring: the measurements, and by how much the steps that are measured take longer than the others.
    """
    trainer, measurer = Trainer(config, dataset), Measurer(config, dataset)
    steps = measured_steps(config)
    measuring, taken = 0.0, {True: [], False: []}
    gradients = trainer._gradients

    def timed_gradients(step: int, inputs: torch.Tensor, labels: torch.Tensor, keep: bool) -> None:
        begun = time.perf_counter()
        gradients(step, inputs, labels, keep)
        taken[keep].append(time.perf_counter() - begun)

    trainer._gradients = timed_gradients
    begun = time.perf_counter()
    for state in trainer.states(steps):
        since = time.perf_counter()
        measurer.measure(state)
        measuring += time.perf_counter() - since
    total = time.perf_counter() - begun
    longer = statistics.median(taken[True]) - statistics.median(taken[False])
    return (measuring + longer * len(steps)) / total, len(steps) / total


def measuring_rows(rounds: int) -> list[tuple[str, str, str, bool]]:
    config = RunConfig()
    dataset = load(config.dataset, config.seed)
    results = [measuring_share(config, dataset) for _ in range(rounds + 1)][1:]
    share, rate = (statistics.median(column) for column in zip(*results, strict=True))
    return [
        (
            "default run: share of the time spent on measuring",
            f"<= {MEASURING_SHARE:.0%}",
            f"{share:.1%}",
            share <= MEASURING_SHARE,
        ),
        ("default run: frames a second", f">= {FRAMES_A_SECOND:g}", f"{rate:.1f}", rate >= FRAMES_A_SECOND),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    rows = speed_rows(rounds) + measuring_rows(rounds)
    width = max(len(row[0]) for row in rows)
    for name, budget, measured, fine in rows:
        print(f"{name:{width}}  {budget:18}  {measured:28}  {'ok' if fine else 'MISSED'}")
    return 0 if all(row[3] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

"""What holds for every measurement that is registered.

A measurement `name` has a file `tests/measure/test_<name>.py` with REFERENCE: a naive function of a moment and a trial that
gives its results for that trial, from networks of torch.nn or loops. SETTING there are options of `moments` that suit it.
"""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.datasets import load
from bnviz.measure import Measurer
from bnviz.measure.measurer import take
from bnviz.measure.moment import Moment
from bnviz.records.records import BIN_COUNT, CURVE_MEASURES, LAYER_MEASURES, PERCENTILES, TENSORS, ArmMeasured, StepMeasured
from bnviz.registry.measures import ALL_TRIALS, COSTS, EXTRAS, MEASURE_OF, MEASURES, SHARED, UnknownMeasure, chosen, columns
from bnviz.training.loop import Trainer
from bnviz.training.run import run
from tests.measure.moments import measured, moments

NOISY = ArmConfig(norm="batch_noisy", depth=3, width=6, dropout=0.2, momentum=0.9, lr=0.05, norm_on_input=True)
ADAM = ArmConfig(norm="batch", depth=3, width=6, optimizer="adam", lr=0.01)
CONV = ArmConfig(norm="batch_noisy", architecture="conv", depth=2, width=3, lr=0.05)
RECURRENT = ArmConfig(norm="batch", architecture="recurrent", width=5)
PLANE = DatasetConfig(name="moons", train_size=60, test_size=20)
ARMS = {"dense": (NOISY, ADAM), "conv": (CONV,), "recurrent": (RECURRENT,)}
KINDS = {**{kind: {"arms": arms} for kind, arms in ARMS.items()}, "plane": {"arms": (ADAM,), "dataset": PLANE}}
NOT_OF_EVERY_NET = {"decision_boundary": "plane", "channel_maps": "conv"}  # and where they are something
EVERYTHING = frozenset(MEASURES)


def config_of(arms: tuple[ArmConfig, ...], **settings) -> RunConfig:
    options = {"trials": 2, "batch_size": 8, "probe_size": 10, "steps": 4, "measure_every": 1} | settings
    dataset = options.pop("dataset", DatasetConfig(train_size=60, test_size=20))
    return RunConfig(dataset=dataset, arms=arms, **options)


def arms_at_each_step(config: RunConfig, keep: frozenset[str] | None) -> list[tuple[ArmMeasured, ...]]:
    return [record.arms for record in run(config, keep) if isinstance(record, StepMeasured)]


@cache
def seen(kind: str) -> tuple[RunConfig, list[Moment]]:
    """A small run before its first step, as it is handed to the measurements."""
    config = config_of(**KINDS[kind], steps=0)
    dataset = load(config.dataset, config.seed)
    return config, Measurer(config, dataset).moments(next(Trainer(config, dataset).states((0,))))


def file_of(name: str) -> ModuleType:
    assert (Path(__file__).parent / f"test_{name}.py").exists(), f"{name} has no tests/measure/test_{name}.py"
    return import_module(f"tests.measure.test_{name}")


@pytest.mark.parametrize("name", MEASURES)
def test_one_measurement_is_one_file_with_its_name(name):
    entry = MEASURES[name]
    assert entry.module == f"bnviz.measure.{name}"
    assert entry.target == f"measure_{name}"
    assert entry.doc
    assert all(result["definition"] and result["unit"] and result["axes"] for result in entry.results.values())


@pytest.mark.parametrize("name", MEASURES)
def test_it_is_what_its_reference_says(name):
    module = file_of(name)
    assert hasattr(module, "REFERENCE"), f"tests/measure/test_{name}.py has no REFERENCE to compare with"
    for moment in moments(**getattr(module, "SETTING", {})):
        expected = [module.REFERENCE(moment, trial) for trial in range(moment.config.trials)]
        got = measured(name, moment)
        assert {*got} == {*expected[0]} == {*MEASURES[name].results}
        for result, values in got.items():
            by_trial = values if MEASURES[name].results[result]["axes"][0] in ("trial", "shown") else [values]
            for trial, of_trial in enumerate(by_trial):
                wanted = np.array(expected[trial][result], np.float64)
                np.testing.assert_allclose(of_trial, wanted, rtol=2e-5, atol=1e-6, err_msg=f"{result}, trial {trial}")


def lengths(config: RunConfig, arm: ArmConfig, own: dict[str, int]) -> dict[str, int]:
    """How long the axes are, for digits; 0 where that is not said here."""
    layers = 8 if arm.architecture == "recurrent" else arm.depth
    shared = {"trial": config.trials, "shown": 1, "layer": layers, "unit": arm.width}
    return {**shared, "percentile": len(PERCENTILES), "bin": BIN_COUNT + 2, **own}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MEASURES)
def test_every_declared_result_is_yielded_with_its_axes(name, kind):
    config, arms = seen(kind)
    for moment in arms:
        got = take(MEASURES[name], moment)
        if NOT_OF_EVERY_NET.get(name, kind) != kind:
            assert got == {}
            continue
        assert list(got) == list(MEASURES[name].results)
        for result, values in got.items():
            axes = MEASURES[name].results[result]["axes"]
            long = lengths(config, moment.arm.arm, dict(MEASURES[name].own_axes))
            assert values.ndim == len(axes), result
            wanted = tuple(long[axis] or size for axis, size in zip(axes, values.shape, strict=True))
            assert values.shape == wanted, f"{result} {axes}"
            assert values.dtype == (np.uint32 if axes[-1] == "bin" else np.float32), result


@pytest.mark.parametrize("name", MEASURES)
def test_it_reads_no_shared_tensor_that_it_does_not_want(name):
    for arms in ARMS.values():
        config = config_of(arms, steps=0)
        dataset = load(config.dataset, config.seed)
        for moment in Measurer(config, dataset).moments(next(Trainer(config, dataset).states((0,)))):
            take(MEASURES[name], moment)
            assert {*SHARED} & {*vars(moment)} <= MEASURES[name].shares


def test_a_result_that_is_not_declared_is_refused():
    _, arms = seen("dense")
    with pytest.raises(LookupError, match="weight_norm yields kurtosis, which it does not declare: weight_norm"):
        take(MEASURES["weight_norm"], arms[0], lambda moment: {"kurtosis": moment.arm.loss})


def trained(config: RunConfig, keep: frozenset[str] | None) -> Iterator[bytes]:
    """Every bit that training leaves behind, measured on the way or not."""
    dataset = load(config.dataset, config.seed)
    trainer = Trainer(config, dataset)
    measurer = Measurer(config, dataset, keep) if keep else None
    for state in trainer.states(range(config.steps + 1) if keep else (config.steps,)):
        if measurer:
            measurer.measure(state)
    for arm in trainer.arms:
        tensors = [arm.net.parameters.flat, arm.loss, arm.logits, arm.gradient, arm.direction, *arm.net.statistics()]
        yield from (tensor.detach().numpy().tobytes() for tensor in tensors)


@pytest.mark.parametrize("kind", KINDS)
def test_measuring_changes_nothing(kind):
    config = config_of(**KINDS[kind])
    assert list(trained(config, EVERYTHING)) == list(trained(config, None))


@pytest.mark.parametrize("kind", ARMS)
def test_one_trial_alone_measures_what_it_does_among_others(kind):
    """Trials do not leak into each other; and the first axis is theirs."""
    alone, among = (arms_at_each_step(config_of(ARMS[kind], steps=0, trials=trials), EVERYTHING)[0] for trials in (1, 2))
    for one, two in zip(alone, among, strict=True):
        for table in ("curves", "layers", "percentiles", "histograms", "extras"):
            first, second = getattr(one, table), getattr(two, table)
            assert first.keys() == second.keys()
            for name, values in first.items():
                np.testing.assert_allclose(values[0], second[name][0], rtol=2e-3, atol=1e-5, err_msg=f"{table} {name}")


@pytest.mark.parametrize("name", MEASURES)
def test_one_trial_of_one_layer_can_be_measured(name):
    arm = ArmConfig(norm="batch", depth=1, width=1)
    config = config_of((arm,), trials=1, batch_size=1, probe_size=2, steps=1)
    for (measured_arm,) in arms_at_each_step(config, frozenset({name})):
        tables = ("curves", "layers", "percentiles", "histograms", "extras")
        assert sum(len(getattr(measured_arm, table)) for table in tables) == (
            0 if name in NOT_OF_EVERY_NET else len(MEASURES[name].results)
        )


@pytest.mark.parametrize("name", MEASURES)
def test_a_diverged_trial_is_nan_and_the_others_are_what_they_were(name):
    config = config_of(**KINDS[NOT_OF_EVERY_NET.get(name, "dense")], steps=1, extras=(ALL_TRIALS,))
    dataset = load(config.dataset, config.seed)
    measurers = Measurer(config, dataset), Measurer(config, dataset)
    for state in Trainer(config, dataset).states((0, 1)):
        whole, part = (measurer.moments(state)[0] for measurer in measurers)
        part.arm.diverged[1] = False
        expected = take(MEASURES[name], whole)
        part.arm.diverged[1] = True
        for result, values in take(MEASURES[name], part).items():
            axes = MEASURES[name].results[result]["axes"]
            if axes[0] in ("trial", "shown") and not MEASURES[name].is_of_the_data:
                assert not values[1].any() if axes[-1] == "bin" else np.isnan(values[1]).all(), result
                np.testing.assert_array_equal(values[0], expected[result][0])


@pytest.mark.parametrize("name", MEASURES)
def test_what_is_not_kept_is_not_called(name, monkeypatch):
    def called(moment: Moment) -> dict:
        raise AssertionError("it was called")

    monkeypatch.setattr(import_module(MEASURES[name].module), MEASURES[name].target, called)
    config = config_of((ADAM,), steps=0)
    arms_at_each_step(config, EVERYTHING - {name})
    with pytest.raises(AssertionError, match="it was called"):
        arms_at_each_step(config, frozenset({name}))


@pytest.mark.parametrize(
    ("keep", "modes"),
    [
        ({"train_loss", "weight_norm", "effective_lr"}, []),
        ({"train_loss", "test_loss", "test_accuracy"}, ["eval"]),
        ({"zero_fraction", "pre_norm_std", "drift", "histograms", "rank", "unit_states", "layer_output"}, ["probe"]),
    ],
)
def test_one_pass_serves_all_that_want_it(keep, modes, monkeypatch):
    config = config_of((ADAM,), steps=0)
    dataset = load(config.dataset, config.seed)
    state, measurer, passes = next(Trainer(config, dataset).states((0,))), Measurer(config, dataset, keep), []
    net = state.arms[0].net
    hidden = net.hidden

    def counted(inputs, mode, keep=None):
        passes.append(mode)
        return hidden(inputs, mode, keep)

    monkeypatch.setattr(net, "hidden", counted)
    measurer.measure(state)
    assert passes == modes


@pytest.mark.parametrize("result", [result for entry in MEASURES.values() if entry.always for result in entry.results])
def test_what_is_kept_alone_is_what_a_full_measurement_gives(result):
    config = config_of((ADAM,), steps=2)
    whole, alone = (arms_at_each_step(config, keep) for keep in (None, frozenset({result})))
    for (full,), (one,) in zip(whole, alone, strict=True):
        for table in ("curves", "layers", "percentiles", "histograms"):
            for name, values in getattr(one, table).items():
                np.testing.assert_array_equal(values, getattr(full, table)[name])


@pytest.mark.parametrize("kind", KINDS)
def test_shared_tensors_are_dropped_when_nobody_wants_them_any_more(kind):
    config = config_of(**KINDS[kind], steps=0)
    dataset = load(config.dataset, config.seed)
    measurer = Measurer(config, dataset, EVERYTHING)
    (*moments_now,) = measurer.moments(next(Trainer(config, dataset).states((0,))))
    for moment in moments_now:
        measurer._arm(moment)
        assert not {*SHARED} & {*vars(moment)}


def test_only_what_is_kept_is_recorded():
    (*_, (arm,)) = arms_at_each_step(config_of((ADAM,)), frozenset({"train_loss", "weight_norm", "pre_norm_std", "rank"}))
    assert {*arm.curves} == {"train_loss"}
    assert {*arm.layers} == {"weight_norm", "pre_norm_std"}
    assert {*arm.extras} == {"effective_rank", "stable_rank", "mean_cosine"}
    assert not arm.percentiles
    assert not arm.histograms


def test_one_result_of_a_measurement_can_be_asked_for():
    (*_, (arm,)) = arms_at_each_step(config_of((ADAM,)), frozenset({"stable_rank", "pre_norm_percentiles"}))
    assert {*arm.extras} == {"stable_rank"}
    assert {*arm.percentiles} == {"pre_norm"}
    assert not {*arm.curves, *arm.layers, *arm.histograms}


def test_a_name_that_nothing_has_is_refused_with_what_there_is():
    config = config_of((ADAM,))
    with pytest.raises(UnknownMeasure, match=r"is called kurtosis, loss; there is .*autocorrelation,.*train_loss"):
        Measurer(config, load(config.dataset, config.seed), {"train_loss", "loss", "kurtosis"})


def test_what_is_always_taken_fills_the_tables():
    (*_, (arm,)) = arms_at_each_step(config_of((ADAM,)), None)
    assert tuple(arm.curves) == CURVE_MEASURES == ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
    assert tuple(arm.layers) == LAYER_MEASURES
    assert {*arm.percentiles} == {*columns("percentiles")} == {*columns("histograms")} == {*TENSORS}
    assert not arm.extras


def test_names_of_results_are_nobody_elses():
    results = [result for entry in MEASURES.values() for result in entry.results]
    assert len(results) == len({*results})
    assert all(MEASURE_OF.get(name, name) == name for name in MEASURES)
    assert {*EXTRAS} == {ALL_TRIALS} | {name for name, entry in MEASURES.items() if not entry.always}


def test_the_cheapest_come_first():
    costs = [list(COSTS).index(MEASURES[name].cost) for name in chosen(EVERYTHING)]
    assert costs == sorted(costs)

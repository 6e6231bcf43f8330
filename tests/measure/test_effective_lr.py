"""Effective learning rate, angle and radial part, unit by unit."""

import math

import numpy as np

from bnviz.config.models import ArmConfig, PerTrial
from bnviz.measure.copies import next_parameters
from tests.measure.moments import BATCH, PLAIN, measured, moments

ARMS = (PLAIN, BATCH.model_copy(update={"momentum": 0.9}), ArmConfig(norm="batch", per_trial=PerTrial(lr=(0.3, 0.01))))


SETTING = {"arms": ARMS}


def REFERENCE(moment, trial):
    parameters, after = moment.arm.net.parameters, next_parameters(moment)
    rates = moment.arm.arm.per_trial.lr or (moment.arm.arm.lr,) * 2
    expected = {"effective_lr": [], "unit_angle": [], "unit_radial": []}
    for name in moment.arm.net.weight_names:
        span, shape = parameters.spans[name], parameters.views[name].shape
        before, then, gradient = (flat[span].view(shape).numpy() for flat in (parameters.flat, after, moment.arm.gradient))
        rate, angles, radial = [], [], []
        for unit in range(shape[2]):
            w, v, g = (array[trial, :, unit] for array in (before, then, gradient))
            rate.append(rates[trial] / sum(x * x for x in w))
            angles.append(math.acos(min(1, w @ v / math.sqrt((w @ w) * (v @ v)))))
            radial.append(abs(w @ g) / math.sqrt((w @ w) * (g @ g)) if g.any() else 0)
        expected["effective_lr"].append(np.mean(rate))
        expected["unit_angle"].append(np.sqrt(np.mean(np.square(angles))))
        expected["unit_radial"].append(max(radial))
    return expected


def test_weights_before_batch_norm_have_no_radial_gradient():
    arm = ArmConfig(norm="batch", norm_eps=0.0, lr=0.2)
    assert measured("effective_lr", moments((arm,))[0])["unit_radial"].max() < 1e-10
    assert measured("effective_lr", moments((PLAIN,))[0])["unit_radial"].min() > 1e-3


def test_units_without_weights():
    moment = moments((PLAIN,), step=0)[0]
    moment.arm.net.parameters.flat.zero_()
    got = measured("effective_lr", moment)
    assert np.isinf(got["effective_lr"]).all()
    assert np.isnan(got["unit_angle"]).all()

"""Rank and alignment against NumPy and on cases known beforehand."""

import numpy as np
import pytest
import torch

from bnviz.measure.rank import representation_rank
from tests.measure.moments import tensors_of


def _rank(hidden: np.ndarray) -> dict[str, float]:
    values = np.sqrt(np.clip(np.linalg.eigvalsh(hidden @ hidden.T), 0, None))
    values = values[values > 1e-12]
    share = values / values.sum()
    cosines = []
    for i, a in enumerate(hidden):
        for j, b in enumerate(hidden):
            if i != j:
                size = np.sqrt((a @ a) * (b @ b))
                cosines.append(a @ b / size if size else 0.0)
    return {
        "effective_rank": float(np.exp(-(share * np.log(share)).sum())),
        "stable_rank": float((values**2).sum() / (values**2).max()),
        "mean_cosine": float(np.mean(cosines)),
    }


def REFERENCE(moment, trial):
    layers = [_rank(values) for values in tensors_of(moment, trial)["post_activation"]]
    return {name: [layer[name] for layer in layers] for name in layers[0]}


@pytest.mark.parametrize(
    ("hidden", "expected"),
    [
        (torch.eye(4), (4, 4, 0)),
        (torch.ones(3, 5), (1, 1, 1)),
        (torch.tensor([[1.0, 0], [-1, 0]]), (1, 1, -1)),
        (torch.tensor([[1.0, 2.0], [0.0, 0.0]]), (1, 1, 0)),
    ],
)
def test_known_ranks(hidden, expected):
    got = representation_rank(hidden)
    assert [float(value) for value in got.values()] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("entry", [0.0, torch.nan, torch.inf])
def test_a_layer_without_representations(entry):
    hidden = torch.zeros(3, 4)
    hidden[0, 0] = entry
    assert all(bool(value.isnan()) for value in representation_rank(hidden).values())

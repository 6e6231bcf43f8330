"""The decision boundary of a network on 2-D data."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnviz.measure.moment import Moment, Results
from bnviz.nets import Stack
from bnviz.registry.measures import MeasureEntry

GRID = 48  # points a side


def plane_grid(extent: tuple[float, float, float, float]) -> Tensor:
    """The GRID x GRID points of the plane x0, x1, y0, y1, row by row from y0, shape (GRID * GRID, 2)."""
    x0, x1, y0, y1 = extent
    y, x = torch.meshgrid(torch.linspace(y0, y1, GRID), torch.linspace(x0, x1, GRID), indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1)


def decision_boundary(net: Stack, grid: Tensor) -> NDArray[np.float32]:
    """The class that the first trial's network predicts (running statistics) at each point, shape (GRID, GRID)."""
    logits = net.first(1).forward(grid.unsqueeze(0), "eval")
    return logits[0].argmax(1).view(GRID, GRID).to(torch.float32).numpy()


@MeasureEntry(
    name="decision_boundary",
    wants=("passes",),
    caveat="2-D data only; missing once the first trial has diverged",
    own_axes={"row": 48, "column": 48},
    results={
        "decision_boundary": {
            "definition": "the class that the first trial's network predicts, in inference mode, on a grid of 48 by 48 points",
            "unit": "class",
            "axes": ("row", "column"),
        },
    },
)
def measure_decision_boundary(moment: Moment) -> Results:
    """`decision_boundary` of the first trial, shape (GRID, GRID); nothing once it has diverged or without a plane."""
    if moment.dataset.extent is None or bool(moment.arm.diverged[0]):
        return {}
    net = moment.arm.net
    with torch.inference_mode():
        return {"decision_boundary": decision_boundary(net, plane_grid(moment.dataset.extent).to(net.dtype))}

"""The loss on a plane through the parameters: two random directions, scaled filter by filter."""

import torch
from torch import Tensor

from bnviz.measure.copies import Copies
from bnviz.measure.moment import Moment, Results
from bnviz.nets import Stack
from bnviz.nets.initialization import Streams
from bnviz.registry.measures import MeasureEntry

SIDE = 19  # points a side
REACH = 1.0  # of the plane, in lengths of the filters
SURFACE = 9  # tells these random numbers from those of weights, batches and noise
CHUNK = 57  # points that are one stack: bounds the memory


@MeasureEntry(
    name="surface",
    wants=("data", "copies"),
    source="Li et al. 2018, Visualizing the Loss Landscape of Neural Nets, arXiv:1712.09913, section 4",
    caveat="infinite or NaN where the loss overflows",
    own_axes={"row": 19, "column": 19},
    copies=57,
    results={
        "surface": {
            "definition": "the loss of the probe batch on a 19 by 19 grid along two random directions in which each unit's part"
            " is as long as the unit's own weights; the middle is the net itself",
            "unit": "nats",
            "axes": ("trial", "row", "column"),
        },
    },
)
def measure_surface(moment: Moment) -> Results:
    """The loss at theta + a d + b e, for a and b from -REACH to REACH, on the probe batch with its labels.

    d and e are standard normal numbers for the weights, scaled so that each unit's part is as long as the unit's own
    incoming weights; biases, gamma and beta stay. They depend on the run's seed, the trial and the shapes alone: twins of
    one shape look in the same directions, up to the length of their own filters.
    Rows go along e, columns along d. With batch statistics of the batch. The points of the plane are extra trials of one stack.
    """
    net, samples = moment.arm.net, moment.probe.shape[1]
    labels = torch.from_numpy(moment.dataset.train_labels[:samples]).expand(net.trials, -1)
    streams = Streams(moment.config.seed, net.trial_seeds, SURFACE)
    first, second = (filter_normalized(net, streams) for _ in range(2))
    share = torch.linspace(-REACH, REACH, SIDE, dtype=first.dtype)
    b, a = (grid.reshape(-1, 1) for grid in torch.meshgrid(share, share, indexing="ij"))
    losses = []
    with torch.no_grad():
        for rows, columns in zip(b.split(CHUNK), a.split(CHUNK), strict=True):
            flat = net.parameters.flat + columns * first + rows * second
            losses.append(Copies(net, flat).losses(moment.probe, labels))
    return {"surface": torch.cat(losses).T.view(-1, SIDE, SIDE)}


def filter_normalized(net: Stack, streams: Streams) -> Tensor:
    """A random direction of the shape of the flat parameters: per unit as long as its weights, 0 for all but weights."""
    direction = torch.zeros_like(net.parameters.flat)
    for name, span in net.parameters.spans.items():
        if name.startswith("weight"):
            weight = net.parameters.views[name].detach()
            draw = streams.normal(weight.shape[1:]).to(weight.dtype)
            inputs = tuple(range(1, weight.ndim - 1))  # the last axis is the units
            lengths = [torch.linalg.vector_norm(values, dim=inputs, keepdim=True) for values in (weight, draw)]
            direction[span] = (draw * (lengths[0] / lengths[1])).flatten()
    return direction

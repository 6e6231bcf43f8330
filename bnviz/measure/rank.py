"""How different the representations of different samples still are, layer by layer."""

import torch
from torch import Tensor

from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry


def representation_rank(hidden: Tensor) -> dict[str, Tensor]:
    """Rank and alignment of representations, one sample per row: (..., samples, units) -> (...) each.

    With singular values s and p = s / sum(s): effective_rank = exp(-sum p log p), stable_rank = sum s^2 / max s^2, both
    between 1 and min(samples, units). mean_cosine is the mean cosine over the pairs of different samples: 1 when all point
    the same way. NaN where every entry is 0; a sample of zeros has cosine 0 with every other.

    References:
        Roy & Vetterli 2007 (effective rank); Daneshmand et al. 2020, Batch Normalization Provably Avoids Rank Collapse,
        arXiv:2003.01652.
    """
    hidden = hidden.double()
    values = torch.linalg.svdvals(hidden.nan_to_num(0, 0, 0))
    share = values / values.sum(-1, keepdim=True)
    rows = torch.nn.functional.normalize(hidden, dim=-1, eps=0.0).nan_to_num(0)
    count = hidden.shape[-2]
    own = rows.square().sum((-1, -2))
    bad = hidden.isnan().flatten(-2).any(-1) | hidden.isinf().flatten(-2).any(-1) | (hidden == 0).flatten(-2).all(-1)
    results = {
        "effective_rank": torch.special.entr(share).sum(-1).exp(),
        "stable_rank": values.square().sum(-1) / values.amax(-1).square(),
        "mean_cosine": (rows.sum(-2).square().sum(-1) - own) / (count * (count - 1)),
    }
    return {name: value.masked_fill(bad, torch.nan) for name, value in results.items()}


@MeasureEntry(
    name="rank",
    wants=("activations",),
    source="Roy & Vetterli 2007 (effective rank); Daneshmand et al. 2020, Batch Normalization Provably Avoids Rank Collapse, "
    "arXiv:2003.01652",
    caveat="NaN where every entry is 0",
    results={
        "effective_rank": {
            "definition": "of what a layer hands on for the probe batch: exp of the entropy of the normalized singular values",
            "unit": "dimensions",
            "axes": ("trial", "layer"),
        },
        "stable_rank": {"definition": "sum of their squares over the largest", "unit": "dimensions", "axes": ("trial", "layer")},
        "mean_cosine": {"definition": "mean cosine between different samples", "unit": "cosine", "axes": ("trial", "layer")},
    },
)
def measure_rank(moment: Moment) -> Results:
    """`representation_rank` of what each hidden layer hands on (with its shortcut) on the probe batch."""
    return representation_rank(torch.stack(moment.activations.layer_output, 1).flatten(3))

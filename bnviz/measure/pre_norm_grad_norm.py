"""How large the gradient is that comes back to a layer."""

import torch

from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="pre_norm_grad_norm",
    place=12,
    always=True,
    wants=("step",),
    source="Yang et al. 2019, A Mean Field Theory of Batch Normalization, arXiv:1902.08129",
    caveat="its square grows per layer downwards by pi/(pi - 1) = 1.467 with batch norm and ReLU at initialization; the norm by "
    "1.211. Below a batch of 8 it is heavy-tailed",
    results={
        "pre_norm_grad_norm": {
            "definition": "L2 norm of dL/d pre-norm over the whole batch",
            "unit": "nats per value",
            "axes": ("trial", "layer"),
        },
    },
)
def measure_pre_norm_grad_norm(moment: Moment) -> Results:
    """Of y = Wx + b, over samples and units together."""
    gradients = torch.stack(moment.arm.pre_norm_gradients, 1)
    return {"pre_norm_grad_norm": torch.linalg.vector_norm(gradients.flatten(2), dim=2)}

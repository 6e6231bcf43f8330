"""What the parts on covariate shift cite."""

from bnviz.experiments.kit.base import Reference

IOFFE = Reference("Ioffe & Szegedy 2015, Batch Normalization", "https://arxiv.org/abs/1502.03167")
SANTURKAR = Reference(
    "Santurkar et al. 2018, How Does Batch Normalization Help Optimization?", "https://arxiv.org/abs/1805.11604"
)

"""What the parts of this experiment cite."""

from bnviz.experiments.kit.base import Reference

IOFFE = Reference("Ioffe & Szegedy 2015, Batch Normalization, algorithm 2", "https://arxiv.org/abs/1502.03167")
WU_JOHNSON = Reference("Wu & Johnson 2021, Rethinking 'Batch' in BatchNorm", "https://arxiv.org/abs/2105.07576")
NADO = Reference(
    "Nado et al. 2020, Evaluating Prediction-Time Batch Normalization for Robustness under Covariate Shift",
    "https://arxiv.org/abs/2006.10963",
)
SCHNEIDER = Reference(
    "Schneider et al. 2020, Improving robustness against common corruptions by covariate shift adaptation",
    "https://arxiv.org/abs/2006.16971",
)
JACOB = Reference(
    "Jacob et al. 2018, Quantization and Training of Neural Networks, section 3.2 (folding)", "https://arxiv.org/abs/1712.05877"
)
TORCH = Reference("PyTorch, BatchNorm1d (momentum)", "https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html")

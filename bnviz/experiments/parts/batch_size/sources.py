"""What the parts of this experiment cite."""

from bnviz.experiments.kit.base import Reference

IOFFE = Reference("Ioffe & Szegedy 2015, Batch Normalization", "https://arxiv.org/abs/1502.03167")
IOFFE_2017 = Reference("Ioffe 2017, Batch Renormalization", "https://arxiv.org/abs/1702.03275")
WU_HE = Reference("Wu & He 2018, Group Normalization", "https://arxiv.org/abs/1803.08494")
WU_JOHNSON = Reference("Wu & Johnson 2021, Rethinking 'Batch' in BatchNorm", "https://arxiv.org/abs/2105.07576")
LUO = Reference(
    "Luo et al. 2019, Towards Understanding Regularization in Batch Normalization", "https://arxiv.org/abs/1809.00846"
)
LI = Reference(
    "Li et al. 2018, Understanding the Disharmony between Dropout and Batch Normalization", "https://arxiv.org/abs/1801.05134"
)
CRAMER = Reference("Cramer 1946, Mathematical Methods of Statistics, section 27.7", "https://www.jstor.org/stable/j.ctt1bpm9r4")

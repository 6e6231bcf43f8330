"""The papers and pages that experiments cite, each once. `IOFFE_2015.at("section 3.2")` cites a place in one."""

from bnviz.experiments.kit.base import Reference

ARORA = Reference("Arora, Li & Lyu 2019, Auto Rate-Tuning by Batch Normalization", "https://arxiv.org/abs/1812.03981")
BA = Reference("Ba et al. 2016, Layer Normalization", "https://arxiv.org/abs/1607.06450")
BALDUZZI = Reference("Balduzzi et al. 2017, The Shattered Gradients Problem", "https://arxiv.org/abs/1702.08591")
BJORCK = Reference("Bjorck et al. 2018, Understanding Batch Normalization", "https://arxiv.org/abs/1806.02375")
BROWNLEE = Reference(
    "Brownlee 2019, A Gentle Introduction to Batch Normalization",
    "https://machinelearningmastery.com/batch-normalization-for-training-of-deep-neural-networks/",
)
CAI = Reference("Cai, Li & Shen 2019, Effect of Batch Normalization on Gradient Descent", "https://arxiv.org/abs/1810.00122")
COOIJMANS = Reference("Cooijmans et al. 2016, Recurrent Batch Normalization", "https://arxiv.org/abs/1603.09025")
CRAMER = Reference("Cramer 1946, Mathematical Methods of Statistics", "https://www.jstor.org/stable/j.ctt1bpm9r4")
DANESHMAND = Reference(
    "Daneshmand et al. 2020, Batch Normalization Provably Avoids Rank Collapse", "https://arxiv.org/abs/2003.01652"
)
DE_SMITH = Reference(
    "De & Smith 2020, Batch Normalization Biases Residual Blocks Towards the Identity Function",
    "https://arxiv.org/abs/2002.10444",
)
DOUGLAS = Reference("Douglas & Yu 2018, Why ReLU Units Sometimes Die", "https://arxiv.org/abs/1812.05981")
GLOROT = Reference(
    "Glorot & Bengio 2010, Understanding the Difficulty of Training Deep Networks",
    "https://proceedings.mlr.press/v9/glorot10a.html",
)
GOODFELLOW = Reference("Goodfellow et al. 2016, Deep Learning", "https://www.deeplearningbook.org/")
HE = Reference("He et al. 2015, Delving Deep into Rectifiers", "https://arxiv.org/abs/1502.01852")
IOFFE_2015 = Reference("Ioffe & Szegedy 2015, Batch Normalization", "https://arxiv.org/abs/1502.03167")
IOFFE_2017 = Reference("Ioffe 2017, Batch Renormalization", "https://arxiv.org/abs/1702.03275")
JACOB = Reference("Jacob et al. 2018, Quantization and Training of Neural Networks", "https://arxiv.org/abs/1712.05877")
KOHLER = Reference(
    "Kohler et al. 2019, Exponential convergence rates for Batch Normalization", "https://arxiv.org/abs/1805.10694"
)
LAURENT = Reference("Laurent et al. 2015, Batch Normalized Recurrent Neural Networks", "https://arxiv.org/abs/1510.01378")
LECUN = Reference("LeCun et al. 1998, Efficient BackProp", "https://doi.org/10.1007/3-540-49430-8_2")
LI_2018_DROPOUT = Reference(
    "Li et al. 2018, Understanding the Disharmony between Dropout and Batch Normalization", "https://arxiv.org/abs/1801.05134"
)
LI_2018_LANDSCAPE = Reference("Li et al. 2018, Visualizing the Loss Landscape of Neural Nets", "https://arxiv.org/abs/1712.09913")
LU = Reference("Lu et al. 2019, Dying ReLU and Initialization", "https://arxiv.org/abs/1903.06733")
LUO = Reference(
    "Luo et al. 2019, Towards Understanding Regularization in Batch Normalization", "https://arxiv.org/abs/1809.00846"
)
MISHKIN = Reference("Mishkin et al. 2016, Systematic evaluation of CNN advances", "https://arxiv.org/abs/1606.02228")
NADO = Reference(
    "Nado et al. 2020, Evaluating Prediction-Time Batch Normalization for Robustness under Covariate Shift",
    "https://arxiv.org/abs/2006.10963",
)
TORCH = Reference("PyTorch, BatchNorm1d (momentum)", "https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html")
SANTURKAR = Reference(
    "Santurkar et al. 2018, How Does Batch Normalization Help Optimization?", "https://arxiv.org/abs/1805.11604"
)
SCHNEIDER = Reference(
    "Schneider et al. 2020, Improving robustness against common corruptions by covariate shift adaptation",
    "https://arxiv.org/abs/2006.16971",
)
ULYANOV = Reference("Ulyanov et al. 2016, Instance Normalization", "https://arxiv.org/abs/1607.08022")
LAARHOVEN = Reference(
    "van Laarhoven 2017, L2 Regularization versus Batch and Weight Normalization", "https://arxiv.org/abs/1706.05350"
)
WAN = Reference("Wan et al. 2020, Spherical Motion Dynamics", "https://arxiv.org/abs/2006.08419")
WU_HE = Reference("Wu & He 2018, Group Normalization", "https://arxiv.org/abs/1803.08494")
WU_JOHNSON = Reference("Wu & Johnson 2021, Rethinking 'Batch' in BatchNorm", "https://arxiv.org/abs/2105.07576")
YANG = Reference("Yang et al. 2019, A Mean Field Theory of Batch Normalization", "https://arxiv.org/abs/1902.08129")
ZHANG = Reference("Zhang & Sennrich 2019, Root Mean Square Layer Normalization", "https://arxiv.org/abs/1910.07467")

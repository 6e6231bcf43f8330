"""The plain net, without a norm: a name among the others, and no layer."""

from bnviz.registry.norms import NormEntry


@NormEntry(
    name="none",
    label="no norm",
    color="#D55E00",
    dash="dash",
    symbol="square",
    formula="y",
    affine=(),
    in_experiments=True,
    kept_tensors=0,
    place=0,
)
class NoNorm:
    """y as it is: the network has no norm and no parameters of one."""

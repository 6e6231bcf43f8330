"""Stacked networks: T trials of one arm in tensors with a leading trial axis.

activations.py     the activation functions, one table
norms/             one normalization a file, one line each in norms/__init__.py
initialization.py  seeded linear weights, the same for trial t in every arm
parameters.py      all parameters of an arm in one (trials, parameters) tensor
dense.py           the dense network; a convolution or a recurrent cell gets a file beside it
"""

from bnviz.nets.dense import Activations, DenseStack
from bnviz.nets.norms import NORMS

__all__ = ["NORMS", "Activations", "DenseStack"]

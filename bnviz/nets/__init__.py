"""Stacked networks: T trials of one arm in tensors with a leading trial axis.

activations.py     the activation functions, each below its entry
norms/             one normalization per file, listed nowhere else
initialization.py  seeded linear weights, the same for trial t in every arm
parameters.py      all parameters of an arm in one (trials, parameters) tensor
stack.py           what all stacks have in common
dense.py           the dense network; conv.py and recurrent.py the others
build.py           the stack that an arm asks for
"""

from bnviz.nets.build import build
from bnviz.nets.conv import ConvStack
from bnviz.nets.dense import DenseStack
from bnviz.nets.norms import NORM_LAYERS
from bnviz.nets.recurrent import RecurrentStack
from bnviz.nets.stack import Activations, Stack

__all__ = ["NORM_LAYERS", "Activations", "ConvStack", "DenseStack", "RecurrentStack", "Stack", "build"]

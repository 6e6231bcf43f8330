"""What is measured at one step: pure functions from tensors to numbers.

curves.py         losses and accuracies
units.py          mean and spread of the units, dead and saturated units, sparsity
distributions.py  percentiles and histograms on fixed bins
boundary.py       the decision boundary on 2-D data (costly: only when a chart asks)
step.py           all of the above for one `TrainingState`
"""

from bnviz.measure.step import Measurer

__all__ = ["Measurer"]

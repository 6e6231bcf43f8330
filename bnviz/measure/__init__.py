"""What is measured at one step: pure functions from tensors to numbers.

curves.py         losses and accuracies
units.py          mean and spread of the units, dead and saturated units, sparsity
distributions.py  percentiles and histograms on fixed bins
extras.py         what is measured only when a chart asks: one file each, from a `Moment`
copies.py         copies of a stack with other parameters as extra trials of one stack
step.py           all of the above for one `TrainingState`
"""

from bnviz.measure.step import Measurer

__all__ = ["Measurer"]

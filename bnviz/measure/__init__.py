"""What is measured at one step: pure functions from tensors to numbers, one measurement per file.

Each file has a function of a `Moment` below its `MeasureEntry`, which says what it yields and what it reads; `Measurer` takes
those that are asked for. What they share:

moment.py         one arm in the middle of a step, with the passes that serve all who want them
probed.py         the hidden layers' tensors of the probe batch as one
distributions.py  each layer's entries as one distribution, and their percentiles
curves.py         loss and accuracy of logits
copies.py         copies of a stack with other parameters as extra trials of one stack
measurer.py       a `State` becomes records
"""

from bnviz.measure.measurer import Measurer

__all__ = ["Measurer"]

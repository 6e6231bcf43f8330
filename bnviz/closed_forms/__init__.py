"""Closed forms to draw beside the measurements and to test them by: float64, no torch.

arithmetic.py       batch norm itself, forward and backward, step by step
gradient_growth.py  how gradients grow through depth with batch norm; plain_nets.py: without a norm
functions.py        the activation functions that both integrate
saturation.py       what an S-shaped function lets through
born_dead.py        how likely a ReLU net is dead from birth
batch_noise.py      how the statistics of a batch vary
dropout.py          how dropout shifts a variance
weight_decay.py     where weights that feed a norm settle
"""

"""How a gradient becomes a step: one optimizer per file, below its `OptimizerEntry`.

base.py   what all have in common
"""

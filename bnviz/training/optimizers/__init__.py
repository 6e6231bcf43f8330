"""How a gradient becomes a step: one optimizer a file, below its `OptimizerEntry`.

base.py   what all have in common
"""

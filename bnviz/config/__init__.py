"""What a run is, before anything runs: its configuration, what that costs, and how it is written, linked and refused.

models.py     RunConfig and its parts: fields, bounds, identity
presets.py    named configurations
query.py      a configuration as a URL query and back
problems.py   refused fields in words
schedule.py   the steps that are measured
cost.py       arithmetic operations; memory.py: bytes; ceilings.py: how much of both a run may ask for
"""

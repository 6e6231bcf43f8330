"""What a run is, before anything runs: its configuration, what that costs, and how it is written, linked and refused.

base.py       what models are made of: frozen, identified by their content, numbers with bounds
models.py     RunConfig and its parts: fields, bounds, what goes with what
studies.py    StudyConfig, and which of the two a JSON text describes
presets.py    named configurations
query.py      a configuration as a URL query and back
problems.py   refused fields in words
schedule.py   the steps that are measured
cost.py       arithmetic operations; memory.py: bytes; ceilings.py: how much of both a run may ask for
"""

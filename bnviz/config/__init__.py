"""What a run is, before anything runs: its configuration, what that costs, and how it is written, linked and refused.

base.py       what models are made of: frozen, identified by their content, numbers with bounds
models.py     RunConfig and its parts: fields, bounds, what goes with what
studies.py    StudyConfig, and which of the two a JSON text describes
presets.py    named configurations
fields.py     one view of a field, for controls, links, problems and documentation
paths.py      dotted paths: `arms.0.lr`, `arms.*.lr`; overrides.py: what text at a path changes
query.py      a configuration as a URL query and back, of runs and of studies; run_links.py: of runs
problems.py   refused fields in words
schedule.py   the steps that are measured
cost.py       arithmetic operations; memory.py: bytes; ceilings.py: how much of both a run may ask for
"""

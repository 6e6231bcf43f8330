"""What a run yields: records, and the forms they are kept and exported in.

records.py      the records themselves
codec.py        records as bytes and back
tables.py       a run's records as tidy tables; study_table.py: a study's as one
"""

"""A study from its configuration: its stages one after the other, as one stream of records."""

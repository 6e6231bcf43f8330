"""What probes share; no probe is in here."""

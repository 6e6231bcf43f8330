"""What probes share; no probe stands here."""

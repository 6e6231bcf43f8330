"""Measurements that train nothing: each module has a `probe(**options)` that yields (share done, values)."""

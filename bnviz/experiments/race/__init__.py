"""Experiment 2, the race: twins with and without batch norm; who learns in fewer steps, and what their layers are given."""

from bnviz.experiments.race.verdict import Comparison, RaceVerdict

__all__ = ["Comparison", "RaceVerdict"]

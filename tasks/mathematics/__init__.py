"""The mathematics of the field: pure functions over arrays and frames.

Belongs here: carryover, saturation, seasonality, the panel, draws and their summaries.
Does not: sampling (``tasks.models``, ``tasks.fit``), files and databases (``tasks.store``).
"""

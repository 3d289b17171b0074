"""Features: from a frozen snapshot to what the model sees.

In: a snapshot (``canonical_data.parquet``, ``column_info.json``) and the run spec.
Out: ``features.parquet``, ``feature_metadata.json`` (what the model needs beside its draws) and
``feature_scaler.json``.
Invariant: scales come from the fit's own panel and never change afterwards.
Not here: learned transforms (``tasks.models``), judging data
(``tasks.validate``).
"""

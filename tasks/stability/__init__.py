"""How returns move from refit to refit, and how far chance alone moves them.

Belongs here: the trend of ``mart.stability``, the noise floor of repeated fits. Does not: judging a
refit against the champion (``tasks.diagnose``), why it moved (``tasks.explain``), fitting.
"""

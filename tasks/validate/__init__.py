"""Validate: judge raw files, the canonical panel and features, and report every problem together.

In: references of a batch, a candidate or features, and the run spec.
Out: findings and a verdict per layer, ``validation_summary.json``, rows of ``ops.gate_results``.
"""

"""Diagnose: whether a fit can be trusted.

In: draws and features of one fit, the gates of the run spec.
Out: ``diagnostics.json`` with a verdict (PASS, REVIEW, FAIL), its reasons and every number.
Invariant: what could not be computed is never a pass; in-sample fit (R2, MAPE) is never judged.
Not here: what the fit says about media (``tasks.attribute``), promotion (``tasks.publish``).
"""

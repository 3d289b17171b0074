"""Stage: publish a judged fit.

In: references to the snapshot, features, posterior, diagnostics and attribution of one run.
Out: ``mart`` tables and ``ops`` rows in one transaction; an MLflow run with figures; a registered
model version with its alias, where the verdict allows it; Prefect artifacts.
Invariant: the champion alias moves last and in one step: a crash leaves the old one or the new one.
A rollback (``task_rollback``) gives it back to an earlier version: alias, row and tag, or nothing.
Does not belong here: any judgement of the fit, or arithmetic on draws.
"""

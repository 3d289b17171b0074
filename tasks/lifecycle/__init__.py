"""Lifecycle: the state of a run from its first moment to its last, and the guard around it.

In: run spec and events of the flow.
Out: ``run_status.json``, ``run_spec.json``, rows of ``ops.runs``.
Invariant: every run ends in OUTPUTS_READY or in ERROR with a reason; two refits of one dataset
never run at once.
Not here: what a stage does; what is published (``tasks.publish``).
"""

"""Lifecycle: the state of a run from its first moment to its last, and the guard around it.

In: run spec and events of the flow.
Out: ``run_status.json``, ``run_spec.json``, rows of ``ops.runs``; one JSON document to the webhook
that ``MMM_WEBHOOK_URL`` names (``task_notices``); the days that a backfill replays, and which of
them are done already (``task_backfill``).
Invariant: every run ends in OUTPUTS_READY or in ERROR with a reason; two refits of one dataset
never run at once.
A notification that fails is logged and fails nothing else; a replayed week is an ordinary refit.
Not here: what a stage does; what is published (``tasks.publish``).
"""

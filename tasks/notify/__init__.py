"""Notify: reports a person that a refit failed or was rejected, or that an alarm was given.

In: what happened, by dataset and run; the champion that is still in place.
Out: one JSON document to the webhook that ``MMM_WEBHOOK_URL`` names.
Invariant: a notification that fails is logged and fails nothing else.
Not here: who decides that somebody is notified (``flows.hooks``).
"""

"""Backfill: which days are replayed, and which of them are done already.

In: a run spec and days. Out: days, finished runs, and the summary for the Prefect UI.
Belongs here: nothing that fits or publishes; a replayed week is an ordinary weekly refit.
"""

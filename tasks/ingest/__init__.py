"""Ingest: land one received file, by content, every column as text.

In: a path and the run spec. Out: a batch in the landing zone, or every fault of its structure.
"""

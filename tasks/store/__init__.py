"""Adapters: the only code besides tasks that opens a file, a database or a server.

Belongs here: the home, artifacts, the DuckDB warehouse, Great Expectations, MLflow, locks.
Does not: any decision about data, models or gates.
Invariant: a write is whole or absent; a read checks what it got.
"""

"""The DuckDB warehouse: one file per group of tables, all SQL over them and nothing else.

Invariant: a run's rows appear together or not at all; values come as parameters, never as text.
"""

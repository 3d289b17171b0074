"""The DuckDB warehouse: a file per dataset, a module per group of tables, all SQL and nothing else.

Invariant: a run's rows appear together or not at all; values come as parameters, never as text.
"""

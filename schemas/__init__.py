"""Words and contracts: everything that crosses a boundary between two stages.

Belongs here: names, the run spec, references, verdicts, published shapes, errors, DDL and suites.
Does not: opening a file, a database or a server; Prefect; arithmetic of the model.
"""

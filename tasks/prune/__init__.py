"""Stage: remove files that nothing rests on any more.

In: a dataset and its retention policy. Out: files gone here and in MLflow, a row of
``ops.prunings`` for each run, landed file and plan; marked first, then removed, so that whatever
interrupts it is finished the next time. ``policy`` decides from facts, without I/O.
Does not belong here: rows of the warehouse, which are never removed; how a file is removed safely
(``tasks.store.files.removal``).
"""

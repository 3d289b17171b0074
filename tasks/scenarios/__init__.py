"""Stage: what a plan is made from, and where it goes once it is made.

In: a plan request; later, a reference to ``plan.json``.
Out: references to the files of the runs that a plan speaks for; ``mart.scenarios`` and
``mart.plans`` in one transaction, an MLflow run, a Prefect table.
Its own stage because a plan can be made on any day without a fit: publishing a run
(``tasks.publish``) judges promotion and moves the champion, and a plan must not be able to.
Does not belong here: any arithmetic on draws (``tasks.optimize``).
"""

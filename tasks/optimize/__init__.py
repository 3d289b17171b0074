"""Plan a budget from posterior draws, and say whether to follow the plan.

In: a fitted model's contract, its panel, what a plan may do. Out: ``schemas.documents.plan.Plan``.
Invariants: the budget is kept, no bound is violated, the candidate is no worse than today's mix on
its own utility. Does not belong here: fitting, tables and pages (``tasks.report``), storage.
"""

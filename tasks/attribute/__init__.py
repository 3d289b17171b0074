"""Attribute: what each component contributed, and what a channel's money brought.

In: draws and features of one fit.
Out: ``contributions.parquet``, ``contribution_summary.json``, ``fitted.parquet``,
``fit_metrics.json``, ``roi_metrics.json``, ``roas_by_entity.parquet``, ``channel_quantiles.json``;
the estimation window only. ``response_curves.json``, the long run.
Invariant: contributions add up to the expected KPI in every draw, period and entity.
Not here: whether the fit can be trusted (``tasks.diagnose``), where to spend (a later stage).
"""

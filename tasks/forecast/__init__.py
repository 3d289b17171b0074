"""Say what the KPI will be if things go on as they are, and score that once the KPI is known.

In: a fitted model's contract and its panel; later, what really happened. Out: ``forecast.parquet``
and ``forecast_assumptions.parquet``, which are frozen when the run is published; scores of frozen
forecasts, and alarms over their residuals. Does not belong here: plans (``tasks.optimize``), a
verdict on a fit (``tasks.diagnose``).
"""

"""The data dictionary of an export: a unit and a meaning for every column of every table."""

from collections.abc import Mapping

import pandas as pd

from schemas.spec.kpi import KpiKind
from schemas.spec.run_spec import RunSpec

_MONEY = "currency of the file"
_RETURN = "KPI value per unit of spend"
_DRAWS = {
    "mean": "posterior mean",
    "low": "lower end of the 94 % interval",
    "high": "upper end of the 94 % interval",
}
_QUANTILES = {
    "median": "posterior median",
    "low_90": "lower end of the 90 % interval",
    "high_90": "upper end of the 90 % interval",
}
_EVERYWHERE = {
    "entity_id": ("text", "market, store or brand"),
    "period_start": ("date", "first day of the period"),
    "component": ("text", "channel, control, seasonality, trend or baseline"),
    "kind": ("text", "channel, control, seasonality, trend, baseline or event"),
    "channel": ("text", "channel of the run spec"),
    "spend": (_MONEY, "money spent in the estimation window"),
    "mroas_mean": (_RETURN, "return of one more unit of spend, posterior mean"),
    "prior_driven": (
        "true/false", "the data moved the prior too little to decide this channel",
    ),
    "scope": ("text", "entity, or all: the sum over all entities"),
    "periods_ahead": ("periods", "periods after the last one that the forecast knew"),
    "forecast_run_id": ("text", "earlier run that made the forecast"),
    "parameter": ("text", "name in the posterior"),
    "r_hat": ("ratio", "rank-normalized split R-hat; 1 is perfect"),
    "ess_bulk": ("draws", "effective sample size of the bulk"),
    "ess_tail": ("draws", "effective sample size of the tails"),
    "battery": ("text", "sampling or fit"),
    "gate": ("text", "name of the check"),
    "verdict": ("text", "PASS, REVIEW, FAIL or NOT_EVALUATED"),
    "observed": ("unit of the gate", "judged number; empty where it could not be computed"),
    "pass_limit": ("unit of the gate", "limit of PASS"),
    "review_limit": ("unit of the gate", "limit of REVIEW"),
    "where": ("text", "parameter, channel or series that gave the number"),
    "reason": ("text", "why it is not a PASS, and what to do"),
}  # fmt: skip
_MONEY_OVER_HORIZON = {
    "current": "spend of as many periods before the horizon",
    "planned": "spend that is advised",
    "candidate": "spend that the optimizer found, advised or not",
    "low": "least spend that the bounds allow",
    "high": "most spend that the bounds allow",
    "observed_low": "smallest observed spend per period, times the periods of the horizon",
    "observed_high": "largest observed spend per period, times the periods of the horizon",
}
_PLAN = {
    **{name: (_MONEY, meaning) for name, meaning in _MONEY_OVER_HORIZON.items()},
    "action": ("text", "INCREASE, HOLD or REDUCE"),
    "reason": ("text", "the numbers behind the action, in a sentence"),
    "mroas_low": (_RETURN, "the same, lower end of the 94 % interval"),
    "mroas_high": (_RETURN, "the same, upper end of the 94 % interval"),
    "mroas_mean": (
        "unit of a gain per unit of spend",
        "return of the next percent of spend at current spend, posterior mean",
    ),
    "mroas_candidate_mean": (
        "unit of a gain per unit of spend", "the same at the candidate",
    ),
    "prob_raise": (
        "probability", "share of draws whose own best plan spends more than today on the channel",
    ),
    "is_beyond_observed": ("true/false", "the candidate leaves the observed range"),
    "incremental_current_mean": (
        "unit of a gain", "what current spend brings, carryover included, posterior mean",
    ),
    "incremental_candidate_mean": (
        "unit of a gain", "what the candidate brings, carryover included, posterior mean",
    ),
}  # fmt: skip
_PLAN_SUMMARY = {
    "scenario_id": ("text", "id of the plan; the run id for the plan of a refit"),
    "name": ("text", "name of the plan"),
    "advice": ("text", "follow, withheld (spend as today) or evaluated (a plan by hand)"),
    "reason": ("text", "why the advice is given or withheld"),
    "utility": ("text", "what the plan makes large: mean, var, cvar or sharpe"),
    "unit": ("text", "unit of a gain: money, or the name of the KPI"),
    "first_period": ("date", "first day of the first planned period"),
    "last_period": ("date", "first day of the last planned period"),
    "budget": (_MONEY, "spend of the candidate over the horizon"),
    "current_budget": (_MONEY, "spend of as many periods before the horizon"),
    "prob_gain": ("probability", "that the candidate gains anything: see gain"),
    "expected_regret": ("unit of a gain", "mean loss over the draws in which the candidate loses"),
    "return_mean": ("unit of a gain per unit of spend", "what the candidate brings per money"),
}  # fmt: skip
_OF_EVERY_TABLE = (
    (
        "every table of a CSV export", "text", "text",
        "text that begins with = + - @ or a control character has a ' before it, so that no "
        "spreadsheet runs it as a formula; `mmm export --keep-formulas` leaves it as it is",
    ),
)  # fmt: skip
_ALL = {"entity_id": ("text", "market, store or brand; all is the sum over them")}
_CURVE = {
    "unit": ("text", "what x is: spend (money) or input of the model"),
    "x": ("unit of the row, per period", "the same spend or input in every period"),
}


def build_dictionary(tables: Mapping[str, pd.DataFrame], spec: RunSpec) -> pd.DataFrame:
    """Return one row per column of every table: table, column, unit, meaning.

    The first row says how text is written.

    Raises
    ------
    KeyError
        If a column has no meaning: a table is not exported before its columns are explained.
    """
    rows = [
        *_OF_EVERY_TABLE,
        *(
            (table, str(column), *_meaning(table, str(column), spec))
            for table, frame in tables.items()
            for column in frame.columns
        ),
    ]
    return pd.DataFrame(rows, columns=["table", "column", "unit", "meaning"])


def _meaning(table: str, column: str, spec: RunSpec) -> tuple[str, str]:
    unit = _MONEY if spec.kpi.kind is KpiKind.REVENUE else "count"
    kpi = f"{spec.kpi_name} ({unit})"
    for known in (_of_table(table, kpi), _EVERYWHERE, _of_draws(kpi)):
        if column in known:
            return known[column]
    if table == "posterior_summary":
        return "unit of the parameter", f"{column} of the posterior"
    raise KeyError(f"{table}.{column} has no meaning in the data dictionary")


def _of_table(table: str, kpi: str) -> dict[str, tuple[str, str]]:
    """Return meanings that hold in one table."""
    if table == "response_curves":
        curve = {
            name: (f"{kpi} per period", f"what the channel adds in the long run, {end}")
            for name, end in _QUANTILES.items()
        }
        return _CURVE | _ALL | curve
    if table == "plan_summary":
        return _PLAN_SUMMARY | _ends(
            "unit of a gain",
            {
                "gain": "what the candidate brings beyond the same money in today's mix; with a "
                "target, beyond today's spend and the price of extra money",
                "change": "what the candidate brings beyond current spend",
                "incremental": "what the candidate brings in all",
            },
        )
    if table == "plan_allocation":
        return {
            "current": (_MONEY, "spend if it goes on as in the periods before the horizon"),
            "planned": (_MONEY, "spend that is advised"),
            "candidate": (_MONEY, "spend that the optimizer found, advised or not"),
        }
    return {"plan": _PLAN, "forecast": _ALL, "forecast_actuals": _ALL}.get(table, {})


def _of_draws(kpi: str) -> dict[str, tuple[str, str]]:
    """Return meanings of columns in the unit of the KPI, or of a return."""
    quantiles = {
        f"kpi_p{tail:02d}": (kpi, f"forecast of the KPI with noise, {tail} % quantile")
        for tail in (5, 25, 50, 75, 95)
    }
    return {
        "actual": (kpi, "observed KPI"),
        "expected_mean": (kpi, "forecast of the KPI without observation noise, posterior mean"),
        "kpi_mean": (kpi, "forecast of the KPI with noise, mean of the middle 90 % of draws"),
        **quantiles,
        **_ends(kpi, {"contribution": "part of the expected KPI due to the component"}),
        **_ends(kpi, {"fitted": "KPI as the model expects it"}),
        **_ends(_RETURN, {"roas": "return on ad spend over the estimation window"}),
        **_ends(_MONEY, {"cost_per_unit": "spend per unit of the KPI"}),
    }


def _ends(unit: str, stems: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {
        f"{stem}_{end}": (unit, f"{meaning}, {words}")
        for stem, meaning in stems.items()
        for end, words in _DRAWS.items()
    }

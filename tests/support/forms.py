"""Worlds of kind ``mmm``, one per form of the model: what the spec can say, at least once each."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import pandas as pd
from support.worlds import World, build_world, make_rows, make_spec, mmm_world

from schemas.spec.channels import AdstockKind, SaturationKind

FIRST_MONDAY = date(2022, 1, 3)
"""First period of ``support.worlds.make_rows``."""
BARE = {"controls": [], "model": {"trend": False, "yearly_seasonality": 0}}
"""Settings of a world without linear terms."""
MIXED = [
    {"name": "tv", "activity": "act_tv", "spend": "spend_tv"},
    {
        "name": "search",
        "spend": "spend_search",
        "adstock": {"kind": "none"},
        "saturation": {"kind": "none"},
    },
    {
        "name": "email",
        "kind": "owned",
        "activity": "act_email",
        "adstock": {"kind": "weibull_pdf", "l_max": 6},
        "saturation": {"kind": "root", "before_adstock": True},
    },
    {
        "name": "rival",
        "kind": "competitor",
        "activity": "act_rival",
        "adstock": {"kind": "delayed", "l_max": 3},
        "saturation": {"kind": "logistic"},
    },
]
"""Every channel with carryover and saturation of its own, ``none`` among them."""
PRICED = [{"name": "ctrl_price", "sign": "negative", "decay": 0.3}]
PROMOTION = [{"name": "promotion", "start": "2022-05-02", "end": "2022-05-20"}]


def lift_test(first: int, n_periods: int, **changes: Any) -> dict[str, Any]:
    """Row of a lift test on periods of ``make_rows``."""
    start = FIRST_MONDAY + timedelta(weeks=first)
    return {
        "channel": "tv",
        "start": start.isoformat(),
        "end": (start + timedelta(weeks=n_periods, days=-1)).isoformat(),
        "delta_spend": 500.0,
        "delta_kpi": 300.0,
        "standard_error": 80.0,
    } | changes


LIFTS = [
    lift_test(20, 4),
    lift_test(40, 2, channel="search", delta_spend=-50.0, delta_kpi=-30.0, standard_error=20.0),
    lift_test(57, 3, standard_error=200.0),
]
"""On all entities: in the middle, on a second channel, and up to the last period."""


def saturated_first(adstock: str, saturation: str) -> dict[str, Any]:
    """Part of a spec's ``model`` with saturation before adstock."""
    return {
        "adstock": {"kind": adstock, "l_max": 6},
        "saturation": {"kind": saturation, "before_adstock": True},
    }


def coefficient_world(n_entities: int) -> World:
    """World with a prior on a plain coefficient beside one on ROAS and default shares."""
    coefficient = {"quantity": "coefficient", "median": 0.3, "spread": 0.5}
    roas = {"quantity": "roas", "median": 1.5, "spread": 0.7}
    channels = [
        {"name": "tv", "activity": "act_tv", "spend": "spend_tv", "prior": coefficient},
        {"name": "search", "spend": "spend_search", "prior": roas},
        {"name": "rival", "kind": "competitor", "activity": "act_rival"},
    ]
    return mmm_world(n_entities, channels=channels, carryover_months=2)


def switched_on_world() -> World:
    """World of three entities, tv off in the last; a lift test switches it on everywhere."""
    rows = make_rows(3)
    tested = (rows["period_start"] >= "2022-05-23") & (rows["period_start"] < "2022-06-20")
    silent = tested | (rows["entity_id"] == "market_2")
    rows.loc[silent, ["act_tv", "spend_tv"]] = 0.0
    return build_world(rows, make_spec(lift_tests=[lift_test(20, 4)]))


def ragged_rows() -> pd.DataFrame:
    """Rows of three entities: the second opened in week 12, the third closed after week 50."""
    rows = make_rows(3)
    week = rows.groupby("entity_id").cumcount()
    late = (rows["entity_id"] == "market_1") & (week < 12)
    closed = (rows["entity_id"] == "market_2") & (week >= 50)
    return rows[~late & ~closed].reset_index(drop=True)


def ragged_world(**settings: Any) -> World:
    """World of ``ragged_rows``."""
    return build_world(ragged_rows(), make_spec(**settings))


RICH_MODEL = {
    "trend": {"kind": "piecewise", "changepoints": 3},
    "events": PROMOTION,
    "likelihood": "student_t",
    "non_negative_baseline": True,
    "time_varying_media": True,
}


def rich_world(n_entities: int) -> World:
    """World in which everything is switched on."""
    return mmm_world(
        n_entities,
        channels=MIXED,
        controls=PRICED,
        lift_tests=LIFTS,
        carryover_months=2,
        model=RICH_MODEL,
    )


def pooled_world(how: str, *, rich: bool = False) -> World:
    """World of three entities whose effects are one, or each one's own."""
    settings = {"channels": MIXED, "controls": PRICED, "lift_tests": LIFTS} if rich else {}
    return mmm_world(3, model={**(RICH_MODEL if rich else {}), "pooling": how}, **settings)


CURVES: dict[str, Callable[[], World]] = {
    **{f"adstock-{kind}": partial(mmm_world, 1, kind, "hill", l_max=6) for kind in AdstockKind},
    **{f"saturation-{kind}": partial(mmm_world, 1, "geometric", kind) for kind in SaturationKind},
    "one-lag": partial(mmm_world, 1, l_max=1),
    "one-lag-weibull": partial(mmm_world, 1, "weibull_pdf", "hill", l_max=1),
    "seven-lags": partial(mmm_world, 3, "geometric", "hill", l_max=7),
    "saturated-first": partial(mmm_world, 1, model=saturated_first("delayed", "hill")),
    "saturated-first-entities": partial(mmm_world, 3, model=saturated_first("geometric", "root")),
    "mixed": partial(mmm_world, 1, channels=MIXED),
    "mixed-entities": partial(mmm_world, 3, channels=MIXED, carryover_months=2),
}
"""Carryover and saturation."""
BASELINES: dict[str, Callable[[], World]] = {
    "bare": partial(mmm_world, 1, **BARE),
    "bare-entities": partial(mmm_world, 3, **BARE),
    "window": partial(mmm_world, 1, carryover_months=2),
    "window-entities": partial(mmm_world, 3, carryover_months=2),
    "signed": partial(mmm_world, 1, controls=PRICED),
    "signed-entities": partial(mmm_world, 3, controls=PRICED),
    "events-and-bends": partial(
        mmm_world, 3, model={"trend": "piecewise", "events": PROMOTION, "holidays": "US"}
    ),
    "smooth-trend": partial(mmm_world, 1, model={"trend": "gp"}),
    "wall": partial(mmm_world, 1, model={"non_negative_baseline": True}),
    "wall-entities": partial(mmm_world, 3, controls=PRICED, model={"non_negative_baseline": True}),
    "student-t": partial(mmm_world, 1, model={"likelihood": "student_t"}),
    "student-t-entities": partial(mmm_world, 3, model={"likelihood": "student_t"}),
    "independent": partial(mmm_world, 1, model={"autocorrelated_noise": False}),
    "independent-entities": partial(mmm_world, 3, model={"autocorrelated_noise": False}),
    "independent-student-t": partial(
        mmm_world, 1, model={"autocorrelated_noise": False, "likelihood": "student_t"}
    ),
}
"""What is there beside media, and the noise."""
MEDIA: dict[str, Callable[[], World]] = {
    "time-varying": partial(mmm_world, 1, model={"time_varying_media": True}),
    "time-varying-entities": partial(
        mmm_world, 3, carryover_months=2, model={"time_varying_media": True}
    ),
    "coefficient": partial(coefficient_world, 1),
    "coefficient-entities": partial(coefficient_world, 3),
    "ragged": ragged_world,
    "ragged-independent": partial(ragged_world, model={"autocorrelated_noise": False}),
    "ragged-student-t": partial(ragged_world, model={"likelihood": "student_t"}),
    "ragged-rich": partial(
        ragged_world,
        channels=MIXED,
        controls=PRICED,
        lift_tests=[*LIFTS, lift_test(30, 2, entity="market_1")],
        windows={"carryover_months": 2, "estimation_months": 12},
        model=RICH_MODEL,
    ),
    **{f"pooled-{how}": partial(pooled_world, how) for how in ("complete", "none")},
    **{f"pooled-{how}-rich": partial(pooled_world, how, rich=True) for how in ("complete", "none")},
    "stated-share": partial(mmm_world, 1, model={"media_share": 0.2}),
    "stated-share-entities": partial(mmm_world, 3, model={"share_spread": 0.5}),
    "lift": partial(mmm_world, 1, lift_tests=LIFTS),
    "lift-entities": partial(
        mmm_world, 3, lift_tests=[*LIFTS, lift_test(30, 2, entity="market_1")]
    ),
    "lift-window": partial(mmm_world, 3, lift_tests=LIFTS, carryover_months=2),
    "lift-time-varying": partial(
        mmm_world,
        3,
        lift_tests=[*LIFTS, lift_test(30, 2, entity="market_1")],
        carryover_months=2,
        model={"time_varying_media": True},
    ),
    "lift-saturated-first": partial(
        mmm_world, 1, lift_tests=LIFTS, model=saturated_first("geometric", "hill")
    ),
    "lift-mixed": partial(mmm_world, 1, lift_tests=LIFTS, channels=MIXED),
    "lift-switched-on": switched_on_world,
    "rich": partial(rich_world, 1),
    "rich-entities": partial(rich_world, 3),
}
"""What moves media over time, what is believed of them, what experiments said of them."""
FORMS = CURVES | BASELINES | MEDIA

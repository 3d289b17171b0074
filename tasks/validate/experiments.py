"""Lift tests that can be read and cannot be meant: per cent, averages, signs, errors, entities.

Belongs here: pure rules on a test beside the panel, before any sampling. Does not: whether a test
fits the panel at all (``tasks.models.mmm.lift_placement``), what a fit says of it
(``tasks.diagnose.lift_conflict``).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM
from schemas.outcomes import Finding, Layer, Verdict
from schemas.spec.channels import ChannelKind
from schemas.spec.lift_tests import LiftTest
from schemas.words import format_number, format_ratio
from tasks.mathematics.panel import build_panel
from tasks.models.lift_placement import PlacedTest, place_tests

PERCENT_LIMIT = 100.0
"""A lift up to this size may be per cent, where it is next to nothing of the KPI of its periods."""
NOTHING = 1e-3
"""Share of the KPI of a test's periods below which its lift is next to nothing."""
MIN_RETURN = 0.01
"""A test that returns less per unit of money is next to nothing too."""
MIN_ERROR_TO_NOISE = 0.02
"""An error below this share of the KPI's own noise over the test cannot be an experiment's."""
MIN_ERROR_TO_LIFT = 0.01
CLOSE = 1.6
"""Two amounts of money within this factor are taken to be one and the same: what a channel would
have spent is known no better."""
NEIGHBOURS = 8
"""Periods on either side of a test that say what spend would have been."""


class _Seen(NamedTuple):
    """What the panel has in the periods of a test."""

    n_periods: int
    kpi: float
    value: float
    """Money per unit of the KPI, 1 where it has none."""
    noise: float
    """Standard deviation of the sum of the KPI from one stretch of this length to the next."""
    departure: float
    """Spend of these periods less what the neighbours spent in as many."""
    departures: Mapping[str, float]
    """The same of every other channel."""
    alone: Mapping[str, float]
    """The same of the channel in each entity, where the test names none and no entity has most of
    its money."""


def judge_lift_tests(rows: pd.DataFrame, metadata: FeatureMetadata) -> list[Finding]:
    """Review lift tests whose numbers look like something else than they should be.

    Parameters
    ----------
    rows
        ``features.parquet``.
    metadata
        Feature metadata with ``lift_tests``, which fit the panel.
    """
    tests = metadata.lift_tests or []
    if not tests:
        return []
    panel = build_panel(rows, metadata)
    rivals = {c.name for c in metadata.channels if c.kind is ChannelKind.COMPETITOR}
    findings = []
    for position, (test, placed) in enumerate(
        zip(tests, place_tests(panel, metadata.grain, tests), strict=True)
    ):
        seen = _look(panel, test, placed)
        for rule, message, remedy in _suspicions(test, seen, is_rival=test.channel in rivals):
            findings.append(
                Finding(
                    layer=Layer.FEATURES,
                    rule=rule,
                    verdict=Verdict.REVIEW,
                    message=f"lift_tests.{position} ({test.label}): {message}",
                    remedy=remedy,
                    rows=[position],
                )
            )
    return findings


def _suspicions(test: LiftTest, seen: _Seen, *, is_rival: bool) -> Iterator[tuple[str, str, str]]:
    yield from _slipped_sign(test, is_rival=is_rival)
    percent = list(_percent(test, seen))
    yield from percent
    average = list(_average(test, seen))
    yield from average
    if not percent:
        yield from _bold_error(test, seen)
    if not average:
        yield from _wrong_way(test, seen)
        yield from _other_channel(test, seen)
        yield from _one_entity(test, seen)


def _slipped_sign(test: LiftTest, *, is_rival: bool) -> Iterator[tuple[str, str, str]]:
    against = (
        (test.delta_spend * test.delta_kpi > 0)
        if is_rival
        else (test.delta_spend * test.delta_kpi < 0)
    )
    if against and abs(test.delta_kpi) > 2 * test.standard_error:
        yield (
            "lift_test_sign",
            f"delta_spend {format_number(test.delta_spend)} and delta_kpi "
            f"{format_number(test.delta_kpi)} have opposite signs: more spend, fewer units.",
            "Check the signs: both are differences from the spend in the data, and a test that the "
            "data contain is entered as the way back, with both signs turned.",
        )


def _percent(test: LiftTest, seen: _Seen) -> Iterator[tuple[str, str, str]]:
    share = abs(test.delta_kpi) / seen.kpi if seen.kpi else np.inf
    returned = abs(test.delta_kpi) * seen.value / abs(test.delta_spend)
    if abs(test.delta_kpi) <= PERCENT_LIMIT and share < NOTHING and returned < MIN_RETURN:
        meant = test.delta_kpi / 100 * seen.kpi
        yield (
            "lift_test_percent",
            f"delta_kpi {format_number(test.delta_kpi)} is next to nothing beside the KPI of its "
            f"periods ({format_number(seen.kpi)}) and brings {format_ratio(returned)} per unit of "
            "money. Is it per cent?",
            f"Give delta_kpi and standard_error in KPI units over all periods: "
            f"{format_number(test.delta_kpi)} per cent would be {format_number(meant)}.",
        )


def _average(test: LiftTest, seen: _Seen) -> Iterator[tuple[str, str, str]]:
    """A change that the data show, given per period or day instead of in total."""
    n_days = (test.end - test.start).days + 1
    for n, unit in ((seen.n_periods, "period"), (n_days, "day")):
        if n > 1 and _is_close(abs(test.delta_spend * n), abs(seen.departure)):
            yield (
                "lift_test_average",
                f"delta_spend {format_number(test.delta_spend)} is about a {n}th of what spend "
                f"departs by in these periods ({format_number(seen.departure)}). Is it an average "
                f"per {unit}?",
                "Give delta_spend, delta_kpi and standard_error as totals over the whole test "
                f"(here {n} times as much). If they are, and it ran in one entity alone, name that "
                "(lift_tests[].entity).",
            )
            return


def _bold_error(test: LiftTest, seen: _Seen) -> Iterator[tuple[str, str, str]]:
    tiny = test.standard_error < MIN_ERROR_TO_NOISE * seen.noise
    if tiny or test.standard_error < MIN_ERROR_TO_LIFT * abs(test.delta_kpi):
        yield (
            "lift_test_error",
            f"its standard error {format_number(test.standard_error)} is next to nothing: the KPI "
            f"itself moves by {format_number(seen.noise)} from one such stretch to the next, and "
            f"the lift is {format_number(test.delta_kpi)}. Are both of one day, or in another "
            "unit?",
            "Give delta_kpi and standard_error in KPI units as totals over the whole test, and "
            "delta_spend as well; from a 95 % interval the error is its width over 3.92.",
        )


def _wrong_way(test: LiftTest, seen: _Seen) -> Iterator[tuple[str, str, str]]:
    """The raise, or the cut, that the data contain, entered as if it came on top."""
    if np.sign(test.delta_spend) == np.sign(seen.departure) and _is_close(
        test.delta_spend, seen.departure
    ):
        yield (
            "lift_test_direction",
            f"spend of these periods departs from its neighbours by "
            f"{format_number(seen.departure)}, which is delta_spend: the data seem to contain the "
            "test.",
            "A test that the data contain is entered as the way back, with the signs of "
            "delta_spend and delta_kpi turned.",
        )


def _other_channel(test: LiftTest, seen: _Seen) -> Iterator[tuple[str, str, str]]:
    if _is_close(-test.delta_spend, seen.departure):
        return
    for name, departure in seen.departures.items():
        if _is_close(-test.delta_spend, departure):
            yield (
                "lift_test_channel",
                f"spend of {name!r} departs by {format_number(departure)} in these periods, that "
                f"of {test.channel!r} by {format_number(seen.departure)}. Was the test on "
                f"{name!r}?",
                "Check the channel of the test.",
            )


def _one_entity(test: LiftTest, seen: _Seen) -> Iterator[tuple[str, str, str]]:
    """A test of one entity, entered as one of all: its money would be spread over all of them."""
    for name, departure in seen.alone.items():
        if _is_close(-test.delta_spend, departure):
            yield (
                "lift_test_entity",
                f"spend in {name!r} departs by {format_number(departure)} in these periods, which "
                "is all of delta_spend, and the test names no entity. Was it there alone?",
                f"Name the entity of the test (entity: {name}); without one its money is spread "
                "over all of them.",
            )


def _is_close(one: float, other: float) -> bool:
    return other != 0 and 1 / CLOSE < one / other < CLOSE


def _look(panel: xr.Dataset, test: LiftTest, placed: PlacedTest) -> _Seen:
    names = [str(name) for name in panel[ENTITY_DIM].values]
    where = range(len(names)) if test.entity is None else [names.index(test.entity)]
    part = panel.isel({ENTITY_DIM: list(where)})
    kpi = np.nan_to_num(part["kpi"].transpose(ENTITY_DIM, DATE_DIM).to_numpy())
    value = np.nan_to_num(part["unit_value"].transpose(ENTITY_DIM, DATE_DIM).to_numpy(), nan=1.0)
    inside = slice(placed.first, placed.last + 1)
    total = kpi.sum(axis=0)
    units = float(np.abs(kpi[:, inside]).sum())
    money = float((np.abs(kpi) * value)[:, inside].sum())
    spends = np.nan_to_num(part["spend"].transpose(CHANNEL_DIM, ENTITY_DIM, DATE_DIM).to_numpy())
    departures = {
        str(name): _departure(spends[index].sum(axis=0), placed)
        for index, name in enumerate(part[CHANNEL_DIM].values)
    }
    n_periods = placed.last - placed.first + 1
    return _Seen(
        n_periods=n_periods,
        kpi=units,
        value=money / units if units else 1.0,
        noise=float(np.diff(total).std() / np.sqrt(2) * np.sqrt(n_periods)),
        departure=departures.pop(test.channel),
        departures=departures,
        alone=_departures_alone(names, spends[placed.channel], placed) if len(where) > 1 else {},
    )


def _departures_alone(
    names: Sequence[str], spend: NDArray[np.float64], placed: PlacedTest
) -> dict[str, float]:
    """Departure of a channel in each entity; none of one that has most of the money anyway."""
    total = float(spend.sum())
    return {
        name: _departure(own, placed)
        for name, own in zip(names, spend, strict=True)
        if own.sum() * CLOSE < total
    }


def _departure(spend: NDArray[np.float64], placed: PlacedTest) -> float:
    """Spend of a test's periods less the median of its neighbours in as many.

    Zero where it is within what spend moves by anyway: two standard errors of the neighbours'.
    """
    first, last = placed.first, placed.last
    around = np.r_[spend[max(first - NEIGHBOURS, 0) : first], spend[last + 1 :][:NEIGHBOURS]]
    if not len(around):
        return 0.0
    n = last - first + 1
    departure = float(spend[first : last + 1].sum() - n * np.median(around))
    return departure if abs(departure) > 2 * np.sqrt(n) * float(around.std()) else 0.0

"""Where a lift test stands in the panel, and what its money means in units of the channel's input.

Belongs here: names and days to positions, money to input, everything that makes a test unusable.
Does not: the model's opinion on a test (``tasks.models.mmm.lift``).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.errors import SpecError
from schemas.hints import suggest
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM
from schemas.spec.lift_tests import LiftTest
from schemas.spec.run_spec import Grain
from tasks.mathematics.calendar import next_start
from tasks.mathematics.panel import IS_ESTIMATION, observed_of

_ROUNDING = 1e-9
"""Share of the spend by which a change down to zero may miss it."""


class PlacedTest(NamedTuple):
    """A lift test in positions of the panel."""

    channel: int
    entities: NDArray[np.intp]
    """``(k,)``: one entity, or all that the test's money falls on."""
    first: int
    last: int
    """First and last period of the test, both in it."""
    delta_input: NDArray[np.float64]
    """``(k, last - first + 1)``: change of the channel's input, in the input's own unit."""


def place_tests(panel: xr.Dataset, grain: Grain, tests: Sequence[LiftTest]) -> list[PlacedTest]:
    """Place tests in a panel.

    The money of a test goes to entities and periods in proportion to what was spent there; the
    input moves with it. Where the test's periods saw no spend it goes evenly, and becomes input at
    what a unit of money bought over the whole panel: of the entity, or where that never spent, of
    all entities.

    Parameters
    ----------
    panel
        As ``tasks.mathematics.panel.build_panel`` makes it.
    grain
        Length of a period.
    tests
        Lift tests of the run spec.

    Raises
    ------
    SpecError
        If a test names an unknown channel or entity, a channel without spend, days outside the
        fitted window, or takes away more than was spent; with every problem of every test.
    """
    placed: list[PlacedTest] = []
    problems: list[str] = []
    for position, test in enumerate(tests):
        found = [*_name_problems(panel, test), *_day_problems(panel, test, grain)]
        if not found:
            placed.append(_place(panel, test, grain))
            found = list(_money_problems(panel, test, placed[-1]))
        problems += [f"lift_tests.{position} ({test.label}): {problem}" for problem in found]
    if problems:
        listing = "\n".join(f"- {p}" for p in problems)
        raise SpecError(f"The lift tests do not fit the data:\n{listing}", problems)
    return placed


def change_input(panel: xr.Dataset, placed: PlacedTest) -> xr.Dataset:
    """Return a panel with the input that a test speaks of; rounding never leaves it below zero.

    Parameters
    ----------
    panel
        As ``tasks.mathematics.panel.build_panel`` makes it.
    placed
        The test, in positions of this panel.

    Returns
    -------
    xr.Dataset
        The panel, its ``media (entity, channel, date)`` changed alone.
    """
    media = panel["media"].transpose(ENTITY_DIM, CHANNEL_DIM, DATE_DIM).copy()
    values = media.to_numpy()
    where = (placed.entities, placed.channel, slice(placed.first, placed.last + 1))
    values[where] = np.maximum(values[where] + placed.delta_input, 0.0)
    return panel.assign(media=media)


def _name_problems(panel: xr.Dataset, test: LiftTest) -> Iterator[str]:
    channels = [str(name) for name in panel[CHANNEL_DIM].values]
    entities = [str(name) for name in panel[ENTITY_DIM].values]
    if test.channel not in channels:
        yield _unknown("channel", test.channel, channels)
    elif np.isnan(_spend(panel, channels.index(test.channel))).all():
        yield "the channel has no spend column, so delta_spend has no meaning for it."
    if test.entity is not None and test.entity not in entities:
        yield _unknown("entity", test.entity, entities)


def _unknown(what: str, name: str, known: list[str]) -> str:
    hint = suggest(name, known, f"known: {', '.join(known[:10])}.")
    return f"unknown {what} {name!r}; {hint}"


def _day_problems(panel: xr.Dataset, test: LiftTest, grain: Grain) -> Iterator[str]:
    starts = pd.DatetimeIndex(panel[DATE_DIM].values[panel[IS_ESTIMATION].values])
    first, after = starts[0].date(), next_start(starts[-1].date(), grain)
    if test.start < first or test.end >= after:
        yield (
            f"its days are not in the fitted window, which runs from {first} to the day before "
            f"{after}. Give that history too, or state what the test found as the channel's prior "
            "(channels[].prior, quantity: roas) and leave it out here."
        )


def _spend(panel: xr.Dataset, channel: int) -> NDArray[np.float64]:
    spend = panel["spend"].isel({CHANNEL_DIM: channel})
    return spend.transpose(ENTITY_DIM, DATE_DIM).to_numpy()


def _media(panel: xr.Dataset, channel: int) -> NDArray[np.float64]:
    media = panel["media"].isel({CHANNEL_DIM: channel})
    return media.transpose(ENTITY_DIM, DATE_DIM).to_numpy()


def _place(panel: xr.Dataset, test: LiftTest, grain: Grain) -> PlacedTest:
    channel = [str(c) for c in panel[CHANNEL_DIM].values].index(test.channel)
    names = [str(e) for e in panel[ENTITY_DIM].values]
    everywhere = test.entity is None
    entities = np.arange(len(names)) if everywhere else np.array([names.index(str(test.entity))])
    starts = [stamp.date() for stamp in pd.DatetimeIndex(panel[DATE_DIM].values)]
    inside = [s <= test.end and next_start(s, grain) > test.start for s in starts]
    first, last = inside.index(True), len(inside) - 1 - inside[::-1].index(True)
    delta = _delta_input(
        _media(panel, channel)[entities],
        np.nan_to_num(_spend(panel, channel)[entities]),
        slice(first, last + 1),
        test.delta_spend,
        observed_of(panel)[entities, first : last + 1],
        fallback=_units_per_money(_media(panel, channel), np.nan_to_num(_spend(panel, channel))),
    )
    # An entity without spend has no part in a test of all that spent elsewhere.
    touched = (delta != 0).any(axis=1)
    return PlacedTest(channel, entities[touched], first, last, delta[touched])


def _delta_input(
    media: NDArray[np.float64],
    spend: NDArray[np.float64],
    periods: slice,
    delta_spend: float,
    is_open: NDArray[np.bool_],
    *,
    fallback: float,
) -> NDArray[np.float64]:
    """Change of the input per entity and period of a test; arrays are ``(entity, date)``.

    ``is_open`` is ``(entity, period of the test)``: a test moves nothing where there was no market.
    """
    spent = spend[:, periods]
    if spent.sum() > 0:
        return media[:, periods] * delta_spend / spent.sum()
    evenly = delta_spend * is_open / max(int(is_open.sum()), 1)
    rates = [
        _units_per_money(m, s) if s.sum() > 0 else fallback
        for m, s in zip(media, spend, strict=True)
    ]
    return evenly * np.array(rates)[:, None]


def _units_per_money(media: NDArray[np.float64], spend: NDArray[np.float64]) -> float:
    """Input that a unit of money bought; 1 where the input is money, NaN where none was spent."""
    return float(media.sum() / spend.sum()) if spend.sum() > 0 else float("nan")


def _money_problems(panel: xr.Dataset, test: LiftTest, placed: PlacedTest) -> Iterator[str]:
    if not np.isfinite(placed.delta_input).all():
        yield "the channel never spent anything, so there is no telling what its money buys."
        return
    if not placed.delta_input.size:
        yield "its periods have spend without activity, so its money cannot be turned into input."
        return
    spend = _spend(panel, placed.channel)[:, placed.first : placed.last + 1]
    names = [str(e) for e in panel[ENTITY_DIM].values]
    entities = range(len(names)) if test.entity is None else [names.index(test.entity)]
    spent = float(spend[list(entities)].sum())
    if spent + test.delta_spend < -_ROUNDING * abs(test.delta_spend):
        yield (
            f"delta_spend {test.delta_spend:g} would make spend negative: {spent:g} was spent "
            "there. Both differences are measured from the spend in the data; a switch-off that "
            "the data contain has a positive delta_spend."
        )

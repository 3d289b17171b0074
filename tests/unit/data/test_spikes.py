"""Inputs that are unlike all others of their channel."""

import numpy as np
import pytest
from support.worlds import make_rows, make_spec

from schemas.outcomes import Verdict
from schemas.spec.roles import resolve_roles
from tasks.validate.plausible import judge_plausibility
from tasks.validate.spikes import LEAST_ACTIVE, SPIKE_LIMIT, measure_spikes


def spikes_of(rows):
    spec = make_spec("mmm")
    rows = rows.assign(period_start=rows["period_start"].astype("datetime64[ns]"))
    findings = judge_plausibility(rows, resolve_roles(spec, list(rows.columns)), spec)
    return [finding for finding in findings if finding.rule == "input_spike"]


def test_a_week_that_stands_there_tenfold_is_noted_with_its_place():
    rows = make_rows(2, 104)
    assert spikes_of(rows) == []
    at = rows.index[(rows["entity_id"] == rows["entity_id"].iloc[-1])][30]
    rows.loc[at, "spend_search"] = 10 * rows["spend_search"].max()
    (found,) = spikes_of(rows)
    assert found.verdict is Verdict.PASS
    assert found.column == "spend_search"
    day = f"{rows.loc[at, 'period_start']:%Y-%m-%d}"
    assert found.places == [f"{rows.loc[at, 'entity_id']}, {day}"]
    assert day in found.message


def test_a_channel_that_is_seldom_on_says_nothing():
    values = np.zeros(104)
    values[: LEAST_ACTIVE - 1] = 1.0
    values[0] = 100.0
    assert not measure_spikes(values).any()
    values[LEAST_ACTIVE - 1] = 1.0
    assert measure_spikes(values)[0] == pytest.approx(100 / np.quantile(values[values > 0], 0.95))
    assert measure_spikes(values)[0] > SPIKE_LIMIT

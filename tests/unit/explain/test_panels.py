"""Two panels side by side: small frames, by hand."""

import numpy as np
import pandas as pd
import pytest

from schemas.documents.changes import STEPS
from tasks.explain.panels import lay_side_by_side


def panel(sales, entity="north", start="2024-01-01", **columns):
    periods = pd.date_range(start, periods=len(sales), freq="7D")
    frame = {"entity_id": entity, "period_start": periods, "sales": sales, **columns}
    return pd.DataFrame(frame)


def compare(then, now, kpi_then="sales", kpi_now="sales"):
    return lay_side_by_side(then, now, kpi_then=kpi_then, kpi_now=kpi_now)


def test_one_more_week_is_new_and_nothing_is_restated():
    found = compare(panel([1.0, 2.0]), panel([1.0, 2.0, 3.0]))
    assert (found.n_new_rows, found.is_restated) == (1, False)
    assert found.new_periods == [pd.Timestamp("2024-01-15")]
    pd.testing.assert_frame_equal(found.as_known_then, found.as_known_now)
    assert list(found.as_known_now["sales"]) == [1.0, 2.0]


def test_a_restated_value_is_in_one_panel_and_not_in_the_other():
    found = compare(panel([1.0, 2.0], x=[5.0, np.nan]), panel([1.0, 9.0, 3.0], x=[5.0, np.nan, 1]))
    assert (found.n_restated, found.n_new_rows) == (1, 1)
    assert found.restated_periods == [pd.Timestamp("2024-01-08")]
    assert list(found.as_known_then["sales"]) == [1.0, 2.0]
    assert list(found.as_known_now["sales"]) == [1.0, 9.0]


def test_a_new_market_is_new_rows_in_old_periods():
    now = pd.concat([panel([1.0, 2.0]), panel([4.0, 5.0], entity="south")])
    found = compare(panel([1.0, 2.0]), now)
    assert (found.n_new_rows, found.is_restated) == (2, False)
    assert set(found.as_known_now["entity_id"]) == {"north"}


def test_rows_that_are_gone_are_restated_history():
    found = compare(panel([1.0, 2.0, 3.0]), panel([1.0, 2.0]))
    assert (found.n_gone, found.n_restated, found.is_restated) == (1, 0, True)
    assert len(found.as_known_then) == 3
    assert len(found.as_known_now) == 2


def test_a_column_that_only_the_later_run_has_comes_from_there():
    found = compare(panel([1.0, 2.0]), panel([1.0, 7.0], spend_tv=[3.0, 4.0]))
    assert list(found.as_known_then["spend_tv"]) == [3.0, 4.0]
    assert list(found.as_known_then["sales"]) == [1.0, 2.0]
    assert found.n_restated == 1


def test_a_column_that_was_dropped_is_no_longer_there():
    found = compare(panel([1.0], spend_tv=[3.0]), panel([1.0]))
    assert list(found.as_known_then) == ["entity_id", "period_start", "sales"]


def test_a_kpi_under_another_name_is_the_same_kpi():
    renamed = panel([1.0, 2.0]).rename(columns={"sales": "revenue"})
    found = compare(panel([1.0, 2.5]), renamed, kpi_now="revenue")
    assert found.n_restated == 1
    assert list(found.as_known_then["revenue"]) == [1.0, 2.5]


def test_markets_then_and_their_sum_now_have_no_row_in_common():
    found = compare(panel([1.0, 2.0]), panel([1.0, 2.0, 3.0], entity="total"))
    assert (found.is_comparable, found.is_restated, found.n_new_rows) == (False, False, 1)
    assert list(found.as_known_then["entity_id"]) == ["total", "total"]


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_the_order_of_rows_does_not_matter(order):
    found = compare(panel([1.0, 2.0])[order], panel([1.0, 2.0, 3.0]))
    assert found.n_restated == 0


SPEC, RESTATED, NEW = STEPS


def test_every_state_between_two_panels_by_hand():
    then = panel([1.0, 2.0], x=[5.0, 6.0]).rename(columns={"sales": "revenue"})
    now = panel([1.0, 9.0, 3.0], x=[5.0, 6.0, 7.0], y=[0.0, 0.0, 1.0])
    found = compare(then, now, kpi_then="revenue")

    def sales(*let_in):
        frame = found.state(frozenset(let_in))
        return list(frame["sales" if SPEC in let_in else "revenue"]), list(frame)

    later = ["entity_id", "period_start", "sales", "x", "y"]
    earlier = ["entity_id", "period_start", "revenue", "x"]
    assert sales(SPEC) == ([1.0, 2.0], later)
    assert sales(SPEC, RESTATED) == ([1.0, 9.0], later)
    assert sales(SPEC, NEW) == ([1.0, 2.0, 3.0], later)
    assert sales(RESTATED) == ([1.0, 9.0], earlier)
    assert sales(NEW) == ([1.0, 2.0, 3.0], earlier)
    assert sales(RESTATED, NEW) == ([1.0, 9.0, 3.0], earlier)


def test_a_column_that_new_rows_lack_leaves_states_out():
    found = compare(panel([1.0], old=[3.0]), panel([2.0, 1.0]))
    assert found.state(frozenset({RESTATED})) is not None
    assert found.state(frozenset({NEW})) is None
    assert found.state(frozenset({RESTATED, NEW})) is None

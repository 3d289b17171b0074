"""The trend of refits and the noise floor, by hand."""

from datetime import UTC, date, datetime

import pytest

from schemas.answers.stability import FloorRow, TrendRow
from schemas.documents.effects import ReturnsOfFit
from schemas.documents.results import RunRecord, RunStatus
from schemas.outcomes import Verdict
from tasks.explain.trend import compare_repetition, summarize_floor, summarize_runs

MOMENT = datetime(2026, 11, 16, tzinfo=UTC)
ENDS = ("median", "low_50", "high_50", "low_90", "high_90")


def trend_row(run_id, channel, overlap, share):
    return TrendRow(
        run_id=run_id, champion_run_id="r0", channel=channel, quantity="roas", overlap=overlap,
        change_sd=0.1, planned_share_change=share,
    )  # fmt: skip


def record(run_id):
    return RunRecord(
        run_id=run_id, dataset_id="acme", status=RunStatus.OUTPUTS_READY, verdict=Verdict.PASS,
        created_at=MOMENT, updated_at=MOMENT,
    )  # fmt: skip


def floor_row(seed, channel="tv", overlap=0.9, change_sd=0.1, **facts):
    return FloorRow(
        **{
            "run_id": "r1", "dataset_id": "acme", "seed": seed, "channel": channel,
            "quantity": "roas", "mean": 2.0, "mcse": 0.01, "overlap": overlap,
            "change_sd": change_sd, "fingerprint": "f", "measured_at": MOMENT, **facts,
        }
    )  # fmt: skip


def returns(median):
    values = (median, median - 0.5, median + 0.5, median - 1.645, median + 1.645)
    row = {f"roas_{end}": value for end, value in zip(ENDS, values, strict=True)}
    return ReturnsOfFit.model_validate({"tv": {**row, "roas_mean": median, "roas_mcse": 0.02}})


def test_a_refit_is_reported_by_its_lowest_overlap_and_the_money_that_moved():
    rows = [
        trend_row("r1", "tv", 0.9, 0.10), trend_row("r1", "radio", 0.4, -0.10),
        trend_row("r2", "tv", 1.0, None),
    ]  # fmt: skip
    first, second = summarize_runs(
        rows, {name: record(name) for name in ("r1", "r2")}, {"r1": date(2026, 11, 9)}
    )
    assert (first.min_overlap, first.min_overlap_channel) == (0.4, "radio")
    assert first.allocation_churn == pytest.approx(0.1)
    assert (first.last_period, second.last_period) == (date(2026, 11, 9), None)
    assert second.allocation_churn is None, "a refit without a plan moved no money that is known"


def test_the_floor_is_the_worst_that_chance_did():
    rows = [floor_row(1, overlap=0.9, change_sd=0.1), floor_row(2, overlap=0.8, change_sd=-0.2)]
    (floor,) = summarize_floor([*rows, floor_row(1, "radio"), floor_row(2, "radio")])[:1]
    assert (floor.channel, floor.n_seeds) == ("tv", 2)
    assert (floor.min_overlap, floor.max_change_sd) == (0.8, -0.2)
    assert floor.mean_overlap == pytest.approx(0.85)


def test_the_floor_is_of_the_run_and_code_that_were_repeated_last():
    rows = [floor_row(1, run_id="r0", overlap=0.1), floor_row(1, overlap=0.7)]
    assert [floor.run_id for floor in summarize_floor(rows)] == ["r1"]
    rows = [floor_row(1, fingerprint="older", overlap=0.1), floor_row(2, overlap=0.7)]
    assert summarize_floor(rows)[0].min_overlap == 0.7
    assert summarize_floor([]) == []


def test_a_repetition_is_compared_with_the_fit_that_it_repeats():
    (row,) = compare_repetition(
        returns(2.5), returns(2.0).root, run_id="r1", dataset_id="acme", seed=7, fingerprint="f",
        measured_at=MOMENT,
    )  # fmt: skip
    assert row.overlap == pytest.approx(0.5)
    assert row.change_sd == pytest.approx(0.5)
    assert (row.mean, row.mcse, row.seed) == (2.5, 0.02, 7)

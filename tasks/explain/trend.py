"""The trend of many refits and the noise floor, from rows of the warehouse. No I/O."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import groupby

from schemas.answers.stability import Floor, FloorRow, TrendRow, TrendRun
from schemas.documents.effects import Quantiles, ReturnsOfFit
from schemas.documents.results import RunRecord
from tasks.mathematics.stability import compare_channels


def summarize_runs(
    rows: Sequence[TrendRow],
    records: Mapping[str, RunRecord],
    last_periods: Mapping[str, date],
) -> list[TrendRun]:
    """Return one line per refit, in the order of the rows."""
    runs = []
    for run_id, group in groupby(rows, key=lambda row: row.run_id):
        channels = list(group)
        worst = min(channels, key=lambda row: row.overlap)
        record = records[run_id]
        moves = [row.planned_share_change for row in channels]
        moved = [abs(move) for move in moves if move is not None]
        runs.append(
            TrendRun(
                run_id=run_id,
                champion_run_id=worst.champion_run_id,
                created_at=record.created_at,
                last_period=last_periods.get(run_id),
                verdict=record.verdict.value if record.verdict else "",
                min_overlap=worst.overlap,
                min_overlap_channel=worst.channel,
                allocation_churn=sum(moved) / 2 if moved else None,
            )
        )
    return runs


def summarize_floor(rows: Sequence[FloorRow]) -> list[Floor]:
    """Return the floor of the run and code that were repeated last, channel by channel."""
    if not rows:
        return []
    newest = rows[-1]
    same = [r for r in rows if (r.run_id, r.fingerprint) == (newest.run_id, newest.fingerprint)]
    return [_floor(channel, same) for channel in dict.fromkeys(row.channel for row in same)]


def compare_repetition(
    returns: ReturnsOfFit,
    own: Mapping[str, Quantiles],
    *,
    run_id: str,
    dataset_id: str,
    seed: int,
    fingerprint: str,
    measured_at: datetime,
) -> list[FloorRow]:
    """Compare a repetition with the fit that it repeats.

    Parameters
    ----------
    returns
        ``measure_returns`` of the repetition.
    own
        Quantiles of the repeated fit.
    run_id, dataset_id, seed, fingerprint, measured_at
        Of the repetition.
    """
    return [
        FloorRow(
            run_id=run_id,
            dataset_id=dataset_id,
            seed=seed,
            channel=shift.channel,
            quantity=shift.quantity,
            mean=returns[shift.channel].accuracy(shift.quantity)[0],
            mcse=returns[shift.channel].accuracy(shift.quantity)[1],
            overlap=shift.overlap,
            change_sd=shift.change_sd,
            fingerprint=fingerprint,
            measured_at=measured_at,
        )
        for shift in compare_channels(returns.root, own)
    ]


def _floor(channel: str, rows: Sequence[FloorRow]) -> Floor:
    own = [row for row in rows if row.channel == channel]
    overlaps = [row.overlap for row in own]
    changes = [row.change_sd for row in own if row.change_sd is not None]
    return Floor(
        run_id=own[0].run_id,
        channel=channel,
        quantity=own[0].quantity,
        n_seeds=len(own),
        min_overlap=min(overlaps),
        mean_overlap=sum(overlaps) / len(overlaps),
        max_change_sd=max(changes, key=abs) if changes else None,
    )

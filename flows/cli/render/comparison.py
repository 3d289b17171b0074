"""Runs side by side on a terminal: one block per question, one column per run."""

import json
from collections.abc import Callable, Iterator, Sequence

from flows.cli.render.terminal import render_table
from schemas.answers.comparison import (
    ChannelInComparison,
    ForecastFigures,
    RunInComparison,
    RunsCompared,
)
from schemas.words import (
    format_interval,
    format_number,
    format_probability,
    format_ratio,
    format_share,
)

NOTE = (
    "Scores say which run forecasts best. They cannot choose between causal explanations: models "
    "that forecast alike may share the KPI out differently."
)
_MOST_TEXT = 60


class Block:
    """One table: what it is about, and a row per fact with a cell per run.

    Parameters
    ----------
    title
        What it is about.
    rows
        First cell: the fact; then one per run, in their order.
    """

    def __init__(self, title: str, rows: Sequence[Sequence[str]]) -> None:
        self.title, self.rows = title, [list(row) for row in rows]


def build_blocks(found: RunsCompared, *, most_text: int | None = None) -> list[Block]:
    """Return the tables of a comparison, those without rows left out.

    Parameters
    ----------
    found
        The comparison.
    most_text
        Letters of a reason or a setting that are shown; None: all.
    """
    runs = found.runs
    blocks = [
        Block("Runs", [*_facts(runs, most_text)]),
        Block("ROAS (94 % interval)", _of_channels(found, _roas)),
        Block("Contribution (94 % interval)", _of_channels(found, _contribution)),
        Block("mROAS", _of_channels(found, lambda row: format_ratio(row.mroas_mean))),
        Block("Evidence", _of_channels(found, lambda row: row.evidence or "–")),
        Block("Spend over the horizon, today → candidate", _of_channels(found, _planned)),
        Block("Fit, in-sample", [*_fits(runs)]),
        Block("Forecasts that have happened", [*_forecasts(runs)]),
        Block("Plan", [*_plans(runs)]),
        Block("What differs in the run spec", [*_differences(found, most_text)]),
    ]
    return [block for block in blocks if block.rows]


def render_comparison(found: RunsCompared) -> str:
    """Render runs side by side."""
    header = ["", *(run.run_id for run in found.runs)]
    data = "the same data" if found.same_snapshot else "different data"
    parts = [f"{found.dataset_id}, {found.kpi_name or 'KPI unknown'}: {data}"]
    for block in build_blocks(found, most_text=_MOST_TEXT):
        parts.append(render_table([block.title, *header[1:]], block.rows))
    return "\n\n".join([*parts, NOTE]) + "\n"


def _facts(runs: Sequence[RunInComparison], most: int | None) -> Iterator[list[str]]:
    yield ["verdict", *(str(run.verdict or run.status) for run in runs)]
    yield ["model kind", *(run.model_kind or "–" for run in runs)]
    yield ["champion", *("yes" if run.is_champion else "" for run in runs)]
    yield ["snapshot", *(run.snapshot_id or "–" for run in runs)]
    yield ["fitted from", *(str(run.estimation_start or "–") for run in runs)]
    yield ["fitted to", *(str(run.estimation_end or "–") for run in runs)]
    yield ["against it", *(_shortened(" ".join(run.reasons), most) for run in runs)]


def _of_channels(
    found: RunsCompared, write: Callable[[ChannelInComparison], str]
) -> list[list[str]]:
    rows = [
        [name, *(write(of[run.run_id]) if run.run_id in of else "–" for run in found.runs)]
        for name, of in found.channels.items()
    ]
    return [row for row in rows if set(row[1:]) != {"–"}]


def _roas(row: ChannelInComparison) -> str:
    if row.roas_mean is None:
        return "–"
    return f"{format_ratio(row.roas_mean)} ({format_interval(row.roas_low, row.roas_high)})"


def _contribution(row: ChannelInComparison) -> str:
    low, high = format_number(row.contribution_low), format_number(row.contribution_high)
    return f"{format_number(row.contribution_mean)} ({low} to {high})"


def _planned(row: ChannelInComparison) -> str:
    if row.candidate is None:
        return "–"
    return f"{format_number(row.current)} → {format_number(row.candidate)} {row.action or ''}"


def _fits(runs: Sequence[RunInComparison]) -> Iterator[list[str]]:
    if not any(run.fit for run in runs):
        return
    yield ["R²", *(format_number(run.fit.r2) if run.fit else "–" for run in runs)]
    yield ["MAPE", *(format_share(run.fit.mape) if run.fit else "–" for run in runs)]
    yield ["RMSE", *(format_number(run.fit.rmse) if run.fit else "–" for run in runs)]


def _forecasts(runs: Sequence[RunInComparison]) -> Iterator[list[str]]:
    facts: dict[str, Callable[[ForecastFigures], str]] = {
        "periods": lambda score: str(score.n),
        "CRPS": lambda score: format_number(score.crps),
        "MAPE": lambda score: format_share(score.mape),
        "inside 50 %": lambda score: format_share(score.coverage_50),
        "inside 90 %": lambda score: format_share(score.coverage_90),
    }
    for basis in sorted({basis for run in runs for basis in run.forecasts}):
        for name, write in facts.items():
            cells = (run.forecasts.get(basis) for run in runs)
            yield [f"{basis} {name}", *(write(score) if score else "–" for score in cells)]


def _plans(runs: Sequence[RunInComparison]) -> Iterator[list[str]]:
    if not any(run.plan for run in runs):
        return
    plans = [run.plan for run in runs]
    yield ["advice", *(plan.advice if plan else "–" for plan in plans)]
    yield ["budget", *(format_number(plan.budget) if plan else "–" for plan in plans)]
    yield [
        "gain (94 % interval)",
        *(
            f"{format_number(plan.gain_mean)} ({format_number(plan.gain_low)} to "
            f"{format_number(plan.gain_high)})"
            if plan
            else "–"
            for plan in plans
        ),
    ]
    yield ["P(gain > 0)", *(format_probability(plan.prob_gain) if plan else "–" for plan in plans)]


def _differences(found: RunsCompared, most: int | None) -> Iterator[list[str]]:
    for difference in found.differences:
        values = (difference.values.get(run.run_id) for run in found.runs)
        yield [difference.key, *(_shortened(json.dumps(v, default=str), most) for v in values)]


def _shortened(text: str, most: int | None) -> str:
    return text if most is None or len(text) <= most else f"{text[: most - 1]}…"

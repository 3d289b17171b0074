"""How a backtest looks on a terminal: candidates, how far their returns move, every date."""

from flows.cli.render.terminal import render_table
from schemas.answers.backtest import CAUTION, BacktestReport, CandidateScore, SliceScore
from schemas.words import format_number, format_ratio, format_share

_CANDIDATES = [
    "candidate", "dates", "periods", "CRPS", "MAPE", "inside 50 %", "inside 90 %",
    "skill against a year before", "seconds",
]  # fmt: skip
_INFORMATION = ["candidate", "PSIS-LOO per value", "WAIC per value", "Pareto k above 0.7"]
_ADVICE = ["candidate", "plans", "to follow", "of these losing", "regret of the advice"]
_SLICES = ["fitted to", "candidate", "as known", "CRPS", "MAPE", "inside 90 %", "R-hat", "seconds"]


def render_backtest(report: BacktestReport) -> str:
    """Render the tables of a backtest and what a reader has to know."""
    channels = dict.fromkeys(name for one in report.candidates for name in one.return_spread)
    names = [one.candidate for one in report.candidates]
    spread = [
        [channel, *(format_share(one.return_spread.get(channel)) for one in report.candidates)]
        for channel in channels
    ]
    head = (
        f"{report.dataset_id}, {report.kpi_name}: {report.horizon} periods after each date, "
        f"{report.step} periods apart; {report.workers} at once, "
        f"{format_number(round(report.seconds, 1))} s"
    )
    parts = [head, render_table(_CANDIDATES, [_candidate(one) for one in report.candidates])]
    informed = [_information(one) for one in report.candidates if one.elpd_waic is not None]
    if informed:
        parts.append(render_table(_INFORMATION, informed))
    advised = [_advice(one) for one in report.candidates if one.n_advised]
    if advised:
        parts.append(render_table(_ADVICE, advised))
    if spread:
        parts.append(render_table(["return moves over the dates by", *names], spread))
    parts.append(render_table(_SLICES, [_slice(one) for one in report.slices]))
    failed = [
        f"- {one.candidate} at {one.origin}: {one.error}" for one in report.slices if one.error
    ]
    return "\n".join([*parts, *failed, *(f"- {note}" for note in report.notes), CAUTION])


def _candidate(one: CandidateScore) -> list[str]:
    return [
        one.candidate,
        str(one.n_slices),
        str(one.n_scored),
        format_number(one.crps),
        format_share(one.mape),
        format_share(one.coverage_50),
        format_share(one.coverage_90),
        format_ratio(one.skill),
        format_number(round(one.seconds, 1)),
    ]


def _information(one: CandidateScore) -> list[str]:
    return [
        one.candidate,
        _precise(one.elpd_loo),
        _precise(one.elpd_waic),
        format_share(one.bad_k),
    ]


def _precise(value: float | None) -> str:
    return format_number(None) if value is None else f"{value:.3f}"


def _advice(one: CandidateScore) -> list[str]:
    counts = [one.n_advised, one.n_followed, one.n_losing]
    return [one.candidate, *map(str, counts), format_share(one.regret)]


def _slice(one: SliceScore) -> list[str]:
    return [
        f"{one.origin}",
        one.candidate,
        "yes" if one.as_known else "no",
        format_number(one.crps),
        format_share(one.mape),
        format_share(one.coverage_90),
        format_ratio(one.r_hat_max),
        format_number(round(one.seconds, 1)),
    ]

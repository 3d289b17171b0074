"""A recovery check in words: the same ones on the terminal and in a report."""

from schemas.answers.recovery import (
    Answer,
    BestExperiment,
    ChannelRecovery,
    DrawnFrom,
    RecoveryReport,
)
from schemas.words import format_number, format_share

_DRAWN = {
    DrawnFrom.POSTERIOR: "effects drawn from the posterior of {run}",
    DrawnFrom.PRIOR: "effects drawn from the priors: nothing was fitted to the real KPI",
    DrawnFrom.FIT: "effects drawn from a fit of these data",
}
_TEACHES_LITTLE = 0.95
"""Width left above which a test is not worth making."""
_SAID = {
    Answer.YES: "yes: to within half of its effect",
    Answer.ROUGHLY: "roughly: to within its own size",
    Answer.NO: "no: the interval is wider than the effect, or the result is off",
}


def say_source(report: RecoveryReport) -> str:
    """Say what was simulated."""
    drawn = _DRAWN[report.drawn_from].format(run=report.run_id)
    return (
        f"{report.n_worlds} KPIs simulated on the real media and controls to {report.last_period}, "
        f"{drawn}; each was refitted with this spec, kind {report.model_kind}"
    )


def say_answer(row: ChannelRecovery) -> str:
    """Say whether the data can answer what a channel brings."""
    if row.bias is None:
        return "not known: no refit in which the model holds gave it an effect"
    return _SAID[row.answer]


def say_advice(report: RecoveryReport) -> str | None:
    """Say what following the plans would have meant; None without plans."""
    advice = report.advice
    if advice is None:
        return None
    parts = [f"{advice.n_followed} of {advice.n} plans advise to follow"]
    if advice.gain is not None:
        parts.append(
            f"these truly gain {format_share(advice.gain)} of the KPI on average, and "
            f"{advice.n_losing} of them lose"
        )
    parts.append(
        f"the best plan within the same bounds brings {format_share(advice.regret)} more than the "
        "advice"
    )
    return "; ".join(parts) + "."


def say_experiment(best: BestExperiment | None, grain_word: str = "period") -> str | None:
    """Say which lift test would help most; None where there is none."""
    if best is None:
        return None
    value = best.value
    if value.width_left > _TEACHES_LITTLE:
        needed = value.needed_error
        finer = (
            f" It needs a standard error of {format_number(round(needed))}, as comparisons of "
            "markets or people reach, to halve its interval."
            if needed is not None
            else ""
        )
        return (
            f"To switch a channel off for {value.periods} {grain_word}s and look at the whole KPI, "
            f"with a standard error of {format_number(round(value.standard_error))}, would say "
            f"next to nothing; on {best.channel} it would say most.{finer}"
        )
    text = (
        f"One lift test helps most on {best.channel}: switched off for {value.periods} "
        f"{grain_word}s, with a standard error of {format_number(round(value.standard_error))}, it "
        f"leaves {format_share(value.width_left)} of the width of its interval."
    )
    if value.needed_error is None:
        return text + " No test of this length alone would halve it."
    return f"{text} A standard error of {format_number(round(value.needed_error))} would halve it."

"""The answer: returns of all fits in, one row per channel out. No I/O."""

import math
from collections.abc import Mapping, Sequence

from schemas.documents.changes import (
    STEPS,
    ChannelChange,
    Comparison,
    Explanation,
    Factor,
    FitTold,
    Part,
    TriedFit,
)
from schemas.documents.effects import MeasuredReturns, ReturnsOfFit, RoiMetrics
from tasks.explain.orders import State, fitted_orders, name_state, states_between
from tasks.explain.route import (
    AFTER,
    BEFORE,
    Estimate,
    Split,
    name_main_cause,
    plan_route,
    split_change,
)
from tasks.explain.words import FACTOR_WORDS, Move, report_change, state_words
from tasks.models.returns import QUANTITIES

MAX_R_HAT = 1.05
"""Above this the chains of an auxiliary fit disagree, and its Monte Carlo errors say too little."""

type Returns = Mapping[str, MeasuredReturns]


def build_explanation(
    comparison: Comparison, tried: Sequence[TriedFit], returns: Mapping[str, Returns]
) -> Explanation:
    """Return the whole answer.

    Parameters
    ----------
    comparison
        What was compared, and the fits that were planned.
    tried
        Those that were begun.
    returns
        As in ``explain_channels``.
    """
    fits = report_fits(comparison, tried, returns)
    at = None if comparison.noise_at is None else frozenset(comparison.noise_at)
    fitted = _fitted(comparison.changed, returns)
    n_orders = len(fitted_orders(comparison.changed, fitted)) if comparison.changed else 1
    apart = tell_channels_apart(returns[BEFORE], returns[AFTER])
    return Explanation(
        run_a=comparison.run_a,
        run_b=comparison.run_b,
        dataset_id=comparison.dataset_id,
        key=comparison.key,
        changed=comparison.changed,
        facts=comparison.facts,
        channels=explain_channels(returns, comparison.changed, noise_at=at),
        fits=fits,
        notes=[
            *comparison.notes,
            *report_orders(comparison.changed, n_orders, fitted),
            *report_gaps(fits),
            *apart,
        ],
        n_orders=n_orders,
        is_complete=not any(fit.error for fit in fits),
    )


def explain_channels(
    returns: Mapping[str, Returns],
    changed: Sequence[Factor],
    *,
    noise_at: State | None,
) -> list[ChannelChange]:
    """Split the change of every channel that both runs have.

    Parameters
    ----------
    returns
        ``measure_returns`` of every fit by its name: ``before``, ``after``, those of states between
        them (``orders.name_state``), and any other name for a repetition with another seed.
    changed
        Factors that differ, in the order of ``STEPS``.
    noise_at
        Factors let in where the repetitions are.
    """
    before, after = returns[BEFORE], returns[AFTER]
    fitted = _fitted(changed, returns)
    own = {BEFORE, AFTER, *map(name_state, fitted)}
    repeats = [name for name in returns if name not in own]
    reported = []
    for channel in (name for name in after if name in before):
        quantity = _common_quantity([returns[name][channel] for name in own])
        fits = {
            name: Estimate(*fit[channel].accuracy(quantity))
            for name, fit in returns.items()
            if channel in fit and _has(fit[channel], quantity)
        }
        known = [name for name in repeats if name in fits]
        orders = fitted_orders(changed, fitted)
        split = split_change([plan_route(o, fitted, known, noise_at) for o in orders], fits)
        cause = name_main_cause(split)
        move = Move(channel, quantity, fits[BEFORE].value, fits[AFTER].value)
        absent = (f for f in Factor if f not in changed and f is not Factor.NOISE)
        reported.append(
            ChannelChange(
                channel=channel,
                quantity=quantity,
                before=move.before,
                after=move.after,
                parts=_with_ranges(split)
                | {factor: Part(value=0.0, mcse=0.0) for factor in absent},
                unsplit=split.unsplit,
                main_cause=cause,
                sentence=report_change(move, split, cause, changed),
            )
        )
    return reported


def _fitted(changed: Sequence[Factor], returns: Mapping[str, Returns]) -> list[State]:
    """States between the runs that have a fit."""
    return [state for state in states_between(changed) if name_state(state) in returns]


def _with_ranges(split: Split) -> dict[Factor, Part]:
    return {
        factor: part.model_copy(
            update=dict(zip(("order_low", "order_high"), split.ranges[factor], strict=True))
        )
        if factor in split.ranges
        else part
        for factor, part in split.parts.items()
    }


def report_orders(changed: Sequence[Factor], n_orders: int, fitted: Sequence[State]) -> list[str]:
    """Say over how many orders parts are averages, and why not over all.

    Parameters
    ----------
    changed
        Factors that differ.
    n_orders
        Orders that were averaged.
    fitted
        States between the runs that have a fit.
    """
    possible = math.factorial(len(changed))
    on_the_way = [frozenset(changed[:n]) for n in range(1, len(changed))]
    if possible == 1 or (n_orders == 1 and not all(state in fitted for state in on_the_way)):
        return []
    said = f"Parts are averages over {n_orders} of the {possible} orders of letting factors in"
    if n_orders == possible:
        return [f"Parts are averages over all {possible} orders of letting factors in."]
    missing = [state for state in states_between(changed) if state not in fitted]
    words = ", ".join(" with ".join(FACTOR_WORDS[f] for f in STEPS if f in s) for s in missing)
    return [f"{said}: there is no fit with {words} alone."]


def report_fits(
    comparison: Comparison, tried: Sequence[TriedFit], returns: Mapping[str, Returns]
) -> list[FitTold]:
    """Say what became of every planned fit; one that was not begun says so."""
    by_name = {attempt.name: attempt for attempt in tried}
    reported = []
    for fit in comparison.fits:
        attempt = by_name.get(fit.name)
        error = attempt.error if attempt else "not begun: no time was left for it"
        reported.append(
            FitTold(
                name=fit.name,
                says=fit.says,
                seed=fit.spec.sampler.random_seed,
                seconds=round(attempt.seconds, 3) if attempt else None,
                r_hat_max=_worst_r_hat(returns.get(fit.name, {})),
                error=error,
            )
        )
    return reported


def report_gaps(fits: Sequence[FitTold]) -> list[str]:
    """Say what is missing or doubtful in the answer, and why."""
    notes = [
        f"No fit of its own for {state_words(fit.name)} ({fit.says}): {fit.error}."
        for fit in fits
        if fit.error
    ]
    return notes + [
        f"The fit for {state_words(fit.name)} sampled badly (R-hat {fit.r_hat_max:.3f}); the "
        "parts beside it are less sure than they look."
        for fit in fits
        if fit.r_hat_max is not None and fit.r_hat_max > MAX_R_HAT
    ]


def tell_channels_apart(before: Returns, after: Returns) -> list[str]:
    """Say which channels only one run has."""
    new = [name for name in after if name not in before]
    gone = [name for name in before if name not in after]
    return [
        *([f"New in the model, so nothing to compare: {', '.join(new)}."] if new else []),
        *([f"No longer in the model: {', '.join(gone)}."] if gone else []),
    ]


def publish_means(measured: ReturnsOfFit, published: RoiMetrics) -> ReturnsOfFit:
    """Take the ROAS that a run has published, whatever code evaluates its draws today."""
    rows = dict(measured.root)
    for name, row in published.items():
        if name in rows and None not in (rows[name].roas_mean, row.roas_mean):
            rows[name] = rows[name].model_copy(update={"roas_mean": row.roas_mean})
    return ReturnsOfFit(rows)


def _has(row: MeasuredReturns, quantity: str) -> bool:
    return getattr(row, f"{quantity}_mean") is not None


def _common_quantity(rows: Sequence[MeasuredReturns]) -> str:
    """ROAS where every fit has one; every fit has a share."""
    return "roas" if all(_has(row, "roas") for row in rows) else "share"


def _worst_r_hat(returns: Returns) -> float | None:
    known = [getattr(row, f"{q}_r_hat") for row in returns.values() for q in QUANTITIES]
    return max((value for value in known if value is not None), default=None)

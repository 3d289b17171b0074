"""The plan as a document: every number of ``plan.json``."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.documents.plan import Advice, ChannelPlan, GroupPlan, MultiStartAgreement, Plan
from schemas.names import DATE_DIM
from schemas.spec.channels import ChannelKind
from schemas.spec.optimizer import OptimizerSpec, PlanBounds
from schemas.spec.plan_request import PlanRequest
from tasks.mathematics.draws import hdi, summarize
from tasks.optimize.advice import ChannelFacts, act_on, collect_flags
from tasks.optimize.gains import (
    Gains,
    OwnPlans,
    channel_outcomes,
    last_money,
    marginal_returns,
    return_elsewhere,
    todays_mix,
)
from tasks.optimize.limits import Limits
from tasks.optimize.outcome import PlannedFit
from tasks.optimize.space import PlanSpace, list_cells

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """A candidate and how it was found."""

    money: Array
    """Candidate spend, ``(variable,)``."""
    limits: Limits
    certificate: MultiStartAgreement | None
    own: OwnPlans | None
    """Best plans of single draws; None where they were not searched."""
    is_judged_unseen: bool = False
    """The search looked at half of the draws, so that the others can judge it."""


@dataclass(frozen=True)
class Asked:
    """What a plan was asked for, and what it is called."""

    request: PlanRequest
    settings: OptimizerSpec
    bounds: PlanBounds
    scenario_id: str
    created_at: datetime


@dataclass(frozen=True)
class Judged:
    """What a candidate brings over ``against``, and whether to follow it."""

    gains: Gains
    against: str
    advice: Advice
    reason: str


def build_document(
    fits: Sequence[PlannedFit], asked: Asked, space: PlanSpace, found: Found, judged: Judged
) -> Plan:
    """Put together what ``planning.make_plan`` found; computes nothing that decides."""
    request, settings, gains = asked.request, asked.settings, judged.gains
    planned = _planned(space, found.money, judged.advice, request)
    unit, kpi, word = units_of([fit.metadata for fit in fits])
    channels = _channel_plans(space, found, planned, judged.advice, word)
    horizon = space.pieces[0].horizon
    budget = float(found.money.sum())
    low_90, high_90 = np.quantile(gains.gain, [0.05, 0.95])
    return Plan(
        scenario_id=asked.scenario_id,
        name=request.name or asked.scenario_id,
        created_at=asked.created_at,
        dataset_ids=[fit.about.dataset_id for fit in fits],
        models=[fit.about for fit in fits],
        advice=judged.advice,
        reason=judged.reason,
        utility=settings.utility,
        unit=unit,
        kpi_name=kpi,
        return_word=word,
        first_period=horizon.starts[0],
        last_period=horizon.starts[-1],
        horizon=settings.horizon,
        budget=budget,
        current_budget=float(space.current.sum()),
        target=_target(request, word),
        gain_against=judged.against,
        **summarize(gains.gain, "gain"),
        gain_low_90=float(low_90),
        gain_high_90=float(high_90),
        prob_gain=float((gains.gain > 0).mean()),
        expected_regret=float(np.maximum(-gains.gain, 0.0).mean()),
        perfect_information=float(found.own.beyond.mean()) if found.own else None,
        **summarize(gains.change, "change"),
        **summarize(gains.total, "incremental"),
        **last_money(space),
        return_mean=float(gains.total.mean()) / budget if budget > 0 else None,
        channels=channels,
        groups=_groups(space, asked.bounds, found.money),
        not_planned=_not_planned(fits, space, request),
        certificate=found.certificate,
        flags=collect_flags(
            certificate=found.certificate,
            beyond=_beyond(space, found.money),
            unmoved=_held(channels, request, lambda row: row.prior_driven),
            unclear=_held(channels, request, lambda row: row.unclear and not row.prior_driven),
            confounded=_held(channels, request, lambda row: row.confounded),
            history_periods=min(fit.panel.sizes[DATE_DIM] for fit in fits),
            horizon=settings.horizon,
        ),
        allocation=list_cells(space, planned, found.money),
        settings=settings,
    )


def _held(
    channels: Mapping[str, ChannelPlan], request: PlanRequest, why: Callable[[ChannelPlan], bool]
) -> list[str]:
    """Channels that an optimized plan did not move; one by hand moves what it says."""
    return (
        [] if request.what_if is not None else [name for name, row in channels.items() if why(row)]
    )


def _planned(space: PlanSpace, candidate: Array, advice: Advice, request: PlanRequest) -> Array:
    """What to spend: the candidate, or today's mix (at a budget that was asked for)."""
    if advice is not Advice.WITHHELD:
        return candidate
    return todays_mix(space, request.budget) if request.budget else space.current


class _Units(NamedTuple):
    """Unit of a gain, name of the KPI, and the word for a return."""

    unit: str
    kpi: str
    word: str


def units_of(metadata: Sequence[FeatureMetadata]) -> _Units:
    """Return in what a plan of some models speaks."""
    names = {m.kpi_column for m in metadata}
    kpi = names.pop() if len(names) == 1 else "weighted KPI"
    if all(m.in_money for m in metadata):
        return _Units("money", kpi, "ROAS")
    return _Units(kpi, kpi, f"{kpi} per money")


def _target(request: PlanRequest, word: str) -> str | None:
    if request.target_roas is not None:
        return f"{word} >= {request.target_roas:g}"
    return f"m{word} = {request.target_mroas:g}" if request.target_mroas is not None else None


def _channel_plans(
    space: PlanSpace, found: Found, planned: Array, advice: Advice, word: str
) -> dict[str, ChannelPlan]:
    current, candidate = space.by_channel(space.current), space.by_channel(found.money)
    bounds = np.array([found.limits.range_of(space.row([name])) for name in space.channels])
    low, high = bounds.T
    advised = space.by_channel(planned)
    observed = [space.by_channel(end) for end in space.observed]
    now, then = marginal_returns(space, space.current), marginal_returns(space, found.money)
    brought = channel_outcomes(space, space.current).mean(axis=1)
    brings = channel_outcomes(space, found.money).mean(axis=1)
    raised = _prob_raise(space, found.own)
    beyond = _beyond(space, found.money)
    plans = {}
    for place in np.argsort(-current, kind="stable"):
        name = space.channels[place]
        mean, ends = _mean_and_interval(now[place])
        mean_then, _ = _mean_and_interval(then[place])
        facts = ChannelFacts(
            name=name,
            current=float(current[place]),
            planned=float(advised[place]),
            candidate=float(candidate[place]),
            low=float(low[place]),
            high=float(high[place]),
            mroas_mean=mean,
            mroas_low=ends[0],
            mroas_high=ends[1],
            mroas_candidate=mean_then,
            elsewhere=return_elsewhere(now, current, advised, int(place)),
            prior_driven=bool(space.prior_driven[place]),
            unclear=bool(space.unclear[place]),
            confounded=bool(space.confounded[place]),
        )
        action, reason = act_on(facts, advice, word)
        plans[name] = ChannelPlan(
            current=facts.current,
            planned=facts.planned,
            candidate=facts.candidate,
            low=facts.low,
            high=facts.high,
            action=action,
            reason=reason,
            mroas_mean=mean,
            mroas_low=ends[0],
            mroas_high=ends[1],
            mroas_candidate_mean=facts.mroas_candidate,
            incremental_current_mean=float(brought[place]),
            incremental_candidate_mean=float(brings[place]),
            prob_raise=None if raised is None else float(raised[place]),
            prior_driven=facts.prior_driven,
            unclear=facts.unclear,
            confounded=facts.confounded,
            observed_low=float(observed[0][place]),
            observed_high=float(observed[1][place]),
            is_beyond_observed=name in beyond,
        )
    return plans


def _mean_and_interval(draws: Array) -> tuple[float | None, tuple[float | None, float | None]]:
    if np.isnan(draws).any():
        return None, (None, None)
    low, high = hdi(draws)
    return float(draws.mean()), (float(low), float(high))


def _prob_raise(space: PlanSpace, own: OwnPlans | None) -> Array | None:
    if own is None:
        return None
    today = space.by_channel(space.current)
    plans = np.array([space.by_channel(money) for money in own.money])
    return np.asarray((plans > today * (1 + 1e-4)).mean(axis=0))


def _beyond(space: PlanSpace, candidate: Array) -> dict[str, float]:
    """Channels that leave their observed range: candidate over its end, of the furthest cell."""
    found: dict[str, float] = {}
    for variable, money in enumerate(candidate):
        low, high = space.observed[:, variable]
        slack = 1e-6 * max(high, 1.0)
        name = space.channels[space.channel_of[variable]]
        if low - slack <= money <= high + slack:
            continue
        end = high if money > high else low
        ratio = float(money / end) if end > 0 else np.inf
        if name not in found or _distance(ratio) > _distance(found[name]):
            found[name] = ratio
    return found


def _distance(ratio: float) -> float:
    return max(ratio, 1 / ratio) if ratio > 0 else np.inf


def _groups(space: PlanSpace, bounds: PlanBounds, candidate: Array) -> list[GroupPlan]:
    """Groups with their bounds in money; the tighter of two bounds on one side."""
    budget = float(candidate.sum())
    plans = []
    for group in bounds.groups:
        members = space.row(group.channels)
        lows = [group.min_spend, None if group.min_share is None else group.min_share * budget]
        highs = [group.max_spend, None if group.max_share is None else group.max_share * budget]
        plans.append(
            GroupPlan(
                name=group.name,
                channels=group.channels,
                current=float(members @ space.current),
                candidate=float(members @ candidate),
                low=max((end for end in lows if end is not None), default=None),
                high=min((end for end in highs if end is not None), default=None),
            )
        )
    return plans


def _not_planned(
    fits: Sequence[PlannedFit], space: PlanSpace, request: PlanRequest
) -> dict[str, str]:
    reasons = {}
    for fit in fits:
        prefix = f"{fit.about.dataset_id}/" if request.separate and len(fits) > 1 else ""
        for channel in fit.metadata.channels:
            name = f"{prefix}{channel.name}"
            if name not in space.channels:
                reasons[name] = (
                    "a competitor's, not ours to spend"
                    if channel.kind is ChannelKind.COMPETITOR
                    else "has no spend"
                )
    return reasons

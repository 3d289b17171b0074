"""The plan as a document: every number of ``plan.json``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.documents.plan import (
    Advice,
    ChannelPlan,
    GroupPlan,
    MultiStartAgreement,
    Plan,
    PlanModel,
    PlanRequest,
    SpendCell,
)
from schemas.spec.channels import ChannelKind
from schemas.spec.optimizer import OptimizerSpec, PlanBounds
from tasks.mathematics.draws import hdi, summarize
from tasks.optimize.advice import ChannelFacts, act_on, collect_flags
from tasks.optimize.gains import (
    Gains,
    OwnPlans,
    channel_outcomes,
    marginal_returns,
    return_elsewhere,
    todays_mix,
)
from tasks.optimize.limits import Limits
from tasks.optimize.space import PlanSpace

Array = NDArray[np.float64]
EVERYWHERE = "all"
"""``entity_id`` of a cell that speaks of all entities together."""


@dataclass(frozen=True)
class Found:
    """A candidate and how it was found."""

    money: Array
    """Candidate spend, ``(variable,)``."""
    limits: Limits
    certificate: MultiStartAgreement | None
    own: OwnPlans | None
    """Best plans of single draws; None where they were not searched."""


def build_document(
    *,
    fits: Sequence[tuple[PlanModel, FeatureMetadata]],
    request: PlanRequest,
    settings: OptimizerSpec,
    bounds: PlanBounds,
    space: PlanSpace,
    found: Found,
    gains: Gains,
    against: str,
    advice: tuple[Advice, str],
    history_periods: int,
    identity: tuple[str, str, datetime],
) -> Plan:
    """Put together what ``planning.make_plan`` found; computes nothing that decides."""
    planned = _planned(space, found.money, advice[0], request)
    unit, kpi, word = _units([metadata for _, metadata in fits])
    channels = _channel_plans(space, found, planned, advice[0], word)
    horizon = space.pieces[0].horizon
    budget = float(found.money.sum())
    low_90, high_90 = np.quantile(gains.gain, [0.05, 0.95])
    return Plan(
        scenario_id=identity[0],
        name=identity[1],
        created_at=identity[2],
        dataset_ids=[about.dataset_id for about, _ in fits],
        models=[about for about, _ in fits],
        advice=advice[0],
        reason=advice[1],
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
        gain_against=against,
        **summarize(gains.gain, "gain"),
        gain_low_90=float(low_90),
        gain_high_90=float(high_90),
        prob_gain=float((gains.gain > 0).mean()),
        expected_regret=float(np.maximum(-gains.gain, 0.0).mean()),
        perfect_information=float(found.own.beyond.mean()) if found.own else None,
        **summarize(gains.change, "change"),
        **summarize(gains.total, "incremental"),
        return_mean=float(gains.total.mean()) / budget if budget > 0 else None,
        channels=channels,
        groups=_groups(space, bounds, found.money),
        not_planned=_not_planned(fits, space, request),
        certificate=found.certificate,
        flags=collect_flags(
            certificate=found.certificate,
            beyond=_beyond(space, found.money),
            unmoved=[name for name, row in channels.items() if row.prior_driven]
            if request.what_if is None
            else [],
            history_periods=history_periods,
            horizon=settings.horizon,
        ),
        allocation=_cells(space, planned, found.money),
        settings=settings,
    )


def _planned(space: PlanSpace, candidate: Array, advice: Advice, request: PlanRequest) -> Array:
    """What to spend: the candidate, or today's mix (at a budget that was asked for)."""
    if advice is not Advice.WITHHELD:
        return candidate
    return todays_mix(space, request.budget) if request.budget else space.current


def _units(metadata: Sequence[FeatureMetadata]) -> tuple[str, str, str]:
    """Unit of a gain, name of the KPI, and the word for a return."""
    names = {m.kpi_column for m in metadata}
    kpi = names.pop() if len(names) == 1 else "weighted KPI"
    if all(m.in_money for m in metadata):
        return "money", kpi, "ROAS"
    return kpi, kpi, f"{kpi} per money"


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
    plans = {}
    for place in np.argsort(-current, kind="stable"):
        name = space.channels[place]
        mean, ends = _mean_and_interval(now[place])
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
            mroas_candidate=_mean_and_interval(then[place])[0],
            elsewhere=return_elsewhere(now, current, advised, int(place)),
            prior_driven=bool(space.prior_driven[place]),
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
            observed_low=float(observed[0][place]),
            observed_high=float(observed[1][place]),
            is_beyond_observed=name in _beyond(space, found.money),
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
    fits: Sequence[tuple[PlanModel, FeatureMetadata]], space: PlanSpace, request: PlanRequest
) -> dict[str, str]:
    reasons = {}
    for about, metadata in fits:
        prefix = f"{about.dataset_id}/" if request.separate and len(fits) > 1 else ""
        for channel in metadata.channels:
            name = f"{prefix}{channel.name}"
            if name not in space.channels:
                reasons[name] = (
                    "a competitor's, not ours to spend"
                    if channel.kind is ChannelKind.COMPETITOR
                    else "has no spend"
                )
    return reasons


def _cells(space: PlanSpace, planned: Array, candidate: Array) -> list[SpendCell]:
    """Spend per period, and per entity where entities are planned; shared money counts once."""
    cells: dict[tuple[str, str, str], Array] = {}
    for piece in space.pieces:
        spends = np.stack(
            [piece.spend(money) for money in (space.current, planned, candidate)], axis=-1
        )
        if not space.by_entity:
            spends = spends.sum(axis=0, keepdims=True)
        entities = piece.allocation.entities if space.by_entity else (EVERYWHERE,)
        own = space.channel_of[piece.places[piece.allocation.variable[0, :, 0]]]
        cells |= {
            (entity_id, space.channels[place], start): spends[entity, channel, period]
            for channel, place in enumerate(own)
            for entity, entity_id in enumerate(entities)
            for period, start in enumerate(piece.horizon.starts)
        }
    return [
        SpendCell(
            entity_id=entity, channel=channel, period_start=start,
            current=float(money[0]), planned=float(money[1]), candidate=float(money[2]),
        )
        for (entity, channel, start), money in cells.items()
    ]  # fmt: skip

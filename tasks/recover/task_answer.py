"""Answer a recovery check: read scores and plans, call, put on record. Logic: ``summary``."""

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.answers.recovery import (
    FittedWorld,
    RecoveryPlan,
    RecoveryReport,
    Truth,
    WorldKind,
    WorldScore,
)
from schemas.documents.plan import Advice, Plan
from schemas.errors import SamplingError
from schemas.refs import WeeklyPlan
from tasks.store.artifact_keys import artifact_key
from tasks.store.files.artifacts import read_document
from tasks.store.files.fits import read_features
from tasks.store.home import current_home
from tasks.store.runs.recoveries import write_recovery
from tasks.store.runs.resume import forget_steps
from tasks.store.tracking import experiments
from tasks.store.tracking.recoveries import log_recovery

if TYPE_CHECKING:
    from tasks.recover.summary import ScoredWorld

log = logging.getLogger(__name__)

FEW_WORLDS = 10
"""Refits of a channel below which a share says little."""


@task(name="answer-recovery", cache_policy=NO_CACHE)
def answer_recovery(
    plan: RecoveryPlan, fitted: list[FittedWorld], weeks: list[WeeklyPlan], failed: list[str]
) -> RecoveryReport:
    """Summarize the refits of a recovery check.

    Parameters
    ----------
    plan
        What was simulated.
    fitted, weeks
        Refits and their plans, in the same order.
    failed
        A sentence for every refit that could not be sampled.

    Raises
    ------
    SamplingError
        If no refit could be sampled.
    """
    from tasks.recover import summary
    from tasks.recover.truth import judge_plan

    home = current_home()
    if not fitted:
        raise SamplingError(f"No simulated KPI could be refitted: {failed[0]}")
    worlds, advised = [], []
    for made, week in zip(fitted, weeks, strict=True):
        planned = made.world.plan
        score = read_document(home, made.scores, WorldScore)
        worlds.append(summary.ScoredWorld(planned.kind, planned.silent, score))
        if week.plan is None:
            continue
        truth = read_document(home, made.world.truth, Truth)
        document = read_document(home, week.plan.file, Plan)
        advised.append(
            summary.JudgedAdvice(
                document.advice is Advice.FOLLOW,
                judge_plan(document, truth.responses),
                truth.kpi_of_horizon,
            )
        )
    metadata = read_features(home, plan.features).metadata
    channels = {n: summary.summarize_channel(n, worlds) for n in metadata.channel_names}
    kinds = [kind for kind in WorldKind if any(w.kind is kind for w in worlds)]
    return RecoveryReport(
        dataset_id=plan.spec.dataset_id,
        question=plan.question,
        created_at=datetime.now(UTC),
        model_kind=plan.spec.model.kind,
        drawn_from=plan.drawn_from,
        run_id=plan.run_id,
        last_period=metadata.estimation_end,
        n_worlds=len(worlds),
        channels=channels,
        kinds=[summary.summarize_kind(kind, worlds) for kind in kinds],
        advice=summary.summarize_advice(advised),
        experiment=summary.choose_experiment(channels, worlds),
        seconds=round(sum(made.seconds for made in fitted), 3),
        notes=[*plan.notes, *_notes(worlds, weeks), *failed],
        mlflow_run_id=None,
    )


@task(name="record-recovery", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=5)
def record_recovery(report: RecoveryReport, steps: str) -> RecoveryReport:
    """Put a recovery check on record: in the home, where reports find it, and in MLflow."""
    home = current_home()
    client = experiments.open_store(home)
    recorded = report.model_copy(update={"mlflow_run_id": log_recovery(client, home, report)})
    write_recovery(home, recorded)
    create_table_artifact(
        key=artifact_key("recovery", report.dataset_id),
        table=[
            {"channel": name, **row.model_dump(mode="json", exclude={"experiment"})}
            for name, row in report.channels.items()
        ],
        description=f"Recovery check of {report.dataset_id}: {report.n_worlds} simulated KPIs",
    )
    forget_steps(home, steps)
    return recorded


def _notes(worlds: "list[ScoredWorld]", weeks: list[WeeklyPlan]) -> list[str]:
    notes = []
    like = sum(w.kind is WorldKind.AS_ASSUMED for w in worlds)
    if like < FEW_WORLDS:
        notes.append(
            f"{like} simulated KPIs are as the model assumes: shares of so few say little; ask for "
            "more worlds."
        )
    unplanned = {week.note for week in weeks if week.plan is None}
    return [*notes, *(f"No plan: {note}" for note in sorted(unplanned))]

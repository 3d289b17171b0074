"""Plan documents made by hand, for everything that stores, lists and shows plans."""

from datetime import UTC, datetime

from schemas.documents.plan import (
    Action,
    Advice,
    ChannelPlan,
    GroupPlan,
    MultiStartAgreement,
    Plan,
    PlanModel,
    SpendCell,
)
from schemas.spec.optimizer import OptimizerSpec, Utility

MADE = datetime(2026, 1, 5, 12, tzinfo=UTC)


def channel_plan(current=100.0, planned=120.0, **facts) -> ChannelPlan:
    return ChannelPlan(
        **{
            "current": current,
            "planned": planned,
            "candidate": planned,
            "low": 70.0,
            "high": 130.0,
            "action": Action.INCREASE,
            "reason": "The next percent of spend returns more here.",
            "mroas_mean": 1.5,
            "mroas_low": 1.1,
            "mroas_high": 2.25,
            "mroas_candidate_mean": 1.2,
            "incremental_current_mean": 300.0,
            "incremental_candidate_mean": 330.0,
            "prob_raise": 0.8,
            "prior_driven": False,
            "observed_low": 50.0,
            "observed_high": 200.0,
            "is_beyond_observed": False,
            **facts,
        }
    )


def forged_plan(scenario_id="plan-1", *, dataset_ids=("demo",), channels=("tv", "search"), **facts):
    """A plan whose numbers are round; every fact can be replaced."""
    models = [
        PlanModel(
            dataset_id=name, run_id=f"{name}-run", snapshot_id="s" * 16, model_version=1, weight=1.0
        )
        for name in dataset_ids
    ]
    return Plan(
        **{
            "scenario_id": scenario_id,
            "name": scenario_id,
            "created_at": MADE,
            "dataset_ids": list(dataset_ids),
            "models": models,
            "advice": Advice.FOLLOW,
            "reason": "It gains 30 with a probability of 97 %.",
            "utility": Utility.MEAN,
            "unit": "money",
            "kpi_name": "sales",
            "return_word": "ROAS",
            "first_period": "2026-01-05",
            "last_period": "2026-03-30",
            "horizon": 13,
            "budget": 240.0,
            "current_budget": 200.0,
            "target": None,
            "gain_mean": 30.0,
            "gain_low": -5.0,
            "gain_high": 60.0,
            "gain_low_90": -2.0,
            "gain_high_90": 55.0,
            "prob_gain": 0.97,
            "expected_regret": 0.25,
            "perfect_information": 4.0,
            "change_mean": 50.0,
            "change_low": 10.0,
            "change_high": 90.0,
            "incremental_mean": 660.0,
            "incremental_low": 500.0,
            "incremental_high": 800.0,
            "return_mean": 2.75,
            "channels": {name: channel_plan() for name in channels},
            "groups": [
                GroupPlan(
                    name="online",
                    channels=[channels[-1]],
                    current=100.0,
                    candidate=120.0,
                    low=None,
                    high=150.0,
                )
            ],
            "not_planned": {"email": "it has no spend column"},
            "certificate": MultiStartAgreement(
                method="slsqp",
                n_starts=16,
                n_agree=15,
                agree_share=15 / 16,
                best_utility=30.0,
                worst_utility=29.0,
                n_failed=1,
            ),
            "flags": ["search leaves the range that was observed"],
            "allocation": [
                SpendCell(
                    entity_id="all",
                    channel=name,
                    period_start="2026-01-05",
                    current=100.0,
                    planned=120.0,
                    candidate=120.0,
                )
                for name in channels
            ],
            "settings": OptimizerSpec(),
            **facts,
        }
    )

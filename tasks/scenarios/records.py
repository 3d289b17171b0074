"""What MLflow and Prefect are told about a plan: parameters, metrics, tags, note. No I/O."""

from typing import Any

from schemas.answers.scenarios import MadeBy
from schemas.documents.plan import Plan
from schemas.words import escape_markdown, format_number

_METRICS = (
    "budget", "current_budget", "gain_mean", "gain_low", "gain_high", "prob_gain",
    "expected_regret", "perfect_information", "change_mean", "incremental_mean", "return_mean",
)  # fmt: skip


def plan_params(plan: Plan) -> dict[str, Any]:
    """Return what decided the plan: settings, budget or target, the bounds of every channel."""
    return {
        **{f"optimizer.{k}": v for k, v in plan.settings.model_dump(mode="json").items()},
        "budget": plan.budget,
        "target": plan.target or "none",
        "first_period": plan.first_period,
        "last_period": plan.last_period,
        **{f"bounds.{name}": f"{c.low:.10g} to {c.high:.10g}" for name, c in plan.channels.items()},
        **{
            f"bounds.group.{g.name}": f"{_end(g.low)} to {_end(g.high)}"
            for g in plan.groups
        },
        **{f"weight.{model.dataset_id}": model.weight for model in plan.models},
    }  # fmt: skip


def plan_metrics(plan: Plan) -> dict[str, float | None]:
    """Return the plan's numbers by their MLflow names."""
    metrics: dict[str, float | None] = {name: getattr(plan, name) for name in _METRICS}
    for name, channel in plan.channels.items():
        metrics[f"current/{name}"] = channel.current
        metrics[f"planned/{name}"] = channel.planned
        metrics[f"candidate/{name}"] = channel.candidate
        metrics[f"mroas/{name}"] = channel.mroas_mean
    if plan.certificate is not None:
        metrics["agree_share"] = plan.certificate.agree_share
    return metrics


def plan_tags(plan: Plan, made_by: MadeBy) -> dict[str, str]:
    """Return what a list of plans is searched and grouped by."""
    return {
        "dataset_ids": " + ".join(model.dataset_id for model in plan.models),
        "source_run_ids": " + ".join(model.run_id for model in plan.models),
        "made_by": made_by.value,
        "advice": plan.advice.value,
        "utility": plan.utility.value,
    }


def render_note(plan: Plan) -> str:
    """Render the page that opens with the plan's MLflow run."""
    gain = (
        f"Gain {format_number(plan.gain_mean)} ({format_number(plan.gain_low)} to "
        f"{format_number(plan.gain_high)}), P(gain > 0) {plan.prob_gain:.2f}, "
        f"budget {format_number(plan.budget)}, {plan.first_period} to {plan.last_period}."
    )
    against = [escape_markdown(why) for model in plan.models for why in model.against]
    reason = escape_markdown(plan.reason)
    return "\n\n".join([f"**{plan.advice.name}**. {reason}", *against, gain])


def channel_rows(plan: Plan) -> list[dict[str, str]]:
    """Return the channel plan as text, a row per channel."""
    return [
        {
            "channel": name,
            "current": format_number(channel.current),
            "planned": format_number(channel.planned),
            "candidate": format_number(channel.candidate),
            "least": format_number(channel.low),
            "most": format_number(channel.high),
            _next_money(plan): format_number(channel.mroas_mean),
            "action": channel.action.value,
            "reason": channel.reason,
        }
        for name, channel in plan.channels.items()
    ]


def _next_money(plan: Plan) -> str:
    """Heading of what the next percent of spend returns: mROAS, or KPI per money of it."""
    return f"m{plan.return_word}" if plan.unit == "money" else f"next money: {plan.return_word}"


def _end(value: float | None) -> str:
    return "none" if value is None else f"{value:.10g}"

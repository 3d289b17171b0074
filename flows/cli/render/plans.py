"""How plans look on a terminal: one plan, the list of saved ones, several side by side.

Does not belong here: what a verb does (``flows.cli.plan``), other results (``.terminal``).
"""

from collections.abc import Sequence
from datetime import datetime

from flows.cli.render.terminal import render_table, shown_path
from schemas.answers.scenarios import PlanReport, Scenario
from schemas.documents.plan import MultiStartAgreement, Plan
from schemas.words import (
    format_change,
    format_interval,
    format_number,
    format_probability,
    format_ratio,
)

SAME = 1e-9
"""Two amounts of money that differ by less than this share are one."""


def render_plan(plan: Plan) -> str:
    """Render one plan: the advice and its reason, the channels, the gain, what to know."""
    budget = f"budget {format_number(plan.budget)} (today {format_number(plan.current_budget)})"
    target = [f"target {plan.target}"] if plan.target else []
    head = [
        f"{plan.advice.name}  {' + '.join(plan.dataset_ids)}",
        f"{plan.first_period} to {plan.last_period} ({plan.horizon} periods)",
        budget,
        *target,
    ]
    reasons = [f"  - {name}: {channel.reason}" for name, channel in plan.channels.items()]
    unmoved = [f"  - {name}: not planned; {reason}" for name, reason in plan.not_planned.items()]
    parts = [
        "  ".join(head),
        f"  {plan.reason}",
        *(f"! {why}" for model in plan.models for why in model.against),
        _render_channels(plan),
        _render_groups(plan),
        *reasons,
        *unmoved,
        _render_gain(plan),
        _render_agreement(plan.certificate, plan),
        *(f"! {flag}" for flag in plan.flags),
    ]
    return "\n".join(part for part in parts if part) + "\n"


def render_place(report: PlanReport) -> str:
    """Render where a plan that was just made can be found."""
    lines = [
        f"scenario   {report.name}"
        + (f" ({report.scenario_id})" if report.name != report.scenario_id else ""),
        f"plan       {shown_path(report.plan_file)}",
        f"from       {' + '.join(report.run_ids)}",
    ]
    if report.mlflow_run_id:
        lines.append(f"MLflow     run {report.mlflow_run_id} (mmm ui shows it)")
    if report.took_name_from:
        lines.append(
            f"! An earlier plan was named {report.name}, too; it is found as "
            f"{report.took_name_from} from now on."
        )
    return "\n".join(lines) + "\n"


def render_scenarios(scenarios: Sequence[Scenario], now: datetime) -> str:
    """Render the list of saved plans, newest first; a name that a newer plan took is its id."""
    if not scenarios:
        return "No plans yet; make one with `mmm plan --dataset ID`.\n"
    rows = [
        [
            shown_name(s),
            s.made_by.value,
            format_number(s.budget),
            f"{format_number(s.gain_mean)}{_unit(s.unit)}",
            f"{format_number(s.gain_low)} to {format_number(s.gain_high)}",
            format_probability(s.prob_gain),
            s.advice.name,
            format_age(s.created_at, now),
            _model(s),
            " + ".join(s.run_ids),
            _other_word(s),
        ]
        for s in scenarios
    ]
    header = ["name", "made by", "budget", "gain", "94 % interval", "P(gain > 0)", "advice", "age",
              "model", "run", "id"]  # fmt: skip
    return render_table(header, rows) + "\n"


def render_comparison(found: Sequence[tuple[Scenario, Plan]]) -> str:
    """Render plans side by side: one column per plan, then the planned spend per channel."""
    facts: list[tuple[str, list[str]]] = [
        ("advice", [p.advice.name for _, p in found]),
        ("made by", [s.made_by.value for s, _ in found]),
        ("periods", [f"{p.first_period} to {p.last_period}" for _, p in found]),
        ("utility", [p.utility.value for _, p in found]),
        ("budget", [format_number(p.budget) for _, p in found]),
        ("gain", [f"{format_number(p.gain_mean)}{_unit(p.unit)}" for _, p in found]),
        ("94 % interval", [_gain_interval(p) for _, p in found]),
        ("P(gain > 0)", [format_probability(p.prob_gain) for _, p in found]),
    ]
    planned = [
        (f"spend on {channel}", [_planned(p, channel) for _, p in found])
        for channel in _channels(found)
    ]
    header = ["", *(shown_name(scenario) for scenario, _ in found)]
    return render_table(header, [[word, *cells] for word, cells in [*facts, *planned]]) + "\n"


def shown_name(scenario: Scenario) -> str:
    """Return the name by which a plan is found."""
    return scenario.name if scenario.has_name else scenario.scenario_id


def format_age(then: datetime, now: datetime) -> str:
    """Write how long ago something was."""
    minutes = max(int((now - then).total_seconds() // 60), 0)
    for size, unit in ((1440, "d"), (60, "h")):
        if minutes >= 2 * size:
            return f"{minutes // size} {unit}"
    return f"{minutes} min"


def _other_word(scenario: Scenario) -> str:
    """Return the id of a plan that is listed by its name, or the name that another one took."""
    if not scenario.has_name:
        return f"was named {scenario.name}"
    return "" if scenario.name == scenario.scenario_id else scenario.scenario_id


def _render_channels(plan: Plan) -> str:
    differs = any(not _is_same(c.planned, c.candidate) for c in plan.channels.values())
    header = ["channel", "current", "planned", "change", *(["optimizer found"] if differs else [])]
    marginal = "mROAS" if plan.return_word == "ROAS" else f"marginal {plan.return_word}"
    header += ["bounds", marginal, "94 % interval", "action"]
    rows = []
    for name, c in plan.channels.items():
        row = [name, format_number(c.current), format_number(c.planned)]
        row.append(format_change(c.planned, c.current) or "–")
        row += [format_number(c.candidate)] if differs else []
        row.append(f"{format_number(c.low)} to {format_number(c.high)}")
        row += [format_ratio(c.mroas_mean), format_interval(c.mroas_low, c.mroas_high)]
        notes = ["prior-driven"] if c.prior_driven else []
        notes += ["beyond observed"] if c.is_beyond_observed else []
        rows.append([*row, c.action.value, ", ".join(notes)])
    return render_table([*header, ""], rows)


def _render_groups(plan: Plan) -> str:
    if not plan.groups:
        return ""
    rows = [
        [
            group.name, ", ".join(group.channels), format_number(group.current),
            format_number(group.candidate), format_number(group.low), format_number(group.high),
        ]
        for group in plan.groups
    ]  # fmt: skip
    return render_table(["group", "channels", "current", "candidate", "least", "most"], rows)


def _render_gain(plan: Plan) -> str:
    facts = [
        f"gain {format_number(plan.gain_mean)}{_unit(plan.unit)} "
        f"(94 % interval {_gain_interval(plan)}) against {plan.gain_against}",
        f"P(gain > 0) {format_probability(plan.prob_gain)}",
        f"expected regret {format_number(plan.expected_regret)}",
    ]
    if not _is_same(plan.budget, plan.current_budget):
        facts.append(
            f"against today's spend {format_number(plan.change_mean)} "
            f"({format_number(plan.change_low)} to {format_number(plan.change_high)})"
        )
    return "  ".join(facts)


def _render_agreement(certificate: MultiStartAgreement | None, plan: Plan) -> str:
    if certificate is None:
        return ""
    failed = f", {certificate.n_failed} gave up" if certificate.n_failed else ""
    return (
        f"{certificate.n_agree} of {certificate.n_starts} starts agree{failed} "
        f"({certificate.method}, utility {plan.utility.value})"
    )


def _gain_interval(plan: Plan) -> str:
    return f"{format_number(plan.gain_low)} to {format_number(plan.gain_high)}"


def _channels(found: Sequence[tuple[Scenario, Plan]]) -> list[str]:
    """Return the channels of all plans, in the order in which they come."""
    return list(dict.fromkeys(name for _, plan in found for name in plan.channels))


def _planned(plan: Plan, channel: str) -> str:
    return format_number(plan.channels[channel].planned) if channel in plan.channels else "–"


def _model(scenario: Scenario) -> str:
    versions = zip(scenario.dataset_ids, scenario.model_versions, strict=True)
    return " + ".join(f"{name}@{version}" if version else "–" for name, version in versions)


def _unit(unit: str) -> str:
    return "" if unit == "money" else f" {unit}"


def _is_same(one: float, other: float) -> bool:
    return abs(one - other) <= SAME * max(abs(one), abs(other))

"""What the forms of the budget page say, as requests."""

import math
from collections.abc import Mapping, Sequence

from flows.web.session import FormFields, field
from schemas.answers.plans import PlanDesk
from schemas.documents.plan import Plan
from schemas.errors import SpecError
from schemas.spec.errors import parse_model
from schemas.spec.optimizer import PlanBounds
from schemas.spec.plan_request import DeskRequest, PlanRequest, SpendRow

_SPEND, _LOW, _HIGH = "spend.", "low.", "high."
"""Beginnings of field names, each followed by a channel."""
_AIMS = ("budget", "target_roas", "target_mroas")


def as_text(money: float) -> str:
    """Write money as a field holds it."""
    return f"{money:.6g}" if abs(money) < 1e6 else f"{money:.0f}"


def number_of(text: str, where: str) -> float:
    """Return a number that somebody typed.

    Raises
    ------
    SpecError
        Naming the field.
    """
    try:
        value = float(text.replace(",", "").replace("\N{NO-BREAK SPACE}", "").strip())
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        said = f"{where}: {text[:40]!r} is no amount of money; write a number such as 120000."
        raise SpecError(said, [said])
    return value


def ask_by_hand(fields: FormFields) -> DeskRequest:
    """Return what a form asks of a plan by hand, rows included.

    Raises
    ------
    SpecError
        If a field cannot be used.
    """
    horizon, risk = field(fields, "horizon"), field(fields, "risk_level")
    document = {
        "dataset_id": field(fields, "dataset_id"),
        "run_id": field(fields, "run_id") or None,
        "horizon": int(number_of(horizon, "Periods")) if horizon else None,
        "utility": field(fields, "utility") or None,
        "risk_level": number_of(risk, "Share of bad cases") if risk else None,
    }
    return parse_model(DeskRequest, document, source="The plan")


def spends_of(fields: FormFields, opened: Plan | None) -> dict[str, str]:
    """Return what fields say of each channel's spend; a saved plan says what they leave out."""
    typed = {
        name.removeprefix(_SPEND): values[-1]
        for name, values in fields.items()
        if name.startswith(_SPEND) and values[-1].strip()
    }
    started = (
        {name: as_text(row.candidate) for name, row in opened.channels.items()} if opened else {}
    )
    return started | typed


def rows_of(spends: Mapping[str, str], desk: PlanDesk) -> list[SpendRow]:
    """Return rows of a plan: the channels whose spend is not today's.

    Raises
    ------
    SpecError
        If a field holds no amount of money.
    """
    today = {name: as_text(row.current) for name, row in desk.channels.items()}
    return [
        SpendRow(channel=name, spend=number_of(text, name))
        for name, text in spends.items()
        if text.strip() != today.get(name)
    ]


def scale_rows(rows: Sequence[SpendRow], desk: PlanDesk, total: str) -> list[SpendRow]:
    """Return the same mix with another total."""
    wanted = number_of(total, "Total")
    spend = {name: row.current for name, row in desk.channels.items()}
    spend |= {row.channel: row.spend or 0.0 for row in rows}
    share = wanted / sum(spend.values()) if sum(spend.values()) > 0 else 0.0
    return [SpendRow(channel=name, spend=money * share) for name, money in spend.items()]


def ask_optimizer(fields: FormFields, desk: PlanDesk) -> PlanRequest:
    """Return what a form asks of the optimizer.

    Raises
    ------
    SpecError
        If a field cannot be used.
    """
    by_hand = ask_by_hand(fields)
    aim, amount = field(fields, "aim"), field(fields, "amount")
    if aim in _AIMS and not amount:
        said = "Amount: a budget or a target needs a number; or choose today's budget."
        raise SpecError(said, [said])
    settings = desk.settings.model_copy(
        update={
            "utility": by_hand.utility or desk.settings.utility,
            "risk_level": by_hand.risk_level or desk.settings.risk_level,
        }
    )
    document = {
        "models": [{"dataset_id": by_hand.dataset_id, "run_id": by_hand.run_id}],
        "name": field(fields, "name") or None,
        "settings": settings.model_dump(mode="json"),
        "bounds": _bounds(fields, desk),
        **({aim: number_of(amount, "Amount")} if aim in _AIMS else {}),
    }
    return parse_model(PlanRequest, document, source="The plan")


def _bounds(fields: FormFields, desk: PlanDesk) -> dict[str, object] | None:
    """Return bounds as the form has them; None where it has those of the run spec."""
    shown = {
        name: (field(fields, _LOW + name), field(fields, _HIGH + name)) for name in desk.channels
    }
    given = {
        name: (low or as_text(desk.channels[name].low), high or as_text(desk.channels[name].high))
        for name, (low, high) in shown.items()
        if low or high
    }
    known = {name: (as_text(desk.channels[name].low), as_text(desk.channels[name].high))
             for name in given}  # fmt: skip
    if given == known:
        return None
    channels = {
        name: {"min_spend": number_of(low, f"{name}, at least"),
               "max_spend": number_of(high, f"{name}, at most")}
        for name, (low, high) in given.items()
        if not desk.channels[name].is_held
    }  # fmt: skip
    document = {
        "channels": channels,
        "groups": [group.model_dump(mode="json") for group in desk.groups],
    }
    return parse_model(PlanBounds, document, source="The bounds").model_dump(mode="json")

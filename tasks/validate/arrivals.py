"""What the newest periods of a panel look like beside those before them, as findings."""

from schemas.documents.data import ArrivalFault, ArrivalRule, ColumnInfo
from schemas.outcomes import Finding, Layer, Verdict

_TRUE = "If it is true, the run can be accepted (`mmm accept RUN_ID --reason TEXT`)."
_REMEDIES = {
    ArrivalRule.LEVEL: "Check the unit of the column (thousands, cents, currency) and that it is "
    f"the right column of this file. {_TRUE}",
    ArrivalRule.COST: "Check that spend and activity are not in each other's column, and the unit "
    f"of both. {_TRUE}",
    ArrivalRule.STUCK: "Check that the export was made anew; a value that is carried forward is "
    f"no observation. {_TRUE}",
    ArrivalRule.DEAD: "Fill the column in. A channel that was switched off is reviewed for four "
    f"periods, and then known to be off. {_TRUE}",
}

_LOCAL = "Nothing to do where it is true, as of a pause; else have the file made anew."


def judge_arrivals(info: ColumnInfo) -> list[Finding]:
    """Return one finding per fault of the newest periods: a note where few entities show it.

    Parameters
    ----------
    info
        ``column_info.json`` with its ``arrivals``.
    """
    return [
        Finding(
            layer=Layer.CANONICAL,
            rule=fault.rule.value,
            verdict=Verdict.PASS if fault.is_local else Verdict.REVIEW,
            message=_message(fault, info),
            remedy=_LOCAL if fault.is_local else _REMEDIES[fault.rule],
            column=info.columns[fault.columns[0]].source,
            places=[f"{fault.entity}, {fault.period_start}"],
            n_affected=fault.n_entities,
        )
        for fault in info.arrivals
    ]


def _message(fault: ArrivalFault, info: ColumnInfo) -> str:
    names = " and ".join(repr(info.columns[column].source) for column in fault.columns)
    where = f"{fault.period_start}"
    if info.n_entities > 1:
        others = f" and {fault.n_entities - 1} more" if fault.n_entities > 1 else ""
        where += f" ({fault.entity}{others})"
    if fault.rule is ArrivalRule.COST:
        return (
            f"columns {names}: what a unit of activity cost in the period from {where} is "
            f"{_times(fault)}, further out than ever before."
        )
    if fault.rule is ArrivalRule.LEVEL:
        return (
            f"column {names}: its value in the period from {where} is {_times(fault)}, further "
            "out than any before."
        )
    if fault.rule is ArrivalRule.STUCK:
        return (
            f"column {names}: the value before is repeated in the period from {where}, which "
            "hardly ever happens there."
        )
    return f"column {names}: 0 or empty from {where} on, for longer than ever before."


def _times(fault: ArrivalFault) -> str:
    if fault.times is None:
        return "far from the typical one"
    return f"{fault.times:.3g} times the typical one"

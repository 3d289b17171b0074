"""``column_info.json`` and ``validation_summary.json``: what the data are, and what is odd."""

from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import Field

from schemas.documents.base import (
    Count,
    Document,
    InputAmount,
    Part,
    Periods,
    Ratio,
    Share,
    SparsePart,
    UnitValue,
    is_absent,
    is_nothing,
)
from schemas.documents.restatements import HistoryChange
from schemas.outcomes import Finding, Verdict
from schemas.spec.channels import ChannelKind, ChannelPrior
from schemas.spec.kpi import KpiKind
from schemas.spec.planned import PlannedPeriod
from schemas.spec.roles import ColumnRoles
from schemas.spec.run_spec import Grain, Level


class PeriodRange(Part):
    """Periods of a panel."""

    n: Periods
    """Number of them."""
    first: date | None
    """First day of the first one."""
    last: date | None
    """First day of the last one."""


class KpiColumn(Part):
    """The KPI and its column."""

    column: str
    """Canonical column."""
    source: str
    """Column of the source file."""
    kind: KpiKind
    """Revenue, or a count."""


class UnitValueColumn(Part):
    """The money that a KPI unit stands for."""

    column: str | None
    """Canonical column; null: a fixed number, or none."""
    constant: UnitValue | None
    """The fixed number."""


class ChannelColumns(Part):
    """One channel and its columns."""

    name: str
    """Channel of the run spec."""
    kind: ChannelKind
    """Paid, owned, or a competitor's."""
    prior: ChannelPrior | None
    """Stated prior; null: the default."""
    activity_column: str | None
    """Canonical column of the activity."""
    spend_column: str | None
    """Canonical column of the money."""
    input_column: str
    """The one of them that enters the model."""


class ControlColumn(Part):
    """One control and its column."""

    name: str
    """Name of the control."""
    column: str
    """Canonical column."""


class ColumnFacts(Part):
    """How one column looks."""

    source: str
    """Column of the source file."""
    role: str
    """kpi, unit_value, activity, spend or control."""
    missing_rate: Share
    """Cells without a value."""
    smallest: InputAmount | None = Field(alias="min", description="Smallest value.")
    largest: InputAmount | None = Field(alias="max", description="Largest value.")
    mean: InputAmount | None
    """Mean value."""
    total: InputAmount | None = Field(alias="sum", description="Sum of the values.")
    drift_ratio: Ratio | None
    """Median of new or changed periods over that of all known before; for information, no gate
    reads it."""


class ArrivalRule(StrEnum):
    """What may be wrong with a column in its newest periods."""

    LEVEL = "unusual_values"
    """Far outside of anything before: a unit, a thousands separator, a wrong column."""
    COST = "unusual_cost_per_unit"
    """Spend per activity, likewise: two columns swapped, or the unit of one of them."""
    STUCK = "stuck_values"
    """One value again and again, in a column that does not repeat."""
    DEAD = "dead_column"
    """Zero or missing for longer than ever before."""


class ArrivalFault(Part):
    """One fault of the newest periods of a column, or of spend and activity of a channel."""

    rule: ArrivalRule
    """What may be wrong."""
    columns: list[str]
    """Canonical columns: one, or activity and spend of a channel."""
    period_start: date
    """First day of the period in which it shows."""
    entity: str
    """Where it is clearest."""
    n_entities: Count
    """Entities that show it."""
    times: Ratio | None
    """Value over the typical one before; null where a ratio says nothing."""
    is_local: bool = Field(
        False,
        exclude_if=is_nothing,
        description="Too few entities show it to speak of the column: a note.",
    )


class PlannedRows(Part):
    """Rows of the file after its last KPI whose KPI is blank: the plan of coming periods."""

    n_rows: Count
    """How many there are."""
    first: date
    """First period that they speak of."""
    last: date
    """Last one."""
    n_ended: Periods = 0
    """Periods of them that are over at the knowledge date."""
    left_out: list[str] = []
    """Entities without a KPI in the last period that has any: theirs are left out."""
    periods: list[PlannedPeriod] = []
    """What they state, by canonical columns."""


class ColumnInfo(Document):
    """``column_info.json``: what every column of the panel is, and how it looks."""

    dataset_id: str
    """Dataset of the run spec."""
    file: str | None
    """Newest file that was accepted."""
    batch_id: str | None
    """Its batch."""
    as_of: date
    """Knowledge date."""
    grain: Grain
    """Length of a period."""
    detected_grain: Grain | None
    """As the dates have it."""
    n_future_periods: Periods
    """Periods after the knowledge date, which are left out."""
    running_periods: list[date] = []
    """First days of periods that had not ended at the knowledge date, which are left out."""
    history: HistoryChange
    """What the newest batch says differently from what was known."""
    level: Level
    """Entity, or brand."""
    roles: ColumnRoles
    """Which source column is what."""
    kpi: KpiColumn
    """The KPI."""
    unit_value: UnitValueColumn
    """Its value in money."""
    channels: list[ChannelColumns]
    """In the order of the panel."""
    controls: list[ControlColumn]
    """In the order of the panel."""
    n_rows: Count
    """Rows of the panel."""
    n_entities: Count
    """Entities of the panel."""
    entities: list[str]
    """In alphabetical order."""
    periods: PeriodRange
    """Periods of the panel."""
    columns: dict[str, ColumnFacts]
    """Every number of the panel."""
    judged_periods: Periods = 0
    """Newest periods that were compared with those before them."""
    arrivals: list[ArrivalFault] = []
    """What is odd about them."""
    planned: PlannedRows | None = Field(
        None, exclude_if=is_absent, description="Rows of coming periods in the file."
    )


class LayerFacts(SparsePart):
    """Facts of the checked table; which of them a layer knows depends on the layer."""

    file: str | None = None
    """Name of the input file; raw."""
    n_rows: Count | None = None
    """Rows of the file; raw."""
    missing_rates: dict[str, Share] = {}
    """Missing cells of every source column; raw."""
    date_format: str | None = None
    """How dates are written; raw."""
    grain: Grain | None = None
    """Length of a period; canonical."""
    level: Level | None = None
    """Entity, or brand; canonical."""
    n_entities: Count | None = None
    """Entities of the panel; canonical."""
    entities: list[str] = []
    """Their names; canonical."""
    periods: PeriodRange | None = None
    """Periods of the panel; canonical."""
    n_panel_rows: Count | None = None
    """Rows of the panel; canonical."""
    n_feature_rows: Count | None = None
    """Rows of the features; features."""


class LayerReport(LayerFacts):
    """Outcome of the checks of one layer."""

    verdict: Verdict
    """Worst of its findings."""
    findings: list[Finding]
    """What is wrong or odd."""
    expectations: dict[str, Any] = {}
    """Every expectation of the suite as Great Expectations reports it."""


class ValidationSummary(LayerFacts, Document):
    """``validation_summary.json``: all layers of one run, reported together."""

    verdict: Verdict
    """Worst of the layers."""
    layers: dict[str, LayerReport]
    """raw, canonical and features."""

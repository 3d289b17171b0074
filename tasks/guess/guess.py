"""What a run spec for a file may say, and why."""

from dataclasses import dataclass, field

from schemas.spec.channels import ChannelKind
from schemas.spec.kpi import KpiKind


@dataclass(frozen=True)
class GuessedChannel:
    """One channel and the columns that it was made of."""

    name: str
    kind: ChannelKind
    activity: str | None
    spend: str | None
    reason: str


@dataclass
class Guess:
    """What a run spec for a file may say, and why."""

    period: str
    entity: str | None = None
    kpi: str = ""
    kpi_kind: KpiKind = KpiKind.REVENUE
    value_per_unit: str | None = None
    channels: list[GuessedChannel] = field(default_factory=list)
    controls: list[str] = field(default_factory=list)
    events: str | None = None
    reasons: dict[str, str] = field(default_factory=dict)
    """Of ``period``, ``entity``, ``kpi``, ``value_per_unit``, ``events``, and of each control."""
    faults: dict[str, str] = field(default_factory=dict)
    """Columns of numbers with cells that are none."""
    unused: dict[str, str] = field(default_factory=dict)
    """Columns that the spec does not name, and why."""

"""What a report is made from: the opened files of a run and of the accepted run before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from schemas.documents.features import FeatureMetadata
from schemas.documents.plan import Plan
from schemas.documents.results import RunRecord
from schemas.names import PERIOD_COLUMN, Artifact
from schemas.outcomes import Verdict
from schemas.spec.kpi import KpiKind
from schemas.spec.run_spec import Grain, RunSpec
from schemas.words import format_champion

JSON_FILES = (
    Artifact.RUN_SPEC, Artifact.VALIDATION_SUMMARY, Artifact.FEATURE_METADATA,
    Artifact.MODEL_METADATA, Artifact.DIAGNOSTICS, Artifact.CONTRIBUTION_SUMMARY,
    Artifact.FIT_METRICS, Artifact.ROI_METRICS, Artifact.RESPONSE_CURVES, Artifact.PLAN,
    Artifact.STABILITY, Artifact.CHANGE,
)  # fmt: skip
TABLE_FILES = (
    Artifact.CONTRIBUTIONS,
    Artifact.FITTED,
    Artifact.ROAS_BY_ENTITY,
    Artifact.FORECAST,
    Artifact.FORECAST_ACTUALS,
)
PREVIOUS_FILES = (
    Artifact.RUN_SPEC, Artifact.DIAGNOSTICS, Artifact.ROI_METRICS, Artifact.FITTED, Artifact.PLAN,
)  # fmt: skip
"""What is read of the accepted run before."""

RECENT = {Grain.WEEK: 13, Grain.MONTH: 3}
"""Periods of a quarter: what "lately" means in a report."""
PERIOD_WORD = {Grain.WEEK: "week", Grain.MONTH: "month"}


@dataclass(frozen=True)
class RunFiles:
    """A run's record and its opened files by name; a file that the run lacks is not there."""

    record: RunRecord
    files: Mapping[str, Any]

    def json(self, name: str) -> Any:
        """Return a JSON document, or an empty one."""
        return self.files.get(name) or {}

    def frame(self, name: str) -> pd.DataFrame | None:
        """Return a table with rows, or None."""
        table = self.files.get(name)
        return None if table is None or table.empty else table


@dataclass(frozen=True)
class ReportDocuments:
    """Everything that one report shows.

    ``digests`` are the SHA-256 of the files; ``previous`` the newest accepted run of the same
    dataset that was created before, None where there is none.
    """

    run: RunFiles
    digests: Mapping[str, str] = field(default_factory=dict)
    previous: RunFiles | None = None

    @cached_property
    def spec(self) -> RunSpec:
        """Run spec."""
        return RunSpec.model_validate(self.run.json(Artifact.RUN_SPEC))

    @cached_property
    def metadata(self) -> FeatureMetadata | None:
        """Feature metadata: KPI kind, channels, entities; None where the run built no features."""
        document = self.run.json(Artifact.FEATURE_METADATA)
        return FeatureMetadata.model_validate(document) if document else None

    @cached_property
    def diagnostics(self) -> Mapping[str, Any]:
        """Verdict, reasons and gates."""
        return self.run.json(Artifact.DIAGNOSTICS)

    @cached_property
    def roi(self) -> Mapping[str, Mapping[str, Any]]:
        """Spend, contribution and return per channel, the largest spend first."""
        rows = self.run.json(Artifact.ROI_METRICS)
        return dict(sorted(rows.items(), key=lambda item: -(item[1].get("spend") or 0)))

    @cached_property
    def plan(self) -> Plan | None:
        """Budget plan, None where the run made none."""
        document = self.run.json(Artifact.PLAN)
        return Plan.model_validate(document) if document else None

    def marginal_returns(self) -> dict[str, tuple[float | None, float | None, float | None]]:
        """MROAS of every channel with its 94 % interval: of the coming window, as advice has it.

        Without a plan, and for a channel that no plan has, of the fitted window and without one.
        """
        found: dict[str, tuple[float | None, float | None, float | None]]
        found = {name: (row.get("mroas_mean"), None, None) for name, row in self.roi.items()}
        for name, row in (self.plan.channels if self.plan else {}).items():
            if name in found and self.words.in_money:
                found[name] = (row.mroas_mean, row.mroas_low, row.mroas_high)
        return found

    @property
    def standing(self) -> str | None:
        """The champion that stays, and its age; None without one, or where this run may replace it.

        Known from what the run was compared with: the report is written before it is published.
        """
        champion = self.run.json(Artifact.STABILITY).get("champion")
        may_replace = self.verdict is Verdict.PASS or (
            self.verdict is Verdict.REVIEW and self.spec.gates.promote_on_review
        )
        if not champion or may_replace:
            return None
        return format_champion(champion["name"], champion["last_period"], champion["age_days"])

    @property
    def verdict(self) -> Verdict:
        """Verdict of the gates; a run that was never judged is not accepted."""
        reported = self.diagnostics.get("verdict") or self.run.record.verdict
        return Verdict(reported) if reported else Verdict.NOT_EVALUATED

    @property
    def grain(self) -> Grain:
        """Length of a period."""
        return self.metadata.grain if self.metadata else self.spec.grain or Grain.WEEK

    @property
    def n_recent(self) -> int:
        """Number of periods that count as lately."""
        return RECENT[self.grain]

    @property
    def entities(self) -> Sequence[str]:
        """Entities of the panel."""
        return self.metadata.entities if self.metadata else []

    @property
    def is_panel(self) -> bool:
        """True with more than one entity."""
        return len(self.entities) > 1

    @cached_property
    def words(self) -> "ReturnWords":
        """How returns of this KPI are called."""
        has_value = self.metadata is not None and self.metadata.has_unit_value
        return ReturnWords(self.spec.kpi_name, self.spec.kpi.kind, has_value=has_value)

    @cached_property
    def kpi(self) -> pd.DataFrame | None:
        """``actual`` and ``fitted_mean`` per period, summed over entities; None without a fit."""
        fitted = self.run.frame(Artifact.FITTED)
        if fitted is None:
            return None
        return fitted.groupby(PERIOD_COLUMN)[["actual", "fitted_mean"]].sum().sort_index()

    def period_words(self, n_periods: int) -> str:
        """Write a number of periods: 1 week, 13 weeks."""
        word = PERIOD_WORD[self.grain]
        return f"{n_periods} {word}" if n_periods == 1 else f"{n_periods} {word}s"


@dataclass(frozen=True)
class ReturnWords:
    """Words of a KPI: revenue speaks of ROAS, a count of what one unit costs."""

    kpi_name: str
    kind: KpiKind
    has_value: bool

    @property
    def in_money(self) -> bool:
        """True where a return is money per money."""
        return self.kind is KpiKind.REVENUE or self.has_value

    @property
    def stem(self) -> str:
        """Columns of ``roi_metrics.json`` that hold the return."""
        return "roas" if self.kind is KpiKind.REVENUE else "cost_per_unit"

    @property
    def title(self) -> str:
        """Name of the return."""
        return "ROAS" if self.kind is KpiKind.REVENUE else f"Cost per {self.kpi_name}"

    @property
    def meaning(self) -> str:
        """One sentence that says how to read the return."""
        if self.kind is KpiKind.REVENUE:
            return (
                f"ROAS is {self.kpi_name} that a channel added, carryover included, per unit of "
                "money spent on it."
            )
        return (
            f"Cost per {self.kpi_name} is the money spent on a channel per unit of "
            f"{self.kpi_name} that it added, carryover included; lower is better."
        )

    @property
    def unit(self) -> str:
        """Unit of the KPI."""
        return "money" if self.kind is KpiKind.REVENUE else f"{self.kpi_name} (count)"

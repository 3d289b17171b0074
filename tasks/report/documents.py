"""What a report is made from: the opened files of a run and of the accepted run before it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from schemas.answers.recovery import RecoveryReport
from schemas.documents.data import ValidationSummary
from schemas.documents.diagnostics import ComparedChampion, Diagnostics, JudgedGate
from schemas.documents.effects import (
    ChannelReturns,
    ResponseCurve,
    ResponseCurves,
    ReturnStem,
)
from schemas.documents.features import FeatureMetadata
from schemas.documents.plan import Plan
from schemas.documents.windows import ChannelEffects
from schemas.names import PERIOD_COLUMN, Artifact
from schemas.outcomes import Verdict
from schemas.spec.kpi import KpiKind
from schemas.spec.run_spec import Grain, RunSpec
from schemas.words import format_champion
from tasks.mathematics.judging import is_well_sampled
from tasks.models.registry import find_kind
from tasks.report.files import RunFiles


@dataclass(frozen=True)
class ReportDocuments:
    """Everything that one report shows.

    ``digests`` are the SHA-256 of the files; ``previous`` the newest accepted run of the same
    dataset that was created before, None where there is none; ``champion`` the run that was
    champion when this one was judged; ``recovery`` the recovery check of the same spec, None where
    none was made.
    """

    run: RunFiles
    digests: Mapping[str, str] = field(default_factory=dict)
    previous: RunFiles | None = None
    champion: RunFiles | None = None
    recovery: RecoveryReport | None = None

    @cached_property
    def spec(self) -> RunSpec:
        """Run spec."""
        return RunSpec.model_validate(self.run.files[Artifact.RUN_SPEC])

    @cached_property
    def metadata(self) -> FeatureMetadata | None:
        """Feature metadata: KPI kind, channels, entities; None where the run built no features."""
        return self.run.document(Artifact.FEATURE_METADATA, FeatureMetadata)

    @property
    def diagnostics(self) -> Diagnostics | None:
        """Verdict, reasons and gates; None where the run was never judged."""
        return self.run.diagnostics

    @property
    def gates(self) -> Sequence[JudgedGate]:
        """Every gate that was judged."""
        return self.diagnostics.gates if self.diagnostics else []

    @cached_property
    def validation(self) -> ValidationSummary | None:
        """What the data checks found; None where the run has no record of them."""
        return self.run.document(Artifact.VALIDATION_SUMMARY, ValidationSummary)

    @cached_property
    def roi(self) -> Mapping[str, ChannelReturns]:
        """Spend, contribution and return per channel over the fitted periods, in page order."""
        return {name: self.run.roi[name] for name in self.channels}

    @cached_property
    def effects(self) -> ChannelEffects:
        """Every channel horizon by horizon; empty in runs of before."""
        found = self.run.document(Artifact.CHANNEL_EFFECTS, ChannelEffects)
        return found or ChannelEffects({})

    @cached_property
    def curves(self) -> Mapping[str, ResponseCurve]:
        """Response curve of every channel that was on, in page order."""
        found = self.run.document(Artifact.RESPONSE_CURVES, ResponseCurves)
        return {name: found[name] for name in self.in_order(found.names())} if found else {}

    @cached_property
    def channels(self) -> list[str]:
        """Channels in the one order of the page: today's spend, then all spend, then the effect."""
        rows = self.run.roi
        today = {name: row.windows[-1].spend for name, row in self.effects.items()}

        def size(name: str) -> tuple[float, float, float]:
            row = rows[name]
            return -(today.get(name) or 0.0), -(row.spend or 0.0), -row.contribution_mean

        return sorted(rows, key=size)

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Put names of channels into the order of the page; those that it lacks come last."""
        names = list(names)
        known = [name for name in self.channels if name in set(names)]
        return [*known, *(name for name in names if name not in set(known))]

    @property
    def plan(self) -> Plan | None:
        """Budget plan, None where the run made none."""
        return self.run.plan

    def marginal_returns(self) -> dict[str, tuple[float | None, float | None, float | None]]:
        """MROAS of every channel with its 94 % interval: of the coming window, as advice has it.

        Without a plan, and for a channel that no plan has, of the fitted window and without one.
        """
        found: dict[str, tuple[float | None, float | None, float | None]]
        found = {name: (row.mroas_mean, None, None) for name, row in self.roi.items()}
        for name, row in (self.plan.channels if self.plan else {}).items():
            if name in found and self.words.in_money:
                found[name] = (row.mroas_mean, row.mroas_low, row.mroas_high)
        return found

    @property
    def compared_champion(self) -> ComparedChampion | None:
        """The champion that the run was compared with; None where there was none."""
        return self.run.compared_champion

    @property
    def may_be_champion(self) -> bool:
        """Whether this run's plan is the one to act on.

        Known from what the run was compared with: the report is written before it is published.
        """
        if find_kind(self.spec.model.kind).why_no_champion(self.spec) is not None:
            return False
        if self.verdict is Verdict.REVIEW:
            is_first = not self.compared_champion
            well_sampled = is_well_sampled(self.gates)
            return self.spec.gates.promote_on_review or (is_first and well_sampled)
        return self.verdict is Verdict.PASS

    @property
    def standing(self) -> str | None:
        """The champion that stays, and its age; None without one, or where this run replaces it."""
        champion = self.compared_champion
        if champion is None or self.may_be_champion:
            return None
        return format_champion(champion.name, champion.last_period, champion.age_days)

    @property
    def verdict(self) -> Verdict:
        """Verdict of the gates; a run that was never judged is not accepted."""
        return self.run.verdict or Verdict.NOT_EVALUATED

    @property
    def grain(self) -> Grain:
        """Length of a period."""
        return self.metadata.grain if self.metadata else self.spec.grain or Grain.WEEK

    @property
    def n_recent(self) -> int:
        """Periods of the last horizon: what "today" means in a report, as in its plan."""
        return self.spec.optimizer.horizon

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
        return ReturnWords(
            self.spec.kpi_name, self.spec.kpi.kind, self.spec.kpi.currency, has_value=has_value
        )

    @cached_property
    def kpi(self) -> pd.DataFrame | None:
        """``actual`` and ``fitted_mean`` per period, summed over entities; None without a fit."""
        fitted = self.run.frame(Artifact.FITTED)
        if fitted is None:
            return None
        return fitted.groupby(PERIOD_COLUMN)[["actual", "fitted_mean"]].sum().sort_index()

    @property
    def today_words(self) -> str:
        """Name of the last horizon: last 13 weeks."""
        return f"last {self.period_words(self.n_recent)}"

    @property
    def coming_words(self) -> str:
        """Name of the planned horizon: next 13 weeks."""
        return f"next {self.period_words(self.plan.horizon if self.plan else self.n_recent)}"

    def period_words(self, n_periods: int) -> str:
        """Write a number of periods: 1 week, 13 weeks."""
        word = self.grain.word
        return f"{n_periods} {word}" if n_periods == 1 else f"{n_periods} {word}s"


@dataclass(frozen=True)
class ReturnWords:
    """Words of a KPI: revenue speaks of ROAS, a count of what one unit costs."""

    kpi_name: str
    kind: KpiKind
    currency: str | None = None
    has_value: bool = False

    @property
    def money(self) -> str:
        """Word for money: the currency where the spec names it."""
        return self.currency or "money"

    @property
    def in_money(self) -> bool:
        """True where a return is money per money."""
        return self.kind is KpiKind.REVENUE or self.has_value

    @property
    def stem(self) -> ReturnStem:
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
                f"ROAS is {self.kpi_name} that a channel brought, carryover included, per unit of "
                "money spent on it."
            )
        return (
            f"Cost per {self.kpi_name} is the money spent on a channel per unit of "
            f"{self.kpi_name} that it added, carryover included; lower is better."
        )

    @property
    def unit_of_kpi(self) -> str:
        """The KPI with its currency, where it is money in a currency that the spec names."""
        is_money = self.kind is KpiKind.REVENUE and self.currency
        return f"{self.kpi_name} in {self.currency}" if is_money else self.kpi_name

    @property
    def unit(self) -> str:
        """Unit of the KPI."""
        return self.money if self.kind is KpiKind.REVENUE else f"{self.kpi_name} (count)"

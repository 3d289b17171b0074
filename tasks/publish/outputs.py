"""What a finished run is published from: its files, opened, and the few totals every page needs."""

from dataclasses import dataclass

import pandas as pd

from schemas.documents.diagnostics import Diagnostics, JudgedGate, StabilityReport
from schemas.documents.effects import ChannelQuantiles, ResponseCurves, RoiMetrics
from schemas.documents.fit import PriorPredictive
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN, ComponentKind
from schemas.refs import AttributionRef, DiagnosticsRef, SnapshotRef
from schemas.spec.run_spec import RunSpec


@dataclass(frozen=True)
class RunOutputs:
    """One run, opened."""

    run_id: str
    spec: RunSpec
    snapshot: SnapshotRef
    diagnostics: DiagnosticsRef
    attribution: AttributionRef
    contributions: pd.DataFrame
    fitted: pd.DataFrame
    roas: RoiMetrics
    judged: Diagnostics
    quantiles: ChannelQuantiles
    """Share and ROAS of the posterior."""
    curves: ResponseCurves
    """Without any row where no channel has any input."""
    prior: PriorPredictive | None = None
    """None where the fit did not write one."""
    stability: StabilityReport | None = None
    """None where the fit was not compared."""

    @property
    def gates(self) -> list[JudgedGate]:
        """Every number that was judged."""
        return self.judged.gates

    @property
    def last_period(self) -> str:
        """Start of the newest fitted period."""
        return str(pd.Timestamp(self.fitted[PERIOD_COLUMN].max()).date())

    @property
    def channels(self) -> list[str]:
        """Channels, the largest contribution first."""
        return sorted(self.roas.names(), key=lambda name: -self.roas[name].contribution_mean)


def predicted_columns(contributions: pd.DataFrame) -> list[str]:
    """Columns that the registered model answers with, in their order.

    Parameters
    ----------
    contributions
        ``contributions.parquet``: its components are those of the model.
    """
    parts = contributions["component"].unique()
    kpi = ["kpi_mean", "kpi_low", "kpi_high"]
    return [ENTITY_COLUMN, PERIOD_COLUMN, *kpi, *(f"contribution_{part}" for part in parts)]


def compute_shares(outputs: RunOutputs) -> dict[str, float]:
    """Return each channel's share of the KPI in the estimation window."""
    total = float(outputs.fitted["actual"].sum())
    table = outputs.contributions
    channels = table[table["kind"] == ComponentKind.CHANNEL.value]
    sums = channels.groupby("component", sort=False)["contribution_mean"].sum()
    return {str(name): float(value) / total for name, value in sums.items()} if total else {}

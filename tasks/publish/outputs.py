"""What a finished run is published from: its files, opened, and the few totals every page needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from schemas.names import PERIOD_COLUMN, ComponentKind
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
    roas: Mapping[str, Mapping[str, Any]]
    gates: list[dict[str, Any]]
    quantiles: Mapping[str, Mapping[str, Any]]
    """``channel_quantiles.json``: share and ROAS of the posterior."""
    curves: Mapping[str, Mapping[str, Any]]
    """``response_curves.json``; empty where no channel has any input."""
    prior: Mapping[str, Any]
    """``prior_predictive.json``; empty where the fit did not write one."""
    stability: Mapping[str, Any] = field(default_factory=dict)
    """``stability.json``; empty where the fit was compared with no champion."""

    @property
    def last_period(self) -> str:
        """Start of the newest fitted period."""
        return str(pd.Timestamp(self.fitted[PERIOD_COLUMN].max()).date())

    @property
    def channels(self) -> list[str]:
        """Channels, the largest contribution first."""
        return sorted(
            self.roas, key=lambda name: -float(self.roas[name].get("contribution_mean") or 0.0)
        )


def compute_shares(outputs: RunOutputs) -> dict[str, float]:
    """Return each channel's share of the KPI in the estimation window."""
    total = float(outputs.fitted["actual"].sum())
    table = outputs.contributions
    channels = table[table["kind"] == ComponentKind.CHANNEL.value]
    sums = channels.groupby("component", sort=False)["contribution_mean"].sum()
    return {str(name): float(value) / total for name, value in sums.items()} if total else {}

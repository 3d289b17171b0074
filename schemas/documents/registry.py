"""Which model each JSON file of a run is, by its name."""

from typing import Any

from schemas.documents.base import Document, NamedRows
from schemas.documents.causal_graph import CausalGraph
from schemas.documents.changes import Explanation
from schemas.documents.data import ColumnInfo, ValidationSummary
from schemas.documents.diagnostics import Diagnostics, StabilityReport
from schemas.documents.digests import Digests
from schemas.documents.effects import (
    ChannelQuantiles,
    ContributionSummary,
    FitMetrics,
    ResponseCurves,
    RoiMetrics,
)
from schemas.documents.features import FeatureMetadata, FeatureScaler
from schemas.documents.fit import Escalation, ModelMetadata, PosteriorSummary, PriorPredictive
from schemas.documents.plan import Plan
from schemas.documents.results import StatusFile
from schemas.documents.windows import ChannelEffects
from schemas.names import Artifact

DOCUMENTS: dict[str, type[Document] | type[NamedRows[Any]]] = {
    Artifact.RUN_STATUS: StatusFile,
    Artifact.VALIDATION_SUMMARY: ValidationSummary,
    Artifact.COLUMN_INFO: ColumnInfo,
    Artifact.FEATURE_METADATA: FeatureMetadata,
    Artifact.FEATURE_SCALER: FeatureScaler,
    Artifact.PRIOR_PREDICTIVE: PriorPredictive,
    Artifact.CAUSAL_GRAPH: CausalGraph,
    Artifact.POSTERIOR_SUMMARY: PosteriorSummary,
    Artifact.MODEL_METADATA: ModelMetadata,
    Artifact.DIAGNOSTICS: Diagnostics,
    Artifact.ESCALATION: Escalation,
    Artifact.CONTRIBUTION_SUMMARY: ContributionSummary,
    Artifact.FIT_METRICS: FitMetrics,
    Artifact.ROI_METRICS: RoiMetrics,
    Artifact.CHANNEL_QUANTILES: ChannelQuantiles,
    Artifact.RESPONSE_CURVES: ResponseCurves,
    Artifact.CHANNEL_EFFECTS: ChannelEffects,
    Artifact.PLAN: Plan,
    Artifact.STABILITY: StabilityReport,
    Artifact.CHANGE: Explanation,
    Artifact.DIGESTS: Digests,
}

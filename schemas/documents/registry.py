"""Which model each JSON file of a run is, by its name."""

from typing import Any

from schemas.documents.base import Document, NamedRows
from schemas.documents.features import FeatureMetadata, FeatureScaler
from schemas.names import Artifact

DOCUMENTS: dict[str, type[Document] | type[NamedRows[Any]]] = {
    Artifact.FEATURE_METADATA: FeatureMetadata,
    Artifact.FEATURE_SCALER: FeatureScaler,
}

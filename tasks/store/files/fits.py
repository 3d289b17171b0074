"""The files of a fit, read together; ``tasks.models.opening`` makes a model of them."""

from typing import TYPE_CHECKING, NamedTuple

from schemas.documents.features import FeatureMetadata, FeatureScaler
from schemas.refs import FeaturesRef
from tasks.store.files.artifacts import read_document, read_parquet
from tasks.store.home import Home

if TYPE_CHECKING:
    import pandas as pd


class FeatureFiles(NamedTuple):
    """What the features stage wrote."""

    frame: "pd.DataFrame"
    metadata: FeatureMetadata
    scaler: FeatureScaler


def read_features(home: Home, features: FeaturesRef) -> FeatureFiles:
    """Read features, their metadata and scaler."""
    return FeatureFiles(
        read_parquet(home, features.features),
        read_document(home, features.metadata, FeatureMetadata),
        read_document(home, features.scaler, FeatureScaler),
    )

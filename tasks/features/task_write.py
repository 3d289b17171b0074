"""Build features: read the snapshot, call, write."""

import logging

from schemas.documents.data import ColumnInfo
from schemas.names import Artifact
from schemas.refs import FeaturesRef, SnapshotRef, StepKey
from schemas.spec.run_spec import RunSpec
from tasks.features import build
from tasks.mathematics.scaling import scales_to_json
from tasks.store.files.artifacts import read_document, read_parquet, write_document, write_parquet
from tasks.store.home import current_home
from tasks.store.runs.resume import fit_dir, resumable

log = logging.getLogger(__name__)


@resumable
def build_features(key: StepKey, snapshot: SnapshotRef, spec: RunSpec) -> FeaturesRef:
    """Turn one snapshot into features. Logic: ``tasks.features.build``.

    Files go into the run's folder; those of an auxiliary fit elsewhere.
    """
    home = current_home()
    info = read_document(home, snapshot.column_info, ColumnInfo)
    features = build.build_features(
        read_parquet(home, snapshot.wide),
        spec,
        info.roles,
        snapshot,
        info.planned.periods if info.planned else (),
    )
    metadata = features.metadata.model_copy(update={"file": info.file or ""})
    scaler = scales_to_json(features.scales)
    folder = fit_dir(home, key)
    log.info(
        "features: %d rows, %d fitted periods, %d channels, %d parameters",
        len(features.frame),
        features.metadata.n_estimation_periods,
        len(features.metadata.channels),
        features.metadata.n_parameters,
    )
    return FeaturesRef(
        snapshot_id=snapshot.snapshot_id,
        features=write_parquet(home, folder / Artifact.FEATURES, features.frame),
        metadata=write_document(home, folder / Artifact.FEATURE_METADATA, metadata),
        scaler=write_document(home, folder / Artifact.FEATURE_SCALER, scaler),
    )

"""Documents of a run with everything filled in, for tests that care about a few fields."""

from datetime import date
from typing import Any

from schemas.documents.features import FeatureMetadata, FeatureScaler


def make_metadata(**fields: Any) -> FeatureMetadata:
    """``feature_metadata.json`` of an empty model of kind ``mmm``, with some fields set."""
    return FeatureMetadata.model_validate(
        {
            "dataset_id": "world",
            "snapshot_id": "0" * 16,
            "grain": "WEEK",
            "model_kind": "mmm",
            "kpi_column": "sales",
            "kpi_kind": "revenue",
            "has_unit_value": False,
            "channels": [],
            "channel_columns": [],
            "controls": [],
            "control_columns": [],
            "input_columns": [],
            "harmonics": 0,
            "trend": {"kind": "none"},
            "first_period": date(2022, 1, 3),
            "estimation_start": date(2022, 1, 3),
            "estimation_end": date(2023, 2, 20),
            "n_estimation_periods": 60,
            "n_carryover_periods": 0,
            "entities": ["total"],
            **fields,
        }
    )


def empty_scaler() -> FeatureScaler:
    """``feature_scaler.json`` without any scale."""
    return FeatureScaler(coords={}, scales={})

"""How far back a model looks: numbers of lags, read from feature metadata, for every kind."""

from schemas.documents.features import FeatureMetadata
from schemas.spec.channels import AdstockKind
from schemas.spec.run_spec import ModelKind


def longest_carryover(metadata: FeatureMetadata) -> int:
    """Return the largest number of lags of any channel, lag 0 included, ``>= 1``.

    Parameters
    ----------
    metadata
        Of any model kind.
    """
    if metadata.model_kind == ModelKind.LOG_STUDENT_T:
        return metadata.fixed_transforms.adstock.max_lag + 1
    adstocks = (channel.learned_adstock for channel in metadata.channels)
    lags = (a.l_max for a in adstocks if a.kind is not AdstockKind.NONE)
    return max(lags, default=1)


def longest_memory(metadata: FeatureMetadata) -> int:
    """Return the largest number of lags of any channel or control, lag 0 included, ``>= 1``.

    The expected KPI of a period is the same whatever was before these many last periods.

    Parameters
    ----------
    metadata
        Of any model kind.
    """
    controls = (c.max_lag + 1 for c in metadata.controls if c.decay > 0)
    return max([longest_carryover(metadata), *controls])

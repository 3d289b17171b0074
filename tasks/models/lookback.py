"""How far back a model looks: numbers of lags, read from feature metadata, for every kind."""

from schemas.documents.features import FeatureMetadata
from tasks.models.registry import kind_of


def longest_carryover(metadata: FeatureMetadata) -> int:
    """Return the largest number of lags of any channel, lag 0 included, ``>= 1``.

    Parameters
    ----------
    metadata
        Of any model kind.
    """
    return kind_of(metadata).longest_carryover(metadata)


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

"""How far back a model looks: numbers of lags, read from feature metadata, for every kind."""

from collections.abc import Mapping
from typing import Any

from schemas.spec.channels import AdstockKind
from schemas.spec.run_spec import ModelKind


def longest_carryover(metadata: Mapping[str, Any]) -> int:
    """Return the largest number of lags of any channel, lag 0 included, ``>= 1``.

    Parameters
    ----------
    metadata
        ``feature_metadata.json`` of any model kind.
    """
    if metadata["model_kind"] == ModelKind.LOG_STUDENT_T:
        return int(metadata["feature_config"]["adstock"]["max_lag"]) + 1
    adstocks = (channel["adstock"] for channel in metadata["channels"])
    lags = (int(a["l_max"]) for a in adstocks if a["kind"] != AdstockKind.NONE)
    return max(lags, default=1)


def longest_memory(metadata: Mapping[str, Any]) -> int:
    """Return the largest number of lags of any channel or control, lag 0 included, ``>= 1``.

    The expected KPI of a period is the same whatever was before these many last periods.

    Parameters
    ----------
    metadata
        ``feature_metadata.json`` of any model kind.
    """
    controls = (int(c["max_lag"]) + 1 for c in metadata["controls"] if c["decay"] > 0)
    return max([longest_carryover(metadata), *controls])

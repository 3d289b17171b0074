"""The identity of a panel: a hash of its content, whatever the order of rows and columns was."""

import hashlib

import numpy as np
import pandas as pd

from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.spec.run_spec import Grain

ID_DIGITS = 16


def snapshot_id_of(panel: pd.DataFrame, grain: Grain) -> str:
    """Return the first 16 hex digits of the SHA-256 over a panel's content and grain.

    Columns are taken by name, rows by entity and period; numbers enter as little-endian float64,
    with -0 as 0 and one kind of NaN, so that equal content gives equal bytes.
    """
    ordered = panel.sort_values([ENTITY_COLUMN, PERIOD_COLUMN], kind="stable")
    digest = hashlib.sha256(f"{grain.value}\0{len(ordered)}\0".encode())
    for text in (
        ordered[ENTITY_COLUMN].astype(str),
        ordered[PERIOD_COLUMN].dt.strftime("%Y-%m-%d"),
    ):
        for value in text:
            encoded = value.encode("utf-8", "surrogateescape")
            digest.update(len(encoded).to_bytes(8, "little") + encoded)
    for column in sorted(c for c in ordered.columns if c not in (ENTITY_COLUMN, PERIOD_COLUMN)):
        name = column.encode("utf-8", "surrogateescape")
        numbers = ordered[column].to_numpy(dtype="<f8", na_value=np.nan) + 0.0
        numbers = np.where(np.isnan(numbers), np.nan, numbers).astype("<f8")
        digest.update(len(name).to_bytes(8, "little") + name + numbers.tobytes())
    return digest.hexdigest()[:ID_DIGITS]

"""The summary of a portfolio: rows, and how far returns moved."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schemas.answers.portfolio import SUMMARY_COLUMNS, BrandResult, PlannedBrand
from schemas.documents.diagnostics import StabilityReport
from schemas.documents.effects import RoiMetrics
from schemas.names import Artifact

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins with one is a formula to a spreadsheet."""


def refuse_repeats(brands: Sequence[PlannedBrand]) -> list[PlannedBrand]:
    """Refuse every brand whose dataset another one names too: which is meant cannot be known.

    Parameters
    ----------
    brands
        As they were opened, in their order.
    """
    # A file system that takes no notice of case would give two datasets one folder and one lock.
    files: dict[str, list[str]] = {}
    for brand in brands:
        if brand.request is not None:
            files.setdefault(brand.name.casefold(), []).append(Path(brand.spec_file).name)

    def checked(brand: PlannedBrand) -> PlannedBrand:
        named = files.get(brand.name.casefold(), []) if brand.request else []
        if len(named) < 2:
            return brand
        problem = (
            f"dataset_id: {brand.name} is named by {len(named)} brands ({', '.join(named)}); keep "
            "one, or give each dataset a name of its own."
        )
        return brand.model_copy(update={"request": None, "problem": problem, "key": ""})

    return [checked(brand) for brand in brands]


def find_largest_move(folder: Path, runs: Path) -> tuple[str, float] | None:
    """Return the channel whose ROAS moved most against the champion before, and how far.

    Parameters
    ----------
    folder
        Files of the run.
    runs
        Where the champion's folder is.

    Returns
    -------
    tuple or None
        Channel and change as a share of what it was; None where there is nothing to compare.
    """
    stability = _read(folder / Artifact.STABILITY, StabilityReport)
    now = _read(folder / Artifact.ROI_METRICS, RoiMetrics)
    if stability is None or now is None or stability.champion is None:
        return None
    then = _read(runs / stability.champion.run_id / Artifact.ROI_METRICS, RoiMetrics)
    if then is None:
        return None
    moves = {
        channel: returns.roas_mean / before - 1
        for channel, returns in now.root.items()
        if returns.roas_mean is not None
        and channel in then.root
        and (before := then.root[channel].roas_mean)
        and before > 0
    }
    return max(moves.items(), key=lambda move: abs(move[1])) if moves else None


def _read(path: Path, model: Any) -> Any:
    """Return a document, or None where it is missing or not whole: a summary needs no more."""
    try:
        return model.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def make_rows(results: Sequence[BrandResult]) -> list[dict[str, Any]]:
    """Return one row per brand with the columns of ``SUMMARY_COLUMNS``.

    Returns
    -------
    list
        Plain values, for a table.
    """
    columns = set(SUMMARY_COLUMNS)
    return [
        {k: v for k, v in result.model_dump(mode="json").items() if k in columns}
        for result in results
    ]


def write_csv(results: Sequence[BrandResult]) -> str:
    """Return the summary as CSV, in the order of ``SUMMARY_COLUMNS``.

    A text that a spreadsheet would take for a formula gets an apostrophe: names of files and
    reasons come from elsewhere.
    """
    stream = io.StringIO()
    writer = csv.DictWriter(stream, SUMMARY_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in make_rows(results):
        writer.writerow({key: _plain(value) for key, value in row.items()})
    return stream.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA_SIGNS):
        return f"'{value}"
    return value

"""Propose a run spec for a file, on a throw-away copy of the home; no Prefect engine, no server."""

from pathlib import Path

from schemas.answers.guessed_spec import GuessedSpec
from schemas.spec.run_spec import RunSpec
from tasks.guess.task import propose_spec
from tasks.ingest.task_land import ingest_file
from tasks.lifecycle.task_trial import on_trial


def guess_spec(
    data: Path, out: Path, *, sheet: str | None, kpi: str | None, overwrite: bool
) -> GuessedSpec:
    """Look at a file as a refit would read it, and write a commented run spec for it.

    Parameters
    ----------
    data, out
        The file, and where its spec goes; absolute.
    sheet
        Sheet of an Excel file; None takes the first.
    kpi
        Column of the KPI; None guesses it.
    overwrite
        Replace a spec that is there.

    Raises
    ------
    DataContractError
        With every structural fault of the file.
    SpecError
        If it does not show what a spec needs, or there is a spec already.
    """
    with on_trial(None):
        batch = ingest_file(str(data), RunSpec(dataset_id="unnamed", sheet=sheet))
        return propose_spec(batch, data, out, sheet=sheet, kpi=kpi, overwrite=overwrite)

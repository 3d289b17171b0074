"""A report for who serves pages: the same head, chapters, words and colours, not yet HTML.

Plain functions without Prefect. What draws is imported when the first report is asked for.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.answers.comparison import RunsCompared
from schemas.answers.plans import PlanDesk, PlanEvaluation
from schemas.documents.causal_graph import CausalGraph
from schemas.errors import CorruptArtifactError
from schemas.names import Artifact
from schemas.spec.run_spec import RunSpec
from tasks.store.home import Home, current_home
from tasks.store.runs.documents import (
    accepted_run_before,
    digest_files,
    open_document,
    open_documents,
)
from tasks.store.runs.recoveries import find_recovery
from tasks.store.warehouse.prunings import require_files
from tasks.store.warehouse.runs import read_run

if TYPE_CHECKING:
    from tasks.report.blocks import Figure, Picture, Section
    from tasks.report.documents import ReportDocuments
    from tasks.report.files import RunFiles
    from tasks.report.head import Head

_NOT_SHOWN = (Artifact.REPORT, Artifact.RUN_STATUS, Artifact.DIGESTS)


@dataclass(frozen=True)
class ReportPage:
    """What a report says, chapter by chapter."""

    head: "Head"
    sections: "list[Section]"
    currency: str


def read_report(run_id: str) -> ReportPage:
    """Return what the report of a run says; nothing is written.

    Raises
    ------
    UnknownRunError
        If there is no such run.
    PrunedFilesError
        If the retention policy has removed its files.
    CorruptArtifactError
        If a file of the run cannot be read, or its run spec is missing.
    """
    from tasks.report.head import build_head
    from tasks.report.page import build_sections

    documents = open_report(run_id)
    return ReportPage(
        head=build_head(documents),
        sections=build_sections(documents),
        currency=documents.spec.kpi.currency or "the currency of the data",
    )


def draw_by_hand(desk: PlanDesk, evaluation: PlanEvaluation) -> "Figure | None":
    """Return a plan by hand as a figure; None where what channels bring is not known apart."""
    from tasks.report.by_hand import by_hand_figure

    return by_hand_figure(desk, evaluation)


def draw_comparison(found: RunsCompared) -> "list[Figure]":
    """Return runs side by side as figures: returns, then a response curve per channel."""
    from tasks.report.side_by_side import curve_figures, returns_figure

    returns = returns_figure(found)
    return [*([returns] if returns else []), *curve_figures(found)]


def draw_graphs(run_ids: Sequence[str]) -> "dict[str, Picture]":
    """Return the learned graph of each run that has one, by the run.

    Raises
    ------
    CorruptArtifactError
        If the graph of a run cannot be read, or was changed after it was published.
    """
    from tasks.report.graph import graph_picture

    found = {
        run_id: open_document(current_home(), run_id, Artifact.CAUSAL_GRAPH, CausalGraph)
        for run_id in run_ids
    }
    return {
        run_id: graph_picture(graph, f"What follows what in {run_id}")
        for run_id, graph in found.items()
        if graph is not None
    }


def charts_of(figure: "Figure") -> dict[str, Any]:
    """Return a figure and its choices as Plotly reads them.

    Returns
    -------
    dict
        By choice, the first one as the empty text: ``data`` and ``layout``.
    """
    from tasks.report.page import figure_json

    return dict(json.loads(figure_json(figure)))


def fingerprint(run_id: str) -> str:
    """Return what changes with the files of a run; the run is known to be there."""
    files = sorted(current_home().run_dir(run_id).glob("*"))
    facts = [(p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in files if p.is_file()]
    return repr(facts)


def open_report(run_id: str) -> "ReportDocuments":
    """Open what the report of a run is made from.

    Raises
    ------
    UnknownRunError
        If there is no such run.
    PrunedFilesError
        If the retention policy has removed its files.
    CorruptArtifactError
        If a file of the run cannot be read, or its run spec is missing.
    """
    from tasks.report.documents import ReportDocuments
    from tasks.report.files import (
        JSON_FILES,
        PREVIOUS_FILES,
        TABLE_FILES,
        RunFiles,
    )

    home = current_home()
    record = read_run(home, run_id)
    require_files(home, run_id)
    before = accepted_run_before(home, record)
    previous = (
        RunFiles(before, open_documents(home, before.run_id, PREVIOUS_FILES)) if before else None
    )
    files = open_documents(home, run_id, (*JSON_FILES, *TABLE_FILES))
    if Artifact.RUN_SPEC not in files:
        raise CorruptArtifactError(
            f"{home.run_dir(run_id)} has no {Artifact.RUN_SPEC}; restore it or run the refit again."
        )
    run = RunFiles(record, files)
    return ReportDocuments(
        run=run,
        digests=digest_files(home, run_id, leave_out=_NOT_SHOWN),
        previous=previous,
        champion=_open_champion(home, run),
        recovery=find_recovery(home, RunSpec.model_validate(files[Artifact.RUN_SPEC])),
    )


def _open_champion(home: Home, run: "RunFiles") -> "RunFiles | None":
    """Open the run that was champion when this one was judged; None where it is no longer there."""
    from tasks.report.files import CHAMPION_FILES, RunFiles

    champion = run.compared_champion
    if champion is None or not home.run_dir(champion.run_id).is_dir():
        return None
    record = read_run(home, champion.run_id)
    return RunFiles(record, open_documents(home, champion.run_id, CHAMPION_FILES))

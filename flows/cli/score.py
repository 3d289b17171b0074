"""The verb of the forecast ledger: ``mmm score``."""

from typing import TYPE_CHECKING, TextIO

from flows.cli import process
from flows.cli.options import DatasetOption, DebugOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.documents.forecast_scores import ScoringReport


def score(
    dataset: DatasetOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Score the forecasts of earlier refits whose periods have happened; no refit.

    An alarm is an answer, too: exit code 0.
    """

    def work(answer: TextIO) -> int:
        from flows import engines
        from flows.cli.render.scores import render_scoring
        from flows.settled import read_settled_ledgers

        # Before Prefect starts: an unknown dataset is refused, and nothing to do is no work.
        report = read_settled_ledgers(dataset)
        if report is None:
            report = process.call_flow(_open_flow, dataset, engines=engines.SCORE)
        if as_json:
            process.print_answer(answer, report)
        else:
            answer.write(render_scoring(report) + "\n")
        return 0

    process.run_verb(work, as_json=as_json, debug=debug)


def _open_flow() -> "Callable[[str | None], ScoringReport]":
    from flows.score_forecasts import score_forecasts

    return score_forecasts

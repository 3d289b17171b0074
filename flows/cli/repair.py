"""The verb that mends a home: ``mmm repair``."""

from typing import TYPE_CHECKING, TextIO

from flows.cli import process
from flows.cli.options import DebugOption, JsonOption

if TYPE_CHECKING:
    from schemas.answers.repair import TrackingRestored


def repair(as_json: JsonOption = False, debug: DebugOption = False) -> None:
    """Put back a damaged or lost warehouse, a lost MLflow store, and dates after today.

    Nothing is deleted: a damaged file is moved aside.
    """

    def work(answer: TextIO) -> int:
        from tasks.publish.task_restore import restore_tracking
        from tasks.repair.task import repair_home

        report = repair_home()
        tracking = restore_tracking()
        if as_json:
            document = report.model_dump(mode="json") | {"mlflow": tracking.model_dump(mode="json")}
            process.print_json(answer, document)
            return 0
        lines = []
        for one in report.warehouses:
            lines.append(f"warehouse   {one.fault}; put back from {one.restored_from}")
            if one.moved_to:
                lines.append(f"            the damaged file is {one.moved_to}")
        if report.dates_taken_back:
            lines.append(f"dates       {report.dates_taken_back} row(s) were known after today")
        if report.runs_not_in_warehouse:
            lost = ", ".join(report.runs_not_in_warehouse)
            lines.append(f"not back    {lost}: run their refits again")
        lines += _tracking_lines(tracking)
        answer.write("\n".join(lines or ["nothing had to be mended"]) + "\n")
        return 0

    process.run_verb(work, as_json=as_json, debug=debug)


def _tracking_lines(tracking: "TrackingRestored") -> list[str]:
    lines = []
    if tracking.runs_logged_again:
        champions = ", ".join(tracking.champions) or "none"
        count = len(tracking.runs_logged_again)
        lines.append(f"MLflow      {count} run(s) logged again; champions: {champions}")
    if tracking.runs_not_logged:
        lost = ", ".join(tracking.runs_not_logged)
        lines.append(f"not logged  {lost}: their folders lack what would be logged")
    return lines

"""The verb that mends a home: ``mmm repair``."""

from typing import TextIO

from flows.cli import process
from flows.cli.options import DebugOption, JsonOption


def repair(as_json: JsonOption = False, debug: DebugOption = False) -> None:
    """Put back a damaged or lost warehouse, and take back knowledge dates after today.

    Nothing is deleted: a damaged file is moved aside.
    """

    def work(answer: TextIO) -> int:
        from tasks.repair.task import repair_home

        report = repair_home()
        if as_json:
            process.print_answer(answer, report)
            return 0
        lines = []
        if report.restored_from:
            lines.append(f"warehouse   {report.fault}; put back from {report.restored_from}")
        if report.moved_to:
            lines.append(f"            the damaged file is {report.moved_to}")
        if report.dates_taken_back:
            lines.append(f"dates       {report.dates_taken_back} row(s) were known after today")
        if report.runs_not_in_warehouse:
            lost = ", ".join(report.runs_not_in_warehouse)
            lines.append(f"not back    {lost}: run their refits again")
        answer.write("\n".join(lines or ["nothing had to be mended"]) + "\n")
        return 0

    process.run_verb(work, as_json=as_json, debug=debug)

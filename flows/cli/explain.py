"""The verbs that say why and how much returns move: ``mmm explain``, ``mmm stability``."""

from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from flows.cli import process
from flows.cli.options import DebugOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.answers.stability import NoiseRequest, StabilityReport
    from schemas.documents.changes import ExplainRequest, Explanation


def explain(
    run_a: Annotated[str, typer.Argument(metavar="RUN_A", help="The earlier run.")],
    run_b: Annotated[str, typer.Argument(metavar="RUN_B", help="The later run, same dataset.")],
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say why each channel's ROAS changed between two runs.

    Sampling noise, new periods, restated history, or changed spec or code: at most seven auxiliary
    fits tell them apart, averaged over the orders of letting factors in. They touch neither
    champion nor warehouse data.
    """

    def work(answer: TextIO) -> int:
        from flows import engines
        from flows.cli.render import changes
        from schemas.documents.changes import ExplainRequest
        from tasks.explain.task_known import find_answer

        request = ExplainRequest(run_a=run_a, run_b=run_b)
        # Before Prefect starts: what can be refused, or was answered before.
        reported = find_answer(request)
        if reported is None:
            reported = process.call_flow(_open_explain, request, engines=engines.EXPLAIN)
        if as_json:
            # The version is that of ``change.json``; the published answer has none.
            document = reported.model_dump(mode="json", exclude={"schema_version"})
            process.print_json(answer, document)
        else:
            answer.write(changes.render_explanation(reported) + "\n")
        return 0

    process.run_verb(work, as_json=as_json, debug=debug)


def stability(
    dataset: Annotated[str, typer.Option("--dataset", metavar="ID", help="Dataset.")],
    noise_seeds: Annotated[
        int | None,
        typer.Option(
            "--noise-seeds",
            metavar="N",
            min=1,
            max=20,
            help="Repeat the champion's fit with N other seeds: the noise floor.",
        ),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show how far each accepted refit moved from the champion of its time.

    With --noise-seeds also how far the same fit moves by chance alone; it is kept on record.
    """

    def work(answer: TextIO) -> int:
        from flows import engines
        from flows.cli.render import changes
        from schemas.answers.stability import NoiseRequest
        from tasks.explain.task_stability import read_trend

        report = read_trend(dataset)
        if noise_seeds is not None:
            request = NoiseRequest(dataset_id=dataset, n_seeds=noise_seeds)
            report = process.call_flow(_open_noise, request, engines=engines.EXPLAIN)
        if as_json:
            process.print_answer(answer, report)
        else:
            answer.write(changes.render_stability(report) + "\n")
        return 0

    process.run_verb(work, as_json=as_json, debug=debug)


def _open_explain() -> "Callable[[ExplainRequest], Explanation]":
    from flows.explain_change import explain_change

    return explain_change


def _open_noise() -> "Callable[[NoiseRequest], StabilityReport]":
    from flows.measure_noise import measure_noise

    return measure_noise

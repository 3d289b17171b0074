"""How a recovery check looks on a terminal: one answer per channel, kinds of worlds, advice."""

from flows.cli.render.terminal import render_table
from schemas.answers.recovery import ChannelRecovery, ExperimentValue, KindRecovery, RecoveryReport
from schemas.answers.recovery_words import say_advice, say_answer, say_experiment, say_source
from schemas.words import format_ratio, format_share

_CHANNELS = [
    "channel", "bias", "holds truth", "where unlike", "width", "found", "false effect",
    "collinearity", "after a lift test", "can it be answered?",
]  # fmt: skip
_KINDS = [
    "simulated KPI", "refits", "holds truth", "bias of all media", "wrong without a flag", "PASS",
]  # fmt: skip
LEGEND = (
    "bias, holds truth (94 % intervals), width (over the true effect): where the model holds; "
    "found, false effect: share of refits that show one, with and without an effect; collinearity: "
    "width over that with all other channels known."
)


def render_recovery(report: RecoveryReport) -> str:
    """Render the tables of a recovery check and what a reader has to know."""
    parts = [
        f"{report.dataset_id}: {say_source(report)}",
        render_table(_CHANNELS, [_channel(n, row) for n, row in report.channels.items()]),
        LEGEND,
        render_table(_KINDS, [_kind(row) for row in report.kinds]),
    ]
    said = [say_advice(report), say_experiment(report.experiment)]
    return "\n".join([*parts, *filter(None, said), *(f"- {note}" for note in report.notes)])


def _channel(name: str, row: ChannelRecovery) -> list[str]:
    return [
        name,
        _signed(row.bias),
        format_share(row.coverage),
        format_share(row.coverage_unlike),
        format_ratio(row.width),
        format_share(row.found),
        format_share(row.false_effect),
        format_ratio(row.collinearity),
        _test(row.experiment),
        say_answer(row),
    ]


def _test(value: ExperimentValue | None) -> str:
    if value is None:
        return "–"
    return f"{format_share(value.width_left)} of width ({value.periods} off)"


def _kind(row: KindRecovery) -> list[str]:
    return [
        str(row.kind),
        str(row.n),
        format_share(row.coverage),
        _signed(row.bias),
        format_share(row.confident_wrong),
        str(row.n_accepted),
    ]


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{'+' if value > 0 else ''}{format_share(value)}"

"""Runs as dots on a time axis: when, how long, what verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.documents.results import RunRecord, RunStatus
from schemas.words import SYMBOLS, TONE

_WIDTH, _LEFT, _RIGHT, _ROW, _TICKS = 1000, 190, 50, 30, 6
_MOST_LETTERS = 20
_LEAST = timedelta(hours=1)


@dataclass(frozen=True)
class Tick:
    """One moment of the axis."""

    x: float
    text: str


@dataclass(frozen=True)
class Dot:
    """One run: the line from where it began to where it ended."""

    x: float
    end_x: float
    y: float
    tone: str
    symbol: str
    title: str
    href: str


@dataclass(frozen=True)
class Row:
    """One dataset."""

    y: float
    text: str


@dataclass(frozen=True)
class Timeline:
    """Runs of several datasets, a row each."""

    dots: list[Dot]
    ticks: list[Tick]
    rows: list[Row]
    height: int
    described: str


def draw_timeline(runs: Sequence[RunRecord], address_of: dict[str, str]) -> Timeline:
    """Return runs as dots.

    Parameters
    ----------
    runs
        At least one, the newest first.
    address_of
        Page of each run by its id.
    """
    begun = min(run.created_at for run in runs)
    ended = max(max(run.updated_at for run in runs), begun + _LEAST)
    names = dict.fromkeys(run.dataset_id for run in runs)
    rows = {name: 22.0 + _ROW * i for i, name in enumerate(names)}

    def place(moment: datetime) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * ((moment - begun) / (ended - begun)), 1)

    dots = [
        Dot(
            x=place(run.created_at),
            end_x=place(run.updated_at),
            y=rows[run.dataset_id],
            tone=_tone(run),
            symbol=SYMBOLS.get(run.verdict or "", "✕" if run.status is RunStatus.ERROR else "…"),
            title=describe(run),
            href=address_of[run.run_id],
        )
        for run in reversed(runs)
    ]
    step = (ended - begun) / (_TICKS - 1)
    pattern = "%Y-%m-%d" if ended - begun > timedelta(days=3) else "%m-%d %H:%M"
    moments = [begun + i * step for i in range(_TICKS)]
    return Timeline(
        dots=dots,
        ticks=[Tick(place(m), f"{m:{pattern}}") for m in moments],
        rows=[Row(y, _shortened(name)) for name, y in rows.items()],
        height=40 + 30 + _ROW * (len(rows) - 1),
        described=f"{len(runs)} runs of {', '.join(rows)} between {begun:%Y-%m-%d} and "
        f"{ended:%Y-%m-%d}; the table below lists them.",
    )


def _shortened(name: str) -> str:
    return name if len(name) <= _MOST_LETTERS else f"{name[: _MOST_LETTERS - 1]}…"


def describe(run: RunRecord) -> str:
    """Return a run in one line: id, when, how long, verdict."""
    seconds = (run.updated_at - run.created_at).total_seconds()
    verdict = run.verdict or run.status
    return f"{run.run_id}: {run.created_at:%Y-%m-%d %H:%M}, {format_duration(seconds)}, {verdict}"


def format_duration(seconds: float) -> str:
    """Write how long something took."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def _tone(run: RunRecord) -> str:
    if run.verdict is not None:
        return TONE[run.verdict]
    return "bad" if run.status is RunStatus.ERROR else "plain"

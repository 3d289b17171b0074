"""Runs side by side as one page that opens from disk: tables, intervals and curves, no script."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from flows.cli.render.comparison import NOTE, build_blocks
from schemas.answers.comparison import CurveInComparison, RunInComparison, RunsCompared
from schemas.words import format_number

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_WIDTH, _HEIGHT, _EDGE = 360, 180, 8
_ROW = 16

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;
color:#1b1b1b;background:#fff}h1{font-size:1.5rem}h2{font-size:1.1rem;margin:2rem 0 .4rem}
.wide{overflow-x:auto}table{border-collapse:collapse;min-width:40rem}
th,td{text-align:left;padding:.25rem .9rem .25rem 0;border-bottom:1px solid #ddd;vertical-align:top;
font-variant-numeric:tabular-nums;overflow-wrap:break-word;max-width:24rem}
th small{display:block;font-weight:400}
.grid{display:flex;flex-wrap:wrap;gap:1.5rem}figure{margin:0}figcaption{font-weight:600}
.key span{display:inline-block;margin-right:1.2rem}
.key i{display:inline-block;width:.8rem;height:.8rem;margin-right:.35rem}
"""


def render_page(found: RunsCompared) -> str:
    """Render runs side by side as HTML; every text of a run or a spec is escaped."""
    ids = [run.run_id for run in found.runs]
    data = "the same data" if found.same_snapshot else "different data"
    title = f"Runs of {found.dataset_id} side by side"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        f"<p>KPI: {escape(found.kpi_name or 'unknown')}. Fitted on {data}. {escape(NOTE)}</p>",
        _key(found.runs),
        *_returns(found, ids),
        *_curves(found, ids),
        *(_table(block.title, found.runs, block.rows) for block in build_blocks(found)),
        "</body></html>\n",
    ]
    return "".join(parts)


def _key(runs: Sequence[RunInComparison]) -> str:
    entries = (
        f'<span><i style="background:{_colour(place)}"></i>{escape(run.title)}</span>'
        for place, run in enumerate(runs)
    )
    return f'<p class="key">{"".join(entries)}</p>'


def _table(title: str, runs: Sequence[RunInComparison], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(
        f'<th scope="col">{escape(run.model_kind or "")}<small>{escape(run.run_id)}</small></th>'
        for run in runs
    )
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<h2>{escape(title)}</h2><div class="wide"><table><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _returns(found: RunsCompared, ids: Sequence[str]) -> Iterator[str]:
    """One figure per channel with a return: mean and 94 % interval of every run."""
    figures = []
    for name, rows in found.channels.items():
        known = {
            place: (rows[run_id].roas_low, rows[run_id].roas_mean, rows[run_id].roas_high)
            for place, run_id in enumerate(ids)
            if run_id in rows and rows[run_id].roas_mean is not None
        }
        ends = {
            place: (low, mean, high)
            for place, (low, mean, high) in known.items()
            if low is not None and mean is not None and high is not None
        }
        if ends:
            figures.append(_figure(name, _intervals(ends), height=_ROW * len(ids) + 2 * _EDGE))
    if figures:
        yield f'<h2>ROAS, 94 % interval</h2><div class="grid">{"".join(figures)}</div>'


def _intervals(ends: Mapping[int, tuple[float, float, float]]) -> str:
    least = min(0.0, *(low for low, _, _ in ends.values()))
    most = max(0.0, *(high for _, _, high in ends.values())) or 1.0
    marks = []
    for place, (low, mean, high) in ends.items():
        y, colour = _EDGE + _ROW * (place + 0.5), _colour(place)
        start, middle, end = (_across(value, least, most) for value in (low, mean, high))
        said = f"{format_number(mean)} ({format_number(low)} to {format_number(high)})"
        marks.append(
            f'<g><title>{escape(said)}</title><line x1="{start}" x2="{end}" y1="{y}" y2="{y}" '
            f'stroke="{colour}" stroke-width="3"/><circle cx="{middle}" cy="{y}" r="5" '
            f'fill="{colour}"/></g>'
        )
    return _zero_line(least, most) + "".join(marks) + _bounds(least, most)


def _curves(found: RunsCompared, ids: Sequence[str]) -> Iterator[str]:
    figures = [
        _figure(name, drawn, height=_HEIGHT)
        for name, rows in found.curves.items()
        if (drawn := _lines([(ids.index(run_id), curve) for run_id, curve in rows.items()]))
    ]
    if figures:
        yield (
            "<h2>Response in the long run per period, against spend or input, 90 % interval</h2>"
            f'<div class="grid">{"".join(figures)}</div>'
        )


def _lines(curves: Sequence[tuple[int, CurveInComparison]]) -> str:
    if not all(curve.x for _, curve in curves):
        return ""
    most_x = max(curve.x[-1] for _, curve in curves) or 1.0
    least = min(0.0, *(min(curve.low_90) for _, curve in curves))
    most = max(0.0, *(max(curve.high_90) for _, curve in curves)) or 1.0

    def points(x: Sequence[float], y: Sequence[float]) -> str:
        pairs = zip(x, y, strict=True)
        return " ".join(f"{_across(a, 0.0, most_x)},{_up(b, least, most)}" for a, b in pairs)

    drawn = []
    for place, curve in curves:
        band = points(curve.x, curve.low_90) + " " + points(curve.x[::-1], curve.high_90[::-1])
        drawn.append(
            f'<polygon points="{band}" fill="{_colour(place)}" fill-opacity="0.15"/>'
            f'<polyline points="{points(curve.x, curve.median)}" fill="none" '
            f'stroke="{_colour(place)}" stroke-width="2"/>'
        )
    return "".join(drawn) + _bounds(0.0, most_x) + _highest(most)


def _figure(name: str, drawn: str, *, height: float) -> str:
    return (
        f"<figure><figcaption>{escape(name)}</figcaption>"
        f'<svg role="img" aria-label="{escape(name)}" width="{_WIDTH}" height="{height + 18}" '
        f'viewBox="0 0 {_WIDTH} {height + 18}">{drawn}</svg></figure>'
    )


def _bounds(least: float, most: float) -> str:
    return (
        f'<text x="{_EDGE}" y="100%" dy="-2" font-size="11">{escape(format_number(least))}</text>'
        f'<text x="{_WIDTH - _EDGE}" y="100%" dy="-2" font-size="11" text-anchor="end">'
        f"{escape(format_number(most))}</text>"
    )


def _highest(most: float) -> str:
    return f'<text x="{_EDGE}" y="12" font-size="11">{escape(format_number(most))}</text>'


def _zero_line(least: float, most: float) -> str:
    zero = _across(0.0, least, most)
    return f'<line x1="{zero}" x2="{zero}" y1="0" y2="100%" stroke="#aaa"/>'


def _across(value: float, least: float, most: float) -> float:
    return round(_EDGE + (_WIDTH - 2 * _EDGE) * (value - least) / (most - least), 1)


def _up(value: float, least: float, most: float) -> float:
    return round(_HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * (value - least) / (most - least), 1)


def _colour(place: int) -> str:
    return _COLOURS[place % len(_COLOURS)]

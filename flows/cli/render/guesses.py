"""What ``mmm init`` guessed, as text."""

import shlex

from flows.cli.render.terminal import visible
from schemas.answers.guessed_spec import GuessedSpec

_WIDTH = 30


def render_guess(written: GuessedSpec) -> str:
    """Return what the spec says and why, and what to do next."""
    lines = [f"wrote {written.spec} for {written.file} ({written.n_rows:,} rows)", ""]
    for guessed in written.guessed:
        columns = " + ".join(visible(column) for column in guessed.columns)
        lines.append(f"  {visible(guessed.what):<{_WIDTH}} {columns}  ({guessed.reason})")
    if written.unused:
        lines += ["", "not used"]
        lines += [f"  {visible(c):<{_WIDTH}} {why}" for c, why in written.unused.items()]
    spec = shlex.quote(written.spec)
    data = "" if written.has_data else f" --data {shlex.quote(written.file)}"
    lines += [
        "",
        "These are guesses: read the spec once, then",
        f"  mmm validate --spec {spec}{data}",
        f"  mmm refit --spec {spec}{data}",
    ]
    return "\n".join(lines) + "\n"

"""What ``mmm init`` guessed, as text."""

import shlex

from flows.cli.render.terminal import shown_path, visible
from schemas.answers.guessed_spec import GuessedSpec

_WIDTH = 30


def render_guess(written: GuessedSpec) -> str:
    """Return what the spec says and why, and what to do next."""
    spec, file = shown_path(written.spec), shown_path(written.file)
    lines = [f"wrote {spec} for {file} ({written.n_rows:,} rows)", ""]
    for guessed in written.guessed:
        columns = " + ".join(visible(column) for column in guessed.columns)
        lines.append(f"  {visible(guessed.what):<{_WIDTH}} {columns}  ({guessed.reason})")
    if written.unused:
        lines += ["", "not used"]
        lines += [f"  {visible(c):<{_WIDTH}} {why}" for c, why in written.unused.items()]
    data = "" if written.has_data else f" --data {shlex.quote(file)}"
    lines += [
        "",
        "These are guesses: read the spec once, then",
        f"  mmm validate --spec {shlex.quote(spec)}{data}",
        f"  mmm refit --spec {shlex.quote(spec)}{data}",
    ]
    return "\n".join(lines) + "\n"

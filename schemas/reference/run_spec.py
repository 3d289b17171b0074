"""The keys of a run spec, block by block."""

from collections.abc import Iterator

from pydantic import BaseModel

from schemas.reference.fields import about, meanings, nested, say_allowed, say_default, table
from schemas.spec.run_spec import RunSpec

_HEAD = ("Key", "Default", "Allowed", "Meaning")


def render_run_spec() -> str:
    """Return a section per block of the spec, the keys at the top first."""
    return "\n\n".join(_blocks(RunSpec, "", ""))


def _blocks(model: type[BaseModel], path: str, why: str) -> Iterator[str]:
    """Yield the section of a block, then those of the blocks in it."""
    said, rows, inside = meanings(model), [], []
    for name, field in model.model_fields.items():
        inner, mark = nested(field.annotation)
        if inner:
            inside.append((inner, f"{path}{name}{mark}", said[name]))
        else:
            cells = (f"`{path}{name}`", say_default(field), say_allowed(field), said[name])
            rows.append(cells)
    title = [f"### `{path.rstrip('.')}`"] if path else ["### Keys at the top"]
    words = [text for text in (about(model) if path else "", why) if text]
    yield "\n\n".join([*title, *words, *([table(_HEAD, *rows)] if rows else [])])
    for inner, below, reason in inside:
        yield from _blocks(inner, below, reason)

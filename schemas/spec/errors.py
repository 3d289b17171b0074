"""Turn pydantic's errors into sentences that name the key and suggest the nearest one."""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from schemas.errors import SpecError
from schemas.hints import suggest
from schemas.spec.run_spec import RunSpec


def parse_run_spec(raw: Any, *, source: str = "run spec") -> RunSpec:
    """Validate a parsed JSON or YAML document.

    Parameters
    ----------
    raw
        The document; must be a mapping.
    source
        Name of the file for the message.

    Raises
    ------
    SpecError
        With every problem, each naming its key.
    """
    return parse_model(RunSpec, raw, source=source)


def parse_model[M: BaseModel](model: type[M], raw: Any, *, source: str) -> M:
    """Validate a document against any model that people write.

    Parameters
    ----------
    model
        What the document must be.
    raw
        The document; must be a mapping.
    source
        Name of the file, or of what the document stands for, for the message.

    Raises
    ------
    SpecError
        With every problem, each naming its key.
    """
    if not isinstance(raw, Mapping):
        raise SpecError(
            f"{source}: expected a mapping of keys to values, got {type(raw).__name__}."
        )
    try:
        return model.model_validate(dict(raw))
    except ValidationError as error:
        problems = [_sentence(e, model) for e in error.errors()]
        listing = "\n".join(f"- {p}" for p in problems)
        raise SpecError(f"{source} cannot be used:\n{listing}", problems) from error


def _sentence(error: Any, model: type[BaseModel]) -> str:
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        key, parents = str(error["loc"][-1]), error["loc"][:-1]
        known = _known_keys(model, parents)
        hint = suggest(key, known, f"known keys: {', '.join(known)}.")
        return f"{where}: unknown key; {hint}"
    if error["type"] == "missing":
        return f"{where}: required, but not given."
    message = error["msg"].removeprefix("Value error, ")
    got = error.get("input")
    shown = (
        f" (got {got!r})"
        if isinstance(got, str | int | float | bool) and error["type"] != "value_error"
        else ""
    )
    # What is wrong with several keys together has no place of its own.
    return f"{where}: {message}{shown}" if where else message


def _known_keys(model: type[BaseModel], parents: tuple[Any, ...]) -> list[str]:
    for part in parents:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(str(part))
        nested = _nested_model(field.annotation) if field else None
        if nested is None:
            return sorted(model.model_fields)
        model = nested
    return sorted(model.model_fields)


def _nested_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _nested_model(inner)
        if found is not None:
            return found
    return None

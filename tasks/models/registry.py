"""The model kinds that there are. A new one is one folder and one line here."""

import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager

from schemas.documents.features import FeatureSettings
from schemas.errors import SpecError
from schemas.spec import kinds as spec_kinds
from schemas.spec.kinds import ModelKind
from tasks.models.kind import Kind

# Imported when asked for: a plan from one kind's fit does not pay for the others.
_PLACES: dict[str, str] = {
    ModelKind.MMM: "tasks.models.mmm.kind:MMM",
    ModelKind.LOG_STUDENT_T: "tasks.models.log_student_t.kind:LOG_STUDENT_T",
    ModelKind.RIDGE: "tasks.models.ridge.kind:RIDGE",
    ModelKind.CAUSAL_GRU: "tasks.models.causal_gru.kind:CAUSAL_GRU",
}
_KINDS: dict[str, Kind] = {}


def known_kinds() -> dict[str, Kind]:
    """Return all kinds by name."""
    return {name: find_kind(name) for name in (*_PLACES, *_KINDS)}


def find_kind(name: str) -> Kind:
    """Return a kind by name.

    Raises
    ------
    SpecError
        If there is none of this name.
    """
    if name in _PLACES and name not in _KINDS:
        _KINDS[name] = pkgutil.resolve_name(_PLACES[name])
    if name not in _KINDS:
        known = ", ".join(sorted({*_PLACES, *_KINDS}))
        raise SpecError(f"unknown model kind {name!r}; known: {known}.")
    return _KINDS[name]


def kind_of(metadata: FeatureSettings) -> Kind:
    """Return the kind that feature metadata name; raises as ``find_kind``."""
    return find_kind(metadata.model_kind)


@contextmanager
def registered(kind: Kind) -> Iterator[None]:
    """Let specs and fits name one more kind for a while.

    Parameters
    ----------
    kind
        Its name must be new.
    """
    if kind.name in _PLACES or kind.name in _KINDS:
        raise ValueError(f"there is a model kind {kind.name!r} already")
    _KINDS[kind.name] = kind
    spec_kinds.admit(kind.spec)
    try:
        yield
    finally:
        del _KINDS[kind.name], spec_kinds.KINDS[kind.name]

"""The model kinds that there are. A new one is one folder and one line here."""

from collections.abc import Iterator
from contextlib import contextmanager

from schemas.documents.features import FeatureSettings
from schemas.errors import SpecError
from schemas.spec import kinds as spec_kinds
from tasks.models.causal_gru.kind import CAUSAL_GRU
from tasks.models.kind import Kind
from tasks.models.log_student_t.kind import LOG_STUDENT_T
from tasks.models.mmm.kind import MMM
from tasks.models.ridge.kind import RIDGE

_KINDS: dict[str, Kind] = {kind.name: kind for kind in (MMM, LOG_STUDENT_T, RIDGE, CAUSAL_GRU)}


def known_kinds() -> dict[str, Kind]:
    """Return all kinds by name."""
    return dict(_KINDS)


def find_kind(name: str) -> Kind:
    """Return a kind by name.

    Raises
    ------
    SpecError
        If there is none of this name.
    """
    if name not in _KINDS:
        known = ", ".join(sorted(_KINDS))
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
    if kind.name in _KINDS:
        raise ValueError(f"there is a model kind {kind.name!r} already")
    _KINDS[kind.name] = kind
    spec_kinds.admit(kind.spec)
    try:
        yield
    finally:
        del _KINDS[kind.name], spec_kinds.KINDS[kind.name]

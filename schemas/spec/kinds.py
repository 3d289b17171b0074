"""Model kinds as a run spec sees them: their names, and the keys and defaults of each.

What a kind does stands in ``tasks.models.registry``, which names the same ones (a test holds both
equal). Belongs here: what a spec may say to a kind. Does not: how it is fitted or opened.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator

from schemas.spec.sampler import SamplerBackend


class ModelKind(StrEnum):
    """Names of the kinds that come with the product."""

    MMM = "mmm"
    LOG_STUDENT_T = "log_student_t"
    RIDGE = "ridge"
    CAUSAL_GRU = "causal_gru"


def kind_names() -> list[str]:
    """Names of all kinds, the default first: what a form offers."""
    return [kind.value for kind in ModelKind]


class KindKey(StrEnum):
    """What not every kind understands in a spec."""

    FEATURE_CONFIG = "feature_config"
    LIFT_TESTS = "lift_tests"
    EVENTS = "model.events"
    HOLIDAYS = "model.holidays"
    LIKELIHOOD = "model.likelihood"
    NON_NEGATIVE_BASELINE = "model.non_negative_baseline"
    TIME_VARYING_MEDIA = "model.time_varying_media"
    TRANSFORM = "model.transform"
    POOLING = "model.pooling"
    BENT_TREND = "model.trend"
    """A trend beyond a straight line."""
    CHANNEL_TRANSFORMS = "adstock or saturation of channel"
    CONTROL_SHAPES = "sign or decay of control"
    RIDGE = "model.ridge"
    CAUSAL_GRU = "model.causal_gru"


_INSTEAD = {
    KindKey.FEATURE_CONFIG: "use model.adstock and model.saturation, which other kinds learn",
}


@dataclass(frozen=True)
class KindSpec:
    """What a spec may say to one kind."""

    name: str
    keys: frozenset[KindKey] = frozenset()
    """Those that it understands; the others are refused."""
    sampler: Mapping[str, Any] = field(default_factory=dict)
    """Its own defaults of ``sampler``."""
    model: Mapping[str, Any] = field(default_factory=dict)
    """Its own defaults of ``model``."""
    backends: tuple[SamplerBackend, ...] = ()
    """Those that can sample it; none where nothing is sampled by MCMC."""
    is_logarithmic: bool = False
    """It models the logarithm of the KPI, which no negative value has."""


KINDS: dict[str, KindSpec] = {}
"""By name; ``admit`` adds to it."""


def admit(kind: KindSpec) -> None:
    """Let run specs name a kind."""
    KINDS[kind.name] = kind


admit(
    KindSpec(
        ModelKind.MMM.value,
        frozenset(KindKey) - {KindKey.FEATURE_CONFIG, KindKey.RIDGE, KindKey.CAUSAL_GRU},
        backends=(SamplerBackend.KERNEL, SamplerBackend.NUTPIE, SamplerBackend.PYMC),
    )
)
admit(
    KindSpec(
        ModelKind.LOG_STUDENT_T.value,
        frozenset({KindKey.FEATURE_CONFIG, KindKey.POOLING}),
        sampler={"chains": 2, "target_accept": 0.9},
        model={"pooling": "complete"},
        backends=(SamplerBackend.NUTPIE, SamplerBackend.PYMC),
        is_logarithmic=True,
    )
)
admit(
    KindSpec(
        ModelKind.RIDGE.value,
        frozenset(
            {
                KindKey.RIDGE,
                KindKey.EVENTS,
                KindKey.HOLIDAYS,
                KindKey.BENT_TREND,
                KindKey.CONTROL_SHAPES,
            }
        ),
        sampler={"draws": 250, "chains": 2},
    )
)
admit(
    KindSpec(
        ModelKind.CAUSAL_GRU.value,
        frozenset({KindKey.CAUSAL_GRU, KindKey.EVENTS, KindKey.HOLIDAYS, KindKey.BENT_TREND}),
        sampler={"draws": 20, "chains": 2},
    )
)


def own_defaults(kind: Any) -> Mapping[str, Mapping[str, Any]]:
    """Return what a kind has other defaults of; nothing for what is no kind.

    Returns
    -------
    Mapping
        Part of the spec, ``sampler`` or ``model``, to its keys and their defaults.
    """
    known = KINDS.get(kind) if isinstance(kind, str) else None
    return {
        "sampler": known.sampler if known else {},
        "model": known.model if known else {},
    }


def refusals(kind: str, used: Iterable[tuple[KindKey, str]]) -> list[str]:
    """Say which parts of a spec a kind would have to ignore.

    Parameters
    ----------
    kind
        Name of the spec's kind.
    used
        What the spec uses, and how it is called in the message.

    Returns
    -------
    list
        One sentence per group of keys that the same kinds know.
    """
    groups: dict[tuple[str, ...], list[tuple[KindKey, str]]] = {}
    for key, label in used:
        if key not in KINDS[kind].keys:
            knowing = tuple(name for name, other in KINDS.items() if key in other.keys)
            groups.setdefault(knowing, []).append((key, label))
    return [_refusal(knowing, labels) for knowing, labels in groups.items()]


def backend_refusal(kind: str, backend: SamplerBackend) -> str | None:
    """Say why a kind cannot be sampled by a backend; None where it can."""
    can = KINDS[kind].backends
    if backend is SamplerBackend.AUTO or backend in can:
        return None
    known = f"knows {', '.join(can)}" if can else "is not sampled by MCMC"
    return f"sampler.backend {backend}: kind {kind} {known}; use auto"


def _refusal(knowing: tuple[str, ...], labels: list[tuple[KindKey, str]]) -> str:
    named = ", ".join(label for _, label in labels)
    who = f"kind {knowing[0]} knows" if len(knowing) == 1 else f"kinds {', '.join(knowing)} know"
    ways = [f"set model.kind to {' or '.join(knowing)}", "leave it out"]
    instead = [_INSTEAD[key] for key, _ in labels if key in _INSTEAD]
    return f"{named}: only {who} this; {', or '.join([*ways, *instead])}"


def _known(name: str) -> str:
    if name not in KINDS:
        raise ValueError(f"unknown model kind {name!r}; known: {', '.join(sorted(KINDS))}")
    return name


KindName = Annotated[str, AfterValidator(_known)]
"""Name of a kind that is known."""

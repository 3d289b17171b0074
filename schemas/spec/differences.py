"""What of a run spec decides a fit, and which keys of two documents differ."""

from collections.abc import Mapping
from typing import Any

from schemas.spec.run_spec import RunSpec
from schemas.spec.sampler import SamplerSpec

BESIDE_THE_FIT = frozenset(
    {
        "data", "sheet", "columns", "date_format", "decimal",  # how a file is read: data show it
        "gates", "optimizer", "budget_groups", "explain", "retention",
        "planned",  # what is done with a fit
    }
)  # fmt: skip
"""Keys of a spec that cannot change a posterior. One that is not listed counts as one that can."""
_SAMPLER_BESIDE = ("random_seed", "timeout_minutes", "escalation")
"""The seed is no change of the spec here: what another seed changes is sampling noise."""
_CHOOSE = "choose"
"""Of ``model``: what is chosen stands in the parts themselves."""
_KPI_BESIDE = ("name", "currency")
_KEYS_OF_THE_FILE = ("entity", "period")


def fit_settings(spec: RunSpec, sampler: SamplerSpec, roles: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything of a run's settings that can change its posterior.

    Parameters
    ----------
    spec
        The run spec.
    sampler
        Settings of the fit that was taken: the spec's, or those of an escalation.
    roles
        Roles of the columns, as ``column_info.json`` has them: ``controls`` that the spec leaves
        out are all those of the file.

    Returns
    -------
    dict
        The spec without ``BESIDE_THE_FIT``, channels and roles by name, ready for ``changed_keys``.
    """
    kept = {k: v for k, v in spec.model_dump(mode="json").items() if k not in BESIDE_THE_FIT}
    kept["model"] = {k: v for k, v in kept["model"].items() if k != _CHOOSE}
    kept["kpi"] = {k: v for k, v in kept["kpi"].items() if k not in _KPI_BESIDE}
    kept["channels"] = {
        channel["name"]: {k: v for k, v in channel.items() if k != "bounds"}
        for channel in kept["channels"] or []
    }
    kept["controls"] = [_without_reference(c) for c in kept["controls"] or []]
    kept["sampler"] = sampler.model_dump(mode="json", exclude=set(_SAMPLER_BESIDE))
    known = {k: v for k, v in roles.items() if k not in _KEYS_OF_THE_FILE}
    known["controls"] = [_without_reference(c) for c in known.get("controls", [])]
    kept["roles"] = _by_name(known)
    return kept


def changed_keys(now: Mapping[str, Any], then: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Dotted keys of two documents that differ.

    Parameters
    ----------
    now, then
        Two documents, nested.
    prefix
        Dotted path of both, with a dot at its end.
    """
    keys: list[str] = []
    for key in sorted({*now, *then}):
        new, old = now.get(key), then.get(key)
        if isinstance(new, Mapping) and isinstance(old, Mapping):
            keys += changed_keys(new, old, f"{prefix}{key}.")
        elif new != old:
            keys.append(f"{prefix}{key}")
    return keys


def _without_reference(control: Mapping[str, Any]) -> dict[str, Any]:
    """A control but for where it counts from, which says how a fit is told, not what it is."""
    return {key: value for key, value in control.items() if key != "reference"}


def _by_name(document: Mapping[str, Any]) -> dict[str, Any]:
    """Lists of named things as mappings, so that a difference is reported by the name."""
    return {
        key: {str(v["name"]): v for v in value}
        if isinstance(value, list) and all(isinstance(v, dict) and "name" in v for v in value)
        else value
        for key, value in document.items()
        if key != "kpi_name"
    }

"""The sampler's own evidence: R-hat, effective samples, divergences, energy, tree depth."""

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import arviz as az
import numpy as np
import xarray as xr

from schemas.documents.retries import SamplingGate
from schemas.outcomes import GateOutcome, Verdict
from schemas.spec.gates import SamplingGates
from tasks.mathematics.draws import convergence
from tasks.mathematics.judging import judge_at_least, judge_at_most

ALL_GATES = frozenset(SamplingGate)


class Evidence(NamedTuple):
    """Numbers of one sampling run, with the parameter that gave each worst one."""

    r_hat_max: float
    r_hat_where: str
    ess_bulk_min: float
    ess_bulk_where: str
    ess_tail_min: float
    ess_tail_where: str
    n_divergences: int
    n_draws: int
    ebfmi_min: float
    max_tree_depth_share: float
    parameters: dict[str, dict[str, float | None]]

    @property
    def headline(self) -> str:
        """One line for the log."""
        if not self.n_draws:
            return "not sampled by MCMC"
        return (
            f"worst R-hat {self.r_hat_max:.4f}, min ESS "
            f"{min(self.ess_bulk_min, self.ess_tail_min):.0f} (bulk and tail), "
            f"{self.n_divergences} divergences"
        )


NOT_SAMPLED = Evidence(
    r_hat_max=math.nan,
    r_hat_where="",
    ess_bulk_min=math.nan,
    ess_bulk_where="",
    ess_tail_min=math.nan,
    ess_tail_where="",
    n_divergences=0,
    n_draws=0,
    ebfmi_min=math.nan,
    max_tree_depth_share=math.nan,
    parameters={},
)
"""Of a kind that has no chains to converge."""


def measure_convergence(tree: xr.DataTree, gates: Collection[SamplingGate] = ALL_GATES) -> Evidence:
    """Measure one run.

    Parameters
    ----------
    tree
        Groups ``posterior`` and ``sample_stats`` with dims ``(chain, draw, ...)``. A cell that is
        exactly zero in every draw belongs to a channel that is switched off in that entity: it is
        no parameter and is left out.
    gates
        Sampling gates of the model kind; without any, nothing is measured.
    """
    if not gates:
        return NOT_SAMPLED
    posterior = tree["posterior"].to_dataset()
    stats = tree["sample_stats"].to_dataset()
    measured = convergence(posterior)
    rows = _parameter_rows(posterior, measured)
    worst_r_hat, r_hat_where = _worst(rows, "r_hat", largest=True)
    worst_bulk, bulk_where = _worst(rows, "ess_bulk", largest=False)
    worst_tail, tail_where = _worst(rows, "ess_tail", largest=False)
    depth = stats.get("reached_max_treedepth")
    return Evidence(
        r_hat_max=worst_r_hat,
        r_hat_where=r_hat_where,
        ess_bulk_min=worst_bulk,
        ess_bulk_where=bulk_where,
        ess_tail_min=worst_tail,
        ess_tail_where=tail_where,
        n_divergences=int(stats["diverging"].sum()),
        n_draws=int(stats["diverging"].size),
        ebfmi_min=_ebfmi(stats),
        max_tree_depth_share=float(depth.mean()) if depth is not None else float("nan"),
        parameters={
            name: {k: v if np.isfinite(v) else None for k, v in row.items()}
            for name, row in rows.items()
        },
    )


def _ebfmi(stats: xr.Dataset) -> float:
    if "energy" not in stats:
        return float("nan")
    return float(np.min(np.asarray(az.bfmi(stats["energy"].to_numpy()), dtype=float)))


def _parameter_rows(
    posterior: xr.Dataset, measured: dict[str, xr.Dataset]
) -> dict[str, dict[str, float]]:
    rows: dict[str, dict[str, float]] = {}
    for name, variable in posterior.data_vars.items():
        switched_off = ((variable == 0).all(("chain", "draw"))).to_numpy()
        for key, position, _ in parameter_cells(str(name), variable):
            if not switched_off[position]:
                rows[key] = {m: float(d[name].to_numpy()[position]) for m, d in measured.items()}
    return rows


class ParameterCell(NamedTuple):
    """A scalar of a variable."""

    name: str
    """As it is published."""
    position: tuple[int, ...]
    labels: dict[str, str]
    """Along each dimension."""


def parameter_cells(name: str, variable: xr.DataArray) -> Iterator[ParameterCell]:
    """Yield every scalar of a variable.

    Parameters
    ----------
    name
        Name of the variable.
    variable
        Draws, ``(chain, draw, ...)``.
    """
    dims = [str(dim) for dim in variable.dims if dim not in ("chain", "draw")]
    for position in np.ndindex(*(variable.sizes[dim] for dim in dims)):
        labels = {
            dim: str(variable[dim].to_numpy()[i]) for dim, i in zip(dims, position, strict=True)
        }
        where = ", ".join(labels.values())
        yield ParameterCell(f"{name}[{where}]" if where else name, position, labels)


def _worst(rows: dict[str, dict[str, float]], measure: str, *, largest: bool) -> tuple[float, str]:
    """Worst value and its parameter; one that could not be computed is worse than any number."""
    for name, row in rows.items():
        if not np.isfinite(row[measure]):
            return float("nan"), name
    pick = max if largest else min
    name = pick(rows, key=lambda n: rows[n][measure])
    return rows[name][measure], name


def judge_convergence(
    evidence: Evidence, gates: SamplingGates, apply: Collection[SamplingGate] = ALL_GATES
) -> list[GateOutcome]:
    """Judge one run by those sampling gates that apply to its kind."""
    more = "Sample longer (sampler.tune, sampler.draws) or look at this parameter's data and prior."
    careful = "Raise sampler.target_accept, or give this model more informative priors."
    ess = (gates.ess_pass, gates.ess_review)
    divergences = f"{evidence.n_divergences} of {evidence.n_draws} draws"
    share = evidence.n_divergences / evidence.n_draws if evidence.n_draws else math.nan
    r_hat = (gates.r_hat_pass, gates.r_hat_review)
    ebfmi = (gates.ebfmi_pass, gates.ebfmi_review)
    depth = (gates.tree_depth_share_pass, gates.tree_depth_share_review)
    allowed = (0.0, gates.divergence_share_review)
    e = evidence
    outcomes = [
        judge_at_most(SamplingGate.R_HAT, e.r_hat_max, r_hat, more, where=e.r_hat_where),
        judge_at_least(SamplingGate.ESS_BULK, e.ess_bulk_min, ess, more, where=e.ess_bulk_where),
        judge_at_least(SamplingGate.ESS_TAIL, e.ess_tail_min, ess, more, where=e.ess_tail_where),
        judge_at_most(SamplingGate.DIVERGENCES, share, allowed, careful, where=divergences),
        judge_at_least(SamplingGate.EBFMI, e.ebfmi_min, ebfmi, more),
        judge_at_most(SamplingGate.TREE_DEPTH, e.max_tree_depth_share, depth, careful),
    ]
    return [outcome for outcome in outcomes if outcome.gate in apply]


def observed_at(outcomes: Sequence[GateOutcome], verdict: Verdict) -> dict[str, float]:
    """Return what was observed at each gate of a verdict, such as FAIL."""
    return {o.gate: o.observed for o in outcomes if o.verdict is verdict and o.observed is not None}


def evidence_facts(evidence: Evidence) -> dict[str, Any]:
    """Return the published numbers of ``diagnostics.json``."""
    return {
        "r_hat_max": _or_none(evidence.r_hat_max),
        "ess_bulk_min": _or_none(evidence.ess_bulk_min),
        "ess_tail_min": _or_none(evidence.ess_tail_min),
        "divergences": evidence.n_divergences if evidence.n_draws else None,
        "ebfmi_min": _or_none(evidence.ebfmi_min),
        "max_tree_depth_share": _or_none(evidence.max_tree_depth_share),
    }


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None

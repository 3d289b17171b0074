"""What the fit predicts, compared with what was seen: predictive checks, residuals, PSIS-LOO."""

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.names import ComponentKind
from schemas.outcomes import GateOutcome
from schemas.spec.gates import FitGates
from tasks.mathematics.draws import hdi
from tasks.mathematics.judging import judge_at_least, judge_at_most
from tasks.mathematics.panel import observed_of
from tasks.models.contract import FittedModel
from tasks.models.information import compute_loo, count_bad_k

_NO_LOO = dict.fromkeys(("elpd_loo", "p_loo", "pareto_k_bad_share"), float("nan"))


class PredictiveEvidence(NamedTuple):
    """Numbers of one fit over its estimation window."""

    ppc_p_mean: float
    ppc_p_sd: float
    negative_baseline_prob: float
    durbin_watson: float
    coverage_94: float
    elpd_loo: float
    p_loo: float
    pareto_k_bad_share: float


def measure_predictive(
    model: FittedModel,
    panel: xr.Dataset,
    window: NDArray[np.bool_],
    *,
    seed: int,
    is_posterior: bool = True,
) -> PredictiveEvidence:
    """Measure one fit.

    Parameters
    ----------
    model
        The fitted model.
    panel
        Panel with its carryover window.
    window
        Fitted periods, ``(date,)``.
    seed
        Seed of the replicated data.
    is_posterior
        Whether the draws are of a posterior: others cannot be reweighted to leave a period out,
        and PSIS-LOO is NaN.
    """
    cells = observed_of(panel)[:, window]
    actual = panel["kpi"].to_numpy()[:, window][cells]
    everywhere, media = _expected_and_media(model, panel)
    expected = everywhere[:, :, window]
    baseline = (expected - media[:, :, window]).sum(axis=(1, 2))
    replicated = model.sample_kpi(panel, everywhere, seed=seed)[:, :, window][:, cells]
    low, high = hdi(replicated)
    log_likelihood = model.log_likelihood(panel, everywhere)[:, :, window][:, cells]
    innovations = np.where(cells, model.innovations(panel, everywhere)[:, :, window], np.nan)
    return PredictiveEvidence(
        ppc_p_mean=two_sided_p(replicated.mean(axis=1), actual.mean()),
        ppc_p_sd=two_sided_p(replicated.std(axis=1), actual.std()),
        negative_baseline_prob=float((baseline < 0).mean()),
        durbin_watson=durbin_watson(innovations.mean(axis=0)),
        coverage_94=float(((actual >= low) & (actual <= high)).mean()),
        **(_loo(log_likelihood, model.draws.sizes["chain"]) if is_posterior else _NO_LOO),
    )


def _expected_and_media(
    model: FittedModel, panel: xr.Dataset
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Expected KPI, and what all channels add to it, from one pass over the components."""
    expected, media = np.zeros(()), np.zeros(())
    for component in model.components:
        part = model.contribution(component, panel)
        expected = expected + part
        if component.kind is ComponentKind.CHANNEL:
            media = media + part
    return expected, media


def two_sided_p(replicated: NDArray[np.float64], observed: float) -> float:
    """Two-sided posterior predictive p: near zero when the data are unlike every replication."""
    upper = float((replicated >= observed).mean())
    return 2 * min(upper, 1 - upper)


def durbin_watson(residuals: NDArray[np.float64]) -> float:
    """Durbin-Watson statistic of each entity's residuals ``(entity, date)``, averaged.

    NaN where an entity is not open.
    """
    squared = np.nansum(residuals**2, axis=-1)
    steps = np.nansum(np.diff(residuals, axis=-1) ** 2, axis=-1)
    return float(np.mean(steps / np.where(squared > 0, squared, np.nan)))


def _loo(log_likelihood: NDArray[np.float64], n_chains: int) -> dict[str, float]:
    loo = compute_loo(log_likelihood, ("cell",), n_chains)
    if loo is None:
        return _NO_LOO
    return {
        "elpd_loo": float(loo.elpd),
        "p_loo": float(loo.p),
        "pareto_k_bad_share": count_bad_k(loo) / log_likelihood.shape[1],
    }


def judge_predictive(
    evidence: PredictiveEvidence, gates: FitGates, *, n_cells: int, is_signed: bool = False
) -> list[GateOutcome]:
    """Judge one fit by the fit gates.

    Parameters
    ----------
    evidence
        From ``measure_predictive``.
    gates
        Limits.
    n_cells
        Fitted periods of all entities: of few ones a single one is more than the share of them that
        may decide a fit, and never enough for a REVIEW.
    is_signed
        Whether the KPI has both signs: it may well have a negative baseline.
    """
    shape = "The model cannot produce data like these: look at outliers, trend and seasonality."
    media = (
        "Media explain more than all KPI. Their returns are too high, as where spend follows "
        "demand: run a lift test (lift_tests), add what drives demand as a control, or state what "
        "a channel can return (channels.prior)."
    )
    lasting = "Residuals are correlated in time: add what lasts and is missing (events, price)."
    single = "Single periods decide the fit: check them for errors or mark them as events."
    ppc = (gates.ppc_p_review, gates.ppc_p_fail)
    baseline = (gates.negative_baseline_review, gates.negative_baseline_fail)
    pareto = (max(gates.pareto_k_review_share, 1 / n_cells), np.inf)
    low, high = (gates.durbin_watson_low, -np.inf), (gates.durbin_watson_high, np.inf)
    e = evidence
    outcomes = [
        judge_at_least("ppc_p_mean", e.ppc_p_mean, ppc, shape, where="mean KPI"),
        judge_at_least("ppc_p_sd", e.ppc_p_sd, ppc, shape, where="standard deviation of the KPI"),
        judge_at_most("negative_baseline_prob", e.negative_baseline_prob, baseline, media),
        judge_at_least("durbin_watson", e.durbin_watson, low, lasting, where="lower end"),
        judge_at_most("durbin_watson_upper", e.durbin_watson, high, lasting, where="upper end"),
        judge_at_most("pareto_k_bad_share", e.pareto_k_bad_share, pareto, single),
    ]
    return [o for o in outcomes if not (is_signed and o.gate == "negative_baseline_prob")]


def evidence_facts(evidence: PredictiveEvidence) -> dict[str, float | None]:
    """Return the published numbers; what could not be computed is null."""
    return {k: v if np.isfinite(v) else None for k, v in evidence._asdict().items()}

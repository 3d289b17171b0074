"""Say what the priors of a run spec make of a file, on a throw-away copy of the home; no fit."""

from datetime import UTC, datetime

from schemas.documents.fit import PriorPredictive
from schemas.errors import DataContractError
from schemas.outcomes import Finding, Verdict
from schemas.refs import StepKey
from schemas.spec.run_spec import RunSpec
from tasks.canonicalize.task_panel import canonicalize_batch, take_snapshot
from tasks.features.task_write import build_features
from tasks.fit.task_prior import predict_prior
from tasks.ingest.task_land import ingest_file
from tasks.lifecycle.task_trial import on_trial
from tasks.validate.task_layers import validate_canonical, validate_raw

_KEY = StepKey(run_id="priors")


def check_priors(spec: RunSpec, data: str) -> PriorPredictive:
    """Return the prior predictive distribution of a run spec for a file, and change nothing.

    Raises
    ------
    DataContractError
        With every finding, where the file cannot be used.
    SpecError
        If the spec names columns that the file lacks.
    """
    as_of = datetime.now(UTC).date()
    with on_trial(spec.dataset_id):
        batch = ingest_file(data, spec)
        raw = validate_raw(_KEY, batch, spec)
        _require_usable(raw.verdict, raw.findings)
        candidate = canonicalize_batch(_KEY, batch, spec, as_of)
        canonical = validate_canonical(_KEY, candidate, spec)
        _require_usable(canonical.verdict, canonical.findings)
        features = build_features(_KEY, take_snapshot(_KEY, candidate, spec, as_of), spec)
        return predict_prior(features, spec)


def _require_usable(verdict: Verdict, findings: list[Finding]) -> None:
    if verdict is Verdict.FAIL:
        amiss = [finding for finding in findings if finding.verdict is Verdict.FAIL]
        listing = "\n".join(f"- {finding.line()}" for finding in amiss)
        raise DataContractError(f"The priors need data that can be used:\n{listing}", amiss)

"""Forged fits of an escalation: settings go in, a verdict comes out, nothing is sampled."""

from dataclasses import dataclass, field

from schemas.documents.retries import Attempt, Retry, RetryKind, SamplingGate
from schemas.outcomes import Verdict
from schemas.refs import DiagnosticsRef, FileRef, PosteriorRef
from schemas.spec.sampler import SamplerSpec
from tasks.store.files.artifacts import write_json
from tasks.store.runs.resume import fit_dir

FILE = FileRef(path="data/runs/none.nc", sha256="0" * 64)
FAILURES = {
    "far": {SamplingGate.R_HAT: 1.9},
    "r_hat": {SamplingGate.R_HAT: 1.1},
    "ess": {SamplingGate.ESS_BULK: 90.0},
    "divergences": {SamplingGate.DIVERGENCES: 0.02},
    "ebfmi": {SamplingGate.EBFMI: 0.1},
    "depth": {SamplingGate.TREE_DEPTH: 0.4},
    "none": {},
}
"""What was observed at the gates that failed, by a short name."""
REVIEWS = {
    "r_hat_review": {SamplingGate.R_HAT: 1.016},
    "ess_review": {SamplingGate.ESS_BULK: 363.0},
    "divergences_review": {SamplingGate.DIVERGENCES: 0.0005},
    "depth_review": {SamplingGate.TREE_DEPTH: 0.02},
}
"""Likewise at the gates that are to be reviewed, of fits that no gate failed."""


def posterior_ref(seconds=10.0, sampler="kernel", file=FILE):
    return PosteriorRef(
        kind="mmm", posterior=file, metadata=file, sampler=sampler, wall_seconds={"sample": seconds}
    )


def diagnostics_ref(name, *, file=FILE, **metrics):
    failures, reviews = FAILURES.get(name, {}), REVIEWS.get(name, {})
    observed = {str(gate): value for gate, value in (failures or reviews).items()}
    verdict = Verdict.FAIL if failures else Verdict.REVIEW if reviews else Verdict.PASS
    reasons = [f"{gate} is bad" for gate in observed]
    return DiagnosticsRef(
        verdict=verdict,
        reasons=reasons,
        file=file,
        metrics=observed | metrics,
        sampling_failures=observed if failures else {},
        sampling_reviews=observed if reviews else {},
    )


def attempt(
    failures,
    *,
    kind=RetryKind.AS_SPECIFIED,
    number=0,
    settings=None,
    seconds=10.0,
    sampler="kernel",
    **metrics,
):
    """A retry that was tried; ``failures`` None is one that ended in an error."""
    retry = Retry(
        number=number,
        kind=kind,
        settings=settings or SamplerSpec(),
        reason="forged",
        limit_seconds=3600,
    )
    if failures is None:
        return Attempt(retry=retry, seconds=seconds, error="SamplingError: it broke")
    return Attempt(
        retry=retry,
        seconds=seconds,
        posterior=posterior_ref(seconds, sampler),
        diagnostics=diagnostics_ref(failures, **metrics),
    )


@dataclass
class ForgedTasks:
    """The two tasks of an escalation; each fit takes the next outcome, the last one for ever."""

    home: object
    outcomes: list
    seconds: float = 1.0
    settings: list = field(default_factory=list)
    limits: list = field(default_factory=list)

    def with_options(self, *, timeout_seconds):
        self.limits.append(timeout_seconds)
        return self.fit

    def fit(self, key, features, spec):
        del features
        self.settings.append(spec.sampler)
        retry = key.retry
        if isinstance(self._outcome(retry), Exception):
            raise self._outcome(retry)
        folder = fit_dir(self.home, key)
        write_json(self.home, folder / "posterior_summary.json", {"rung": retry})
        posterior = write_json(self.home, folder / "posterior.nc", {"rung": retry})
        metadata = write_json(self.home, folder / "model_metadata.json", {"rung": retry})
        backend = "kernel" if str(spec.sampler.backend) == "auto" else str(spec.sampler.backend)
        return PosteriorRef(
            kind="mmm",
            posterior=posterior,
            metadata=metadata,
            sampler=backend,
            wall_seconds={"build": 0.0, "sample": self.seconds},
        )

    def diagnose(self, key, posterior, features, findings, spec):
        del posterior, features, findings, spec
        outcome = self._outcome(key.retry)
        path = fit_dir(self.home, key) / "diagnostics.json"
        judged = {"verdict": "PASS", "reasons": [], "divergences": key.retry}
        file = write_json(self.home, path, judged)
        return diagnostics_ref(outcome, file=file)

    def _outcome(self, retry):
        return self.outcomes[min(retry, len(self.outcomes) - 1)]

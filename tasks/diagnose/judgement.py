"""One fit measured and judged: every gate group together, and causes where sampling failed."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.answers.recovery import RecoveryReport
from schemas.documents.diagnostics import Diagnostics
from schemas.outcomes import Finding, GateOutcome, GateReport, Verdict, worst
from schemas.spec.gates import GateSettings
from schemas.spec.run_spec import RunSpec
from tasks.diagnose import (
    common_movement,
    convergence,
    identifiability,
    known_truth,
    lift_conflict,
    plausibility,
    predictive,
    residual_structure,
    shape_priors,
)
from tasks.diagnose import evidence as weighing
from tasks.diagnose.cause import Cause, find_causes
from tasks.diagnose.facts import collect_facts
from tasks.diagnose.suspects import find_suspects
from tasks.mathematics.panel import IS_ESTIMATION, has_negative_kpi, observed_of
from tasks.models.opening import OpenFit


class Evidence(NamedTuple):
    """What was measured of one fit."""

    sampling: convergence.Evidence
    predictive: predictive.PredictiveEvidence
    contractions: dict[str, float]
    effects: dict[str, weighing.ChannelEvidence]
    lifts: Sequence[lift_conflict.LiftEvidence]
    movement: dict[str, common_movement.CommonMovement]
    residuals: Mapping[str, residual_structure.Score]
    returns: Mapping[str, float]
    """Median ROAS of channels that the data decided and no experiment measured."""
    shapes: shape_priors.ShapeEvidence | None
    """None of a kind without priors."""

    @property
    def metrics(self) -> dict[str, float]:
        """Numbers by their names in MLflow: facts, and evidence per channel."""
        rows = weighing.evidence_rows(self.effects, self.contractions)
        return {k: float(v) for k, v in self.facts.items() if v is not None} | {
            f"{quantity}/{name}": float(getattr(row, quantity))
            for name, row in rows.items()
            for quantity in ("log10_likelihood_ratio", "prior_elasticity")
            if getattr(row, quantity) is not None
        }

    @property
    def facts(self) -> dict[str, Any]:
        """Numbers of ``diagnostics.json`` beside the verdict."""
        return {
            **convergence.evidence_facts(self.sampling),
            **predictive.evidence_facts(self.predictive),
        }


class Judgement(NamedTuple):
    """A verdict, and the document that gives reasons for it."""

    verdict: Verdict
    reasons: list[str]
    evidence: Evidence
    notes: list[str]
    """What is reported and blocks nothing."""
    sampling_failures: dict[str, float]
    """Observed value per sampling gate that failed."""
    sampling_reviews: dict[str, float]
    """Likewise of those to be reviewed."""
    document: Diagnostics
    """``diagnostics.json``."""


def judge_fit(
    fit: OpenFit,
    findings: list[Finding],
    spec: RunSpec,
    refit: lift_conflict.Refit | None = None,
    recovery: RecoveryReport | None = None,
) -> Judgement:
    """Measure and judge one fit.

    Parameters
    ----------
    fit
        The fit with its panel.
    findings
        Of the data layers; reviews among them count: a fit on a doubtful panel is no clean pass.
    spec
        Gates, lift tests and the seed.
    refit
        Makes an auxiliary fit without a lift test that dominates the fit; it is not asked for one
        where the fit itself was not sampled.
    recovery
        The newest recovery check of this spec, if there is one.
    """
    sampling = convergence.measure_convergence(fit.tree, fit.kind.sampling_gates)
    judged = convergence.judge_convergence(sampling, spec.gates.sampling, fit.kind.sampling_gates)
    is_sampled = not convergence.observed_at(judged, Verdict.FAIL)
    evidence = _measure(fit, spec, sampling, refit if is_sampled else None)
    rest = _judge_rest(fit, evidence, spec)
    recovered = known_truth.judge_recovery(recovery) if recovery else []
    report = GateReport(outcomes=[*judged, *rest, *recovered])
    failures = convergence.observed_at(judged, Verdict.FAIL)
    causes = _find_causes(fit, evidence, findings, spec.gates) if failures else []
    verdict = worst([report.verdict, *(f.verdict for f in findings)])
    reasons = order_reasons(
        of_data=[f"{f.rule}: {f.message} {f.remedy}".strip() for f in findings if not f.is_note],
        of_fit=[*report.reasons, *(c.sentence for c in causes)],
        is_sampled=not failures,
    )
    notes = [f"{f.rule}: {f.message}" for f in findings if f.is_note]
    notes += residual_structure.note_residuals(evidence.residuals)
    notes += shape_priors.note_shapes(evidence.shapes) if evidence.shapes else []
    notes += [known_truth.note_recovery(recovery)] if recovery else []
    if "prior_driven_share" not in report.not_passed:
        notes += identifiability.note_prior_driven(evidence.contractions, spec.gates.fit)
    document = Diagnostics.model_validate(
        {
            "verdict": verdict,
            "reasons": reasons,
            "notes": notes,
            **evidence.facts,
            "contraction": evidence.contractions,
            "evidence": weighing.evidence_rows(evidence.effects, evidence.contractions),
            "prior_driven": identifiability.prior_driven(evidence.contractions, spec.gates.fit),
            "lift_tests": lift_conflict.lift_rows(evidence.lifts, spec.gates.fit),
            "causes": [c._asdict() for c in causes],
            "gates": [o.model_dump() for o in report.outcomes],
            "parameters": evidence.sampling.parameters,
        }
    )
    reviews = convergence.observed_at(judged, Verdict.REVIEW)
    return Judgement(verdict, reasons, evidence, notes, failures, reviews, document)


def order_reasons(*, of_data: list[str], of_fit: list[str], is_sampled: bool) -> list[str]:
    """Put the cause first: doubtful data before what a fit to them shows.

    Parameters
    ----------
    of_data
        A sentence per finding that asks for a review, with its remedy.
    of_fit
        A sentence per gate that was not passed, and per cause that was found.
    is_sampled
        Whether the sampling gates were met: a fit that was not sampled shows nothing, which comes
        before everything.
    """
    return [*of_data, *of_fit] if is_sampled else [*of_fit, *of_data]


def _measure(
    fit: OpenFit,
    spec: RunSpec,
    sampling: convergence.Evidence,
    refit: lift_conflict.Refit | None,
) -> Evidence:
    window = fit.panel[IS_ESTIMATION].values
    movement = common_movement.measure_movement(fit.panel, fit.inputs.metadata)
    contractions = identifiability.contraction(fit.model) if fit.kind.has_prior else {}
    returns = plausibility.of_interest(
        plausibility.median_returns(fit.model, fit.panel, fit.inputs.metadata),
        spec.lift_tests,
        identifiability.prior_driven(contractions, spec.gates.fit),
    )
    beside_demand = {
        *common_movement.confounded(movement, spec.gates.fit, spec.lift_tests),
        *(name for name, value in returns.items() if value > spec.gates.fit.max_return),
    }
    return Evidence(
        sampling=sampling,
        predictive=predictive.measure_predictive(
            fit.model,
            fit.panel,
            window,
            seed=spec.sampler.random_seed,
            is_posterior=fit.kind.has_prior,
        ),
        contractions=contractions,
        effects=weighing.mark_confounded(_weigh(fit, window, spec), beside_demand),
        lifts=lift_conflict.measure_lift(fit.model, fit.panel, spec.lift_tests, refit),
        movement=movement,
        residuals=residual_structure.measure_residual_structure(
            fit.model, fit.panel, fit.inputs, window
        ),
        returns=returns,
        shapes=shape_priors.measure_shapes(fit.model, fit.panel, window, fit.metadata.channels)
        if fit.kind.has_prior
        else None,
    )


def _weigh(
    fit: OpenFit, window: NDArray[np.bool_], spec: RunSpec
) -> dict[str, weighing.ChannelEvidence]:
    if not fit.kind.has_prior:
        return weighing.count_effects(fit.model, fit.panel, window)
    least = spec.gates.fit.min_likelihood_ratio
    return weighing.weigh_evidence(fit.model, fit.panel, window, least=least)


def _judge_rest(fit: OpenFit, evidence: Evidence, spec: RunSpec) -> list[GateOutcome]:
    """Judge by the fit gates; those of a posterior do not apply to a kind without a prior."""
    gates = spec.gates
    outcomes = [
        *predictive.judge_predictive(
            evidence.predictive,
            gates.fit,
            n_cells=int(observed_of(fit.panel)[:, fit.panel[IS_ESTIMATION].values].sum()),
            is_signed=has_negative_kpi(fit.panel),
        ),
        *lift_conflict.judge_lift(evidence.lifts, gates.fit),
        *common_movement.judge_movement(evidence.movement, gates.fit, spec.lift_tests),
        *plausibility.judge_returns(evidence.returns, gates.fit),
        *fit.kind.judge(fit.tree["posterior"].to_dataset()),
    ]
    if fit.kind.has_prior:
        return [*outcomes, identifiability.judge_identifiability(evidence.contractions, gates.fit)]
    return [outcome for outcome in outcomes if outcome.gate != "pareto_k_bad_share"]


def _find_causes(
    fit: OpenFit, evidence: Evidence, findings: list[Finding], gates: GateSettings
) -> list[Cause]:
    names = fit.inputs.metadata.channel_names
    blamed = find_suspects(evidence.sampling, fit.tree, gates.sampling, channels=names)
    data = collect_facts(
        fit.panel, fit.inputs, findings=findings, lifts=evidence.lifts, gates=gates
    )
    return find_causes(blamed, data)

"""The sampler's evidence on hand-made chains."""

import numpy as np
import pytest
import xarray as xr

from schemas.outcomes import GateReport, Verdict
from schemas.spec.gates import SamplingGates
from tasks.diagnose.convergence import evidence_facts, judge_convergence, measure_convergence

N_CHAINS, N_DRAWS = 4, 500


def chains(*, shift=0.0, constant=False, off=False, **stats):
    rng = np.random.default_rng(11)
    beta = rng.normal(size=(N_CHAINS, N_DRAWS, 2))
    beta[0, :, 1] += shift
    if constant:
        beta[:, :, 1] = 3.0
    if off:
        beta[:, :, 1] = 0.0
    energy = rng.normal(size=(N_CHAINS, N_DRAWS))
    sampler = {
        "diverging": np.zeros((N_CHAINS, N_DRAWS), bool),
        "energy": energy,
        "reached_max_treedepth": np.zeros((N_CHAINS, N_DRAWS), bool),
    } | stats
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(
                {
                    "beta": (("chain", "draw", "channel"), beta),
                    "sigma": (("chain", "draw"), rng.gamma(9, 1, (N_CHAINS, N_DRAWS))),
                },
                coords={"channel": ["tv", "radio"]},
            ),
            "sample_stats": xr.Dataset(
                {k: (("chain", "draw"), v) for k, v in sampler.items() if v is not None}
            ),
        }
    )


def flags(n):
    out = np.zeros(N_CHAINS * N_DRAWS, bool)
    out[:n] = True
    return out.reshape(N_CHAINS, N_DRAWS)


def judged(tree):
    outcomes = judge_convergence(measure_convergence(tree), SamplingGates())
    return {o.gate: o for o in outcomes}


def test_good_chains_pass_every_gate():
    outcomes = judged(chains())
    assert {o.verdict for o in outcomes.values()} == {Verdict.PASS}
    assert len(outcomes) == 6


def test_a_chain_in_another_place_fails_r_hat_and_names_the_parameter():
    outcome = judged(chains(shift=3.0))["r_hat_max"]
    assert outcome.verdict is Verdict.FAIL
    assert outcome.where == "beta[radio]"


def test_a_constant_parameter_is_never_a_pass():
    outcomes = judged(chains(constant=True))
    assert outcomes["r_hat_max"].verdict is Verdict.NOT_EVALUATED
    assert outcomes["r_hat_max"].where == "beta[radio]"
    assert GateReport(outcomes=list(outcomes.values())).verdict is not Verdict.PASS


def test_a_channel_that_is_off_is_no_parameter():
    evidence = measure_convergence(chains(off=True))
    assert set(evidence.parameters) == {"beta[tv]", "sigma"}
    assert judged(chains(off=True))["r_hat_max"].verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("n", "verdict"), [(0, Verdict.PASS), (2, Verdict.REVIEW), (3, Verdict.FAIL)]
)
def test_divergences(n, verdict):
    # The limit is 0.1 % of 2000 draws.
    outcome = judged(chains(diverging=flags(n)))["divergence_share"]
    assert outcome.verdict is verdict
    assert outcome.where == f"{n} of 2000 draws"


@pytest.mark.parametrize(
    ("n", "verdict"),
    [(0, Verdict.PASS), (20, Verdict.PASS), (21, Verdict.REVIEW), (101, Verdict.FAIL)],
)
def test_tree_depth(n, verdict):
    outcomes = judged(chains(reached_max_treedepth=flags(n)))
    assert outcomes["max_tree_depth_share"].verdict is verdict


def test_slow_energy_fails():
    # A random walk in energy explores it badly: E-BFMI is the mean squared step over the variance.
    walk = np.cumsum(np.random.default_rng(2).normal(size=(N_CHAINS, N_DRAWS)), axis=1)
    assert judged(chains(energy=walk))["ebfmi_min"].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("missing", "gate"),
    [("energy", "ebfmi_min"), ("reached_max_treedepth", "max_tree_depth_share")],
)
def test_a_sampler_that_does_not_report_is_not_evaluated(missing, gate):
    assert judged(chains(**{missing: None}))[gate].verdict is Verdict.NOT_EVALUATED


def test_sticky_chains_fail_effective_samples():
    tree = chains()
    tree["posterior"]["sigma"] = tree["posterior"]["sigma"] * 0 + np.cumsum(
        np.random.default_rng(5).normal(size=(N_CHAINS, N_DRAWS)), axis=1
    )
    outcomes = judged(tree)
    assert outcomes["ess_bulk_min"].verdict is Verdict.FAIL
    assert outcomes["ess_bulk_min"].where == "sigma"


def test_published_facts_have_no_nan():
    facts = evidence_facts(measure_convergence(chains(constant=True, energy=None)))
    assert facts["r_hat_max"] is None
    assert facts["ebfmi_min"] is None
    assert facts["divergences"] == 0
    row = measure_convergence(chains(constant=True)).parameters["beta[radio]"]
    assert row["r_hat"] is None

"""Bad draws on data whose fault is known: the diagnosis names it, and what it cannot, it says."""

import numpy as np
import pytest
import xarray as xr
from support.worlds import build_world, make_rows, make_spec, prior_draws

from schemas.documents.diagnostics import LeftOutBy
from schemas.outcomes import Finding, Layer, Verdict
from schemas.spec.lift_tests import LiftTest
from tasks.diagnose.cause import CauseKind, find_causes
from tasks.diagnose.convergence import measure_convergence
from tasks.diagnose.facts import collect_facts
from tasks.diagnose.lift_conflict import LiftEvidence
from tasks.diagnose.suspects import Suspect, divergence_shifts, find_suspects

N_DRAWS = 400


def world_of(n_entities=1, n_periods=120, *, change=None):
    rows = make_rows(n_entities, n_periods)
    if change is not None:
        change(rows)
    return build_world(rows, make_spec())


def draws_of(world, *, bad=(), diverging=0):
    """Draws as from the prior, but for cells of ``bad``: their chains sit in different places."""
    posterior = prior_draws(world, n_draws=N_DRAWS)
    for name, labels in bad:
        shift = xr.DataArray([0.0, 5.0], dims="chain")
        cell = posterior[name].sel(labels)
        posterior[name].loc[labels] = (cell + shift * cell.std()).transpose(*cell.dims)
    flags = np.zeros((2, N_DRAWS), bool)
    flags[0, :diverging] = True
    stats = xr.Dataset({"diverging": (("chain", "draw"), flags)})
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})


def suspects_of(world, tree):
    names = world.metadata.channel_names
    return find_suspects(measure_convergence(tree), tree, world.spec.gates.sampling, channels=names)


def causes_of(world, bad=(), *, findings=(), lifts=(), tree=None):
    tree = tree if tree is not None else draws_of(world, bad=bad)
    facts = collect_facts(
        world.panel, world.inputs, findings=findings, lifts=lifts, gates=world.spec.gates
    )
    return find_causes(suspects_of(world, tree), facts)


def share_of(*channels):
    return [("log_share", {"channel": channel}) for channel in channels]


def test_good_draws_have_no_suspect():
    world = world_of()
    assert suspects_of(world, draws_of(world)) == []


def test_two_collinear_channels_are_named():
    def copy(rows):
        noise = np.random.default_rng(3).normal(0, 4, len(rows))
        rows["spend_search"] = (rows["act_tv"] * 0.7 + 20 + noise).clip(lower=0)

    causes = causes_of(world_of(change=copy), share_of("tv", "search"))
    assert {(c.channel, c.cause) for c in causes} == {
        ("tv", CauseKind.COLLINEAR),
        ("search", CauseKind.COLLINEAR),
    }
    for cause, partner in zip(causes, (c.channel for c in reversed(causes)), strict=True):
        assert f"moves together with {partner} (correlation 0.99" in cause.evidence
        assert cause.parameter == f"log_share[{cause.channel}]"
        assert "lift test" in cause.remedy


def test_channels_that_differ_in_level_between_markets_only_are_not_collinear():
    def lift(rows):
        second = rows["entity_id"] == "market_1"
        for column in ("act_tv", "spend_search"):
            rows.loc[second, column] += 1e4

    world = world_of(2, change=lift)
    causes = causes_of(world, [("log_share", {"channel": "tv", "entity": "market_0"})])
    assert [c.cause for c in causes] == [CauseKind.UNEXPLAINED]


def test_a_channel_that_others_together_reproduce_is_collinear_without_a_partner():
    def mix(rows):
        noise = np.random.default_rng(5).normal(0, 1, len(rows))
        rows["act_email"] = rows["act_tv"] + 2 * rows["spend_search"] + rows["act_rival"] + noise

    causes = causes_of(world_of(change=mix), share_of("email"))
    assert causes[0].cause is CauseKind.COLLINEAR
    assert "variance inflation" in causes[0].evidence


def test_a_channel_that_hardly_ever_runs_is_reported():
    def silence(rows):
        rows.loc[3:, "act_email"] = 0.0

    causes = causes_of(world_of(change=silence), share_of("email"))
    assert causes[0].cause is CauseKind.RARELY_ON
    assert "email is on in 3 of 120 rows" in causes[0].evidence


def test_a_channel_that_does_not_move_is_reported():
    def steady(rows):
        rows["act_email"] = 100 + np.random.default_rng(2).normal(0, 3, len(rows))

    causes = causes_of(world_of(change=steady), share_of("email"))
    assert causes[0].cause is CauseKind.LITTLE_VARIATION


def test_a_channel_with_next_to_no_spend_is_reported():
    def starve(rows):
        rows["spend_search"] *= 0.001

    causes = causes_of(world_of(change=starve), share_of("search"))
    assert causes[0].cause is CauseKind.LITTLE_SPEND


def test_a_curve_that_the_input_does_not_show_is_reported_for_saturation_only():
    def narrow(rows):
        rows["spend_search"] = np.random.default_rng(7).uniform(80, 140, len(rows))

    world = world_of(change=narrow)
    bad = [("saturation_kappa", {"saturation_kappa_channel": "search"})]
    reported = causes_of(world, bad)[0]
    assert reported.cause is CauseKind.SATURATION_UNSEEN
    assert reported.evidence.startswith("search, saturation (saturation_kappa[search]): R-hat")
    assert causes_of(world, share_of("search"))[0].cause is CauseKind.UNEXPLAINED


def test_a_conflict_with_a_lift_test_comes_first():
    test = LiftTest(
        channel="tv", start="2022-03-07", end="2022-04-03", delta_spend=100.0, delta_kpi=900.0,
        standard_error=10.0,
    )  # fmt: skip
    lift = LiftEvidence(test, 1.0, 0.0, 2.0, 3.0, 1.0, 4.2, 0.1, LeftOutBy.WEIGHTS)
    causes = causes_of(world_of(), share_of("tv"), lifts=[lift])
    assert causes[0].cause is CauseKind.LIFT_CONFLICT
    assert "4.2 standard deviations" in causes[0].evidence


def test_few_rows_explain_what_the_channel_itself_does_not():
    world = world_of(n_periods=56)
    causes = causes_of(world, share_of("tv"))
    assert causes[0].cause is CauseKind.FEW_ROWS


def test_an_outlier_week_explains_a_bad_noise_parameter():
    found = Finding(
        layer=Layer.CANONICAL, rule="kpi_outlier", verdict=Verdict.REVIEW,
        message="panel.csv: 1 value of sales is far out.", remedy="Correct it.",
    )  # fmt: skip
    causes = causes_of(world_of(), [("y_sigma", {"entity": "market_0"})], findings=[found])
    assert [(c.channel, c.cause) for c in causes] == [("noise", CauseKind.OUTLIER)]
    assert "Noise in market_0 (y_sigma[market_0])" in causes[0].evidence


def test_what_nothing_explains_is_said_to_be_unexplained():
    causes = causes_of(world_of(), share_of("tv"))
    assert [(c.channel, c.cause) for c in causes] == [("tv", CauseKind.UNEXPLAINED)]
    assert "Nothing that was looked at explains it" in causes[0].evidence


def test_a_sampler_at_fault_as_a_whole_names_no_parameter():
    world = world_of()
    causes = causes_of(world, tree=draws_of(world))
    assert [(c.parameter, c.cause) for c in causes] == [("", CauseKind.UNEXPLAINED)]


def test_each_component_is_reported_once_by_its_worst_parameter():
    world = world_of(2)
    bad = [("log_share", {"channel": "tv", "entity": f"market_{i}"}) for i in range(2)]
    assert [c.channel for c in causes_of(world, bad)] == ["tv"]


def test_where_the_sampler_diverges_points_at_the_parameter():
    world = world_of()
    tree = draws_of(world, diverging=20)
    draws = tree["posterior"]["log_share"]
    draws.loc[{"channel": "email", "chain": 0, "draw": slice(0, 19)}] -= 3 * float(
        draws.sel(channel="email").std()
    )
    shifts = divergence_shifts(tree)
    assert max(shifts, key=shifts.get) == "log_share[email]"
    assert shifts["log_share[email]"] > 1
    (suspect,) = suspects_of(world, tree)
    assert suspect.parameter == "log_share[email]"
    assert "where the sampler diverges" in suspect.numbers


@pytest.mark.parametrize("n", [0, 4])
def test_few_divergences_point_at_nothing(n):
    assert divergence_shifts(draws_of(world_of(), diverging=n)) == {}


def test_a_draw_that_never_changes_is_a_suspect():
    world = world_of()
    tree = draws_of(world)
    tree["posterior"]["log_share"].loc[{"channel": "tv"}] = 1.0
    suspects = suspects_of(world, tree)
    assert suspects[0].parameter == "log_share[tv]"
    assert suspects[0].numbers == "its draws do not vary"


def test_a_market_says_nothing_of_the_periods_before_it_opened():
    rows = make_rows(2, 120)
    late = (rows["entity_id"] == "market_1") & (
        rows["period_start"] < rows["period_start"].iloc[70]
    )
    world = build_world(rows[~late], make_spec())
    facts = collect_facts(world.panel, world.inputs, findings=(), lifts=(), gates=world.spec.gates)
    everywhere = Suspect("level", "level", "tv", True, None, 2.0, "")
    within = facts.within(everywhere)
    assert len(within) == 120 + 50
    assert within.iloc[120:]["tv"].mean() == pytest.approx(0, abs=1e-9)

"""True gains, oracles and the summary of ``benchmarks/decisions.py``; nothing is sampled."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from benchmarks.decisions import COLUMNS, describe, render_markdown, summarize
from benchmarks.recovery.decision import Decision, plan_today, planned_fit, true_horizon
from benchmarks.recovery.generator import Shape, generate_known_world
from benchmarks.recovery.oracle import allocate_on_grid, exchange_search, random_starts
from benchmarks.recovery.plan_problem import truth_as_draws
from benchmarks.recovery.tables import render_rows
from schemas.spec.optimizer import OptimizerSpec

SHAPE = Shape(n_weeks=110, n_entities=1, n_channels=3)
SETTINGS = OptimizerSpec(n_starts=4)


def decision(**figures):
    base = Decision(
        world="own_1", size="104x1x3", advised=True, prob_gain=0.95, gain_mean=4.0, gain_low=1.0,
        gain_high=7.0, true_gain=3.0, oracle_gain=6.0, expected_regret=0.1,
        perfect_information=1.0, kpi=1000.0, media=100.0, moved=0.1, n_prior_driven=0,
        n_channels=3, r_hat_max=1.0, n_divergences=0,
    )  # fmt: skip
    return replace(base, **figures)


def test_the_law_of_a_world_makes_its_truth():
    world, media = generate_known_world(11, SHAPE)
    spend = world.panel["spend"].transpose("entity", "channel", "date").to_numpy()
    np.testing.assert_allclose(media.contribution(spend), world.truth.to_numpy(), rtol=1e-12)


def test_a_plan_on_the_truth_states_its_true_gain_and_is_the_oracle_s():
    # Independent routes: the product's evaluation of one draw, and the law of the world.
    world, media = generate_known_world(11, SHAPE)
    plan = plan_today(planned_fit(world, truth_as_draws(world, media)), SETTINGS)
    truth = true_horizon(media, world.panel, SETTINGS.horizon)
    lower, upper, candidate = (
        np.array([getattr(plan.channels[str(c)], field) for c in world.panel["channel"].values])
        for field in ("low", "high", "candidate")
    )
    assert truth.gain(candidate) == pytest.approx(plan.gain_mean, rel=1e-6)
    best = truth.best(lower, upper)
    assert best.sum() == pytest.approx(candidate.sum(), rel=1e-9)
    assert truth.gain(candidate) == pytest.approx(truth.gain(best), rel=1e-3)


def test_today_s_mix_gains_nothing_at_any_budget():
    world, media = generate_known_world(12, SHAPE)
    truth = true_horizon(media, world.panel, 13)
    assert abs(truth.gain(truth.current * 1.2)) < 1e-12 * truth.outcomes(truth.current).sum()


def test_the_grid_sees_past_a_curve_that_pays_only_late():
    # The second variable pays nothing below 6: hills that a local search does not leave.
    def outcome(variable, money):
        return np.sqrt(money) if variable == 0 else np.where(money >= 6, 5.0, 0.0)

    lower, upper = np.zeros(2), np.array([10.0, 10.0])
    money = allocate_on_grid(outcome, lower, upper, 10.0, n_steps=100)
    np.testing.assert_allclose(money, [4.0, 6.0])


def test_the_grid_equals_trying_everything():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(3, 7)).cumsum(axis=1)
    money = allocate_on_grid(
        lambda variable, amounts: values[variable][np.rint(amounts).astype(int)],
        np.zeros(3), np.array([4.0, 6.0, 5.0]), 6.0, n_steps=6,
    )  # fmt: skip
    found = sum(values[v][round(m)] for v, m in enumerate(money))
    plans = [p for p in product(range(5), range(7), range(6)) if sum(p) == 6]
    assert found == pytest.approx(max(sum(values[v][m] for v, m in enumerate(p)) for p in plans))
    assert money.sum() == 6


def test_exchanges_end_where_marginal_returns_are_equal():
    # 3 sqrt(x) + sqrt(y): equal slopes at x = 9 y.
    def utility(money):
        return 3 * np.sqrt(money[0]) + np.sqrt(money[1])

    lower, upper = np.full(2, 0.1), np.full(2, 20.0)
    for start in random_starts(lower, upper, 10.0, n_starts=3, seed=1):
        assert start.sum() == pytest.approx(10)
        end = exchange_search(utility, start, lower, upper, seed=2)
        np.testing.assert_allclose(end, [9.0, 1.0], rtol=1e-3)
        assert end.sum() == pytest.approx(10)


def test_shares_are_of_advised_decisions_and_a_withheld_one_realizes_nothing():
    decisions = [
        decision(),
        decision(true_gain=-2.0, gain_low=0.5),
        decision(advised=False, prob_gain=0.6, true_gain=6.0),
    ]
    text = "\n".join(summarize(decisions))
    assert "3 decisions; advice is given in 2/3" in text
    assert "advised: the true gain is positive in 1/2 (50.0%)" in text
    assert "the 90 % interval holds it in 1/2 (50.0%)" in text
    assert "all candidates: the true gain is positive in 2/3" in text
    # Advised: (3 - 2) of 12; followed where given: the same of 18.
    assert "advised: 8.3% of the oracle's gain is realized" in text
    assert "advice followed where given: 5.6% of the oracle's gain" in text
    assert "P(gain > 0) in [0, 0.7]: 60.0% stated, 1/1" in text
    # Losses: 2 of 100 once in three.
    assert "0.667% realized" in text


def test_every_line_of_the_table_is_as_long_as_its_head():
    rows = [describe(decision()), describe(decision(oracle_gain=0.0, advised=False))]
    lines = render_rows(rows, COLUMNS, ("world", "weeks x ent x ch")).splitlines()
    assert len({len(line) for line in lines}) == 1
    markdown = render_markdown([decision()]).splitlines()
    assert {line.count("|") for line in markdown[:3]} == {len(COLUMNS) + 1}

"""Problem and tables of ``benchmarks/optimizer.py``; nothing is sampled, nothing compiled."""

import numpy as np
import pytest

from benchmarks.optimizer import LEFT, OPTIMALITY, SPEED, compare_on_truth
from benchmarks.recovery.decision import planned_fit
from benchmarks.recovery.generator import Shape, generate_known_world
from benchmarks.recovery.plan_problem import search_oracle, take_apart, truth_as_draws
from benchmarks.recovery.tables import render_rows
from schemas.spec.optimizer import OptimizerSpec, Utility

WORLD = Shape(n_weeks=110, n_entities=1, n_channels=4)


@pytest.fixture(scope="module")
def known():
    return generate_known_world(21, WORLD)


def test_every_method_ends_at_the_optimum_of_the_law(known):
    rows = compare_on_truth(known, OptimizerSpec(n_starts=2))
    assert [row["method"] for row in rows] == ["slsqp", "trust-constr", "l-bfgs-b"]
    for row in rows:
        assert abs(row["below"]) < 1e-5
        assert row["budget_error"] < 1e-6
        assert row["agree"] == 1


def test_the_oracle_of_a_posterior_finds_the_optimum_of_the_law(known):
    problem = take_apart(
        planned_fit(known.world, truth_as_draws(*known)), OptimizerSpec(n_starts=2)
    )
    best = search_oracle(problem, Utility.MEAN, n_starts=0)
    found = problem.search(problem.table(), method="slsqp", utility=Utility.MEAN)
    assert problem.utility(best) == pytest.approx(problem.utility(found.money), rel=1e-5)
    assert best.sum() == pytest.approx(problem.budget)


@pytest.mark.parametrize("columns", [SPEED, OPTIMALITY], ids=["speed", "optimality"])
def test_every_line_of_a_table_is_as_long_as_its_head(columns):
    text = {"dataset", "size", "utility", "posterior", "method"}
    names = {part.split(":")[0] for form in columns.values() for part in form.split("{")[1:]}
    rows = [{name: "own" if name in text else value for name in names} for value in (1, 12)]
    lines = render_rows(rows, columns, LEFT).splitlines()
    assert len({len(line) for line in lines}) == 1
    np.testing.assert_array_equal([name in lines[0] for name in columns], True)

"""Search from many starts, and certify how many of them end at the same optimum."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from schemas.documents.plan import MultiStartAgreement
from schemas.errors import SpecError
from tasks.optimize.limits import TOLERANCE
from tasks.optimize.methods import Method, Solution
from tasks.optimize.problem import Problem

Array = NDArray[np.float64]

AGREEMENT = 1e-4
"""Starts agree that end within this share of the best utility."""


@dataclass(frozen=True)
class Search:
    """The best plan of all starts."""

    money: Array
    certificate: MultiStartAgreement


def search_plan(
    problem: Problem, today: Array, method: Method, *, method_name: str, n_starts: int, seed: int
) -> Search:
    """Solve from ``n_starts`` starts and keep the best plan that meets all limits.

    Parameters
    ----------
    problem
        What to solve.
    today
        Today's mix, ``(variable,)``; its nearest valid plan is the first start.
    method, method_name
        How to solve from one start.
    n_starts, seed
        Number of starts, the others drawn evenly between the bounds.

    Raises
    ------
    SpecError
        If no start ends within the limits: a target that no plan reaches, or a method that fails.
    """
    limits, rng = problem.limits, np.random.default_rng(seed)
    found: list[tuple[float, Array, bool]] = []
    for number in range(n_starts):
        share = rng.uniform(size=len(today))
        point = today if number == 0 else limits.lower + share * (limits.upper - limits.lower)
        solution = _solve_within(problem, limits.project(point), method)
        if _is_valid(problem, solution.money):
            value = problem.value(solution.money).value
            found.append((value, solution.money, solution.has_converged))
    if not found:
        raise SpecError(_nothing_found(problem, method_name))
    values = np.array([value for value, _, _ in found])
    best = int(values.argmax())
    agree = values >= values[best] - AGREEMENT * abs(values[best])
    certificate = MultiStartAgreement(
        method=method_name,
        n_starts=n_starts,
        n_agree=int(agree.sum()),
        agree_share=float(agree.sum()) / n_starts,
        best_utility=float(values[best]),
        worst_utility=float(values.min()),
        n_failed=n_starts - sum(has_converged for _, _, has_converged in found),
    )
    return Search(found[best][1], certificate)


def best_of_draw(problem: Problem, start: Array, method: Method) -> Array:
    """Return the best plan of a problem, from one start; used draw by draw."""
    return _solve_within(problem, start, method).money


def _solve_within(problem: Problem, start: Array, method: Method) -> Solution:
    solution = method(problem, start)
    if not np.isfinite(solution.money).all():
        # A method of another package may end anywhere.
        return replace(solution, has_converged=False)
    return replace(solution, money=problem.limits.project(solution.money))


def _nothing_found(problem: Problem, method_name: str) -> str:
    if problem.least_return is None:
        return f"Method {method_name!r} found no plan within the bounds; choose another method."
    return (
        f"No plan within the bounds reaches a return of {problem.least_return:g}; lower the "
        "target, or widen the bounds."
    )


def _is_valid(problem: Problem, money: Array) -> bool:
    if not np.isfinite(money).all() or problem.limits.violation(money) > 100 * TOLERANCE:
        return False
    if problem.least_return is None:
        return True
    size = max(abs(float(problem.response.totals(money).mean())), 1e-300)
    return problem.surplus(money).value >= -1e-6 * size

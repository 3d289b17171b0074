"""Which factors have been let in: states between two runs, their names, and orders of factors.

Belongs here: sets and orders of factors. Does not: which of them can be fitted (``plan``), and what
the fits say (``route``).
"""

import itertools
from collections.abc import Collection, Sequence

from schemas.documents.changes import STEPS, Factor

type State = frozenset[Factor]
"""Factors that were let in."""
type Order = tuple[Factor, ...]

JOINED = "_and_"


def name_state(state: Collection[Factor]) -> str:
    """Name a state by its factors, in the order of ``STEPS``: the name of its fit."""
    return JOINED.join(factor.value for factor in STEPS if factor in state)


def states_between(changed: Sequence[Factor]) -> list[State]:
    """Return the states between two runs, those on the way of ``STEPS`` first.

    Parameters
    ----------
    changed
        Factors that differ, in the order of ``STEPS``.
    """
    on_the_way = [frozenset(changed[:n]) for n in range(1, len(changed))]
    sizes = range(1, len(changed))
    every = [frozenset(some) for n in sizes for some in itertools.combinations(changed, n)]
    return [*on_the_way, *(state for state in every if state not in on_the_way)]


def fitted_orders(changed: Sequence[Factor], fitted: Collection[State]) -> list[Order]:
    """Return the orders in which every state has a fit of its own.

    Parameters
    ----------
    changed
        Factors that differ, in the order of ``STEPS``.
    fitted
        States with a fit.

    Returns
    -------
    list
        Orders; the one of ``STEPS`` alone where no order is whole: its states without a fit leave
        factors together.
    """
    whole = [
        order
        for order in itertools.permutations(changed)
        if all(frozenset(order[:n]) in fitted for n in range(1, len(order)))
    ]
    return whole or [tuple(changed)]


def is_of_later_spec(state: State, changed: Sequence[Factor]) -> bool:
    """Say whether a state has the spec of the later run: let in, or the same in both."""
    return Factor.SPEC_OR_CODE in state or Factor.SPEC_OR_CODE not in changed


def panel_state(state: State, changed: Sequence[Factor]) -> State:
    """Return the key of a state's panel: one of the later spec has the later run's columns."""
    return state | {Factor.SPEC_OR_CODE} if is_of_later_spec(state, changed) else state

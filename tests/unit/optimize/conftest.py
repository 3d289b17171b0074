"""Fewer draws search a plan of their own: what they are is judged in one test, not in all."""

import pytest


@pytest.fixture(autouse=True)
def _few_own_plans(monkeypatch):
    monkeypatch.setattr("tasks.optimize.gains.N_OWN_PLANS", 6)

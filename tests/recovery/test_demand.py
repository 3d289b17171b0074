"""The money of one channel follows demand: what the fit says of it, and what its remedies give."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.worlds import build_world

from schemas.documents.effects import EvidenceClass
from schemas.outcomes import Verdict
from schemas.spec.run_spec import RunSpec
from schemas.spec.sampler import SamplerSpec
from tasks.diagnose.judgement import Judgement, judge_fit
from tasks.mathematics.draws import hdi
from tasks.models.kind import Watch
from tasks.models.opening import OpenFit
from tasks.models.registry import kind_of

pytestmark = pytest.mark.slow

SETTINGS = SamplerSpec(draws=1000, tune=1000, chains=4, random_seed=42)
N_WEEKS = 130
WEEKS = pd.date_range("2023-01-02", periods=N_WEEKS, freq="7D")
CONTROL = "ctrl_category_searches"
TRUE_RETURN = {"tv": 1.5, "search": 0.5}
"""Search is bought when there is demand; the little that it brings is known to the test alone."""


def persistent(rng: np.random.Generator) -> np.ndarray:
    """Demand that stays for weeks."""
    out = rng.standard_normal(N_WEEKS)
    for t in range(1, N_WEEKS):
        out[t] = 0.9 * out[t - 1] + np.sqrt(1 - 0.81) * out[t]
    return out


DEMAND = persistent(np.random.default_rng(5))


def make_spend() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(6)
    return {
        "tv": 40e3 * rng.gamma(1.5, 1 / 1.5, N_WEEKS),
        "search": 8e3 * np.exp(0.4 * DEMAND + 0.1 * rng.standard_normal(N_WEEKS)),
    }


def contribution(name: str) -> np.ndarray:
    """What a channel truly brings, KPI units per week; nothing lasts."""
    money = make_spend()[name]
    unit = money / (money + money.mean())
    return unit / unit.sum() * TRUE_RETURN[name] * money.sum()


def make_rows() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    noise = 8e3 * rng.standard_normal(N_WEEKS)
    sales = 400e3 * (1 + 0.12 * DEMAND) + noise + sum(contribution(n) for n in TRUE_RETURN)
    return pd.DataFrame(
        {
            "entity_id": "total",
            "period_start": WEEKS,
            "sales": sales,
            **{f"spend_{name}": money for name, money in make_spend().items()},
            CONTROL: DEMAND + 0.1 * rng.standard_normal(N_WEEKS),
        }
    )


def switched_off() -> dict[str, Any]:
    """Search was off elsewhere for six weeks: what that took of the KPI was measured."""
    weeks = slice(80, 86)
    return {
        "channel": "search",
        "start": WEEKS[weeks][0].date(),
        "end": WEEKS[weeks][-1].date(),
        "delta_spend": -float(make_spend()["search"][weeks].sum()),
        "delta_kpi": -float(contribution("search")[weeks].sum()),
        "standard_error": 0.2 * float(contribution("search")[weeks].sum()),
    }


def fit(**remedy: Any) -> tuple[Judgement, tuple[float, float]]:
    """Fit and judge the world; the interval is that of what search returned."""
    spec = RunSpec.model_validate(
        {
            "dataset_id": "world",
            "kpi": {"kind": "revenue"},
            "target_col": "sales",
            "channels": [{"name": n, "spend": f"spend_{n}"} for n in TRUE_RETURN],
            "model": {"adstock": {"l_max": 4}, "yearly_seasonality": 0, "trend": False},
            **remedy,
        }
    )
    rows = make_rows() if "controls" in remedy else make_rows().drop(columns=CONTROL)
    world = build_world(rows, spec)
    kind = kind_of(world.metadata)
    tree = kind.fit(world.panel, world.inputs, SETTINGS, Watch(cores=2)).tree
    model = kind.open(tree["posterior"].to_dataset(), world.inputs)
    brought = model.incremental("search", world.panel).sum(axis=(1, 2))
    low, high = hdi(brought / make_spend()["search"].sum())
    return judge_fit(OpenFit(model, tree, world.panel, world.inputs), [], spec), (low, high)


def starting(judged: Judgement, gate: str) -> list[str]:
    return [reason for reason in judged.reasons if reason.startswith(gate)]


def test_a_return_that_is_demand_is_doubted_and_no_plan_moves_money_on_it():
    judged, (low, _) = fit()
    assert low > 5 * TRUE_RETURN["search"]
    assert judged.verdict is Verdict.REVIEW
    (reason,) = starting(judged, "highest_return")
    assert "(search)" in reason
    assert "lift test" in reason
    assert "as a control" in reason
    assert judged.document.evidence["search"].evidence is EvidenceClass.CONFOUNDED
    assert judged.document.evidence["tv"].evidence is EvidenceClass.EFFECT


def test_what_drives_demand_as_a_control_leads_to_the_true_return():
    judged, (low, high) = fit(controls=[{"name": CONTROL}])
    assert low <= TRUE_RETURN["search"] <= high < 4
    assert not starting(judged, "highest_return")


def test_a_lift_test_takes_most_of_it_away_and_says_that_the_weeks_disagree():
    judged, (low, high) = fit(lift_tests=[switched_off()])
    assert low < 5 * TRUE_RETURN["search"]
    assert high < 12 * TRUE_RETURN["search"]
    assert not starting(judged, "highest_return")
    (reason,) = starting(judged, "lift_conflict")
    assert "trust the experiment" in reason
    assert judged.verdict is Verdict.REVIEW

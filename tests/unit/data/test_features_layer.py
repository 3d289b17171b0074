"""The features layer: what a model must be able to tell apart; laws of grain and grid."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.documents import empty_scaler, make_metadata

from schemas.outcomes import Verdict
from schemas.refs import FeaturesRef
from schemas.spec.run_spec import Grain
from tasks.mathematics.calendar import detect_grain, next_start
from tasks.mathematics.collinearity import variance_inflation
from tasks.store.files.artifacts import write_document, write_parquet
from tasks.store.home import current_home
from tasks.validate.task import validate_features


def features(n=120, **columns):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "entity_id": "total",
            "period_start": pd.date_range("2022-01-03", periods=n, freq="7D"),
            "sales": rng.gamma(5, 100, n),
            "act_tv": rng.gamma(2, 10, n),
            "act_web": rng.gamma(2, 10, n),
            "ctrl_price": rng.normal(10, 1, n),
            "is_estimation": np.arange(n) >= 20,
        }
    )
    return frame.assign(**columns)


def judged(world, frame, n_parameters=10):
    return judged_channels(world, frame, ["act_tv", "act_web"], n_parameters)


def judged_channels(world, frame, channels, n_parameters=10):
    home, folder = current_home(), current_home().run_dir("run1")
    metadata = make_metadata(
        file="panel.csv",
        channel_columns=channels,
        control_columns=["ctrl_price"],
        n_parameters=n_parameters,
    )
    ref = FeaturesRef(
        snapshot_id="0" * 16,
        features=write_parquet(home, folder / "features.parquet", frame),
        metadata=write_document(home, folder / "feature_metadata.json", metadata),
        scaler=write_document(home, folder / "feature_scaler.json", empty_scaler()),
    )
    return validate_features.fn(world.key, ref, world.spec)


def spoilt(column, at, value):
    frame = features()
    frame.loc[at, column] = value
    return frame


def two_markets(**columns):
    both = [features().assign(entity_id=market) for market in ("east", "west")]
    return pd.concat(both, ignore_index=True).assign(**columns)


BASE = features()
CASES = {
    "missing": (spoilt("act_tv", 30, np.nan), {"missing_feature"}, Verdict.FAIL),
    "infinite": (spoilt("ctrl_price", 30, np.inf), {"not_finite"}, Verdict.FAIL),
    "never ran": (
        features(act_tv=BASE["act_tv"].where(~BASE["is_estimation"], 0.0)),
        {"constant_channel"},
        Verdict.FAIL,
    ),
    "never changes": (features(act_tv=40.0), {"constant_channel"}, Verdict.FAIL),
    "never changes within a market": (
        two_markets(act_tv=[40.0] * 120 + [70.0] * 120),
        {"constant_channel"},
        Verdict.FAIL,
    ),
    "ran in one market only": (
        two_markets(act_tv=[*BASE["act_tv"], *[0.0] * 120]),
        set(),
        Verdict.PASS,
    ),
    "same twice": (
        features(act_web=BASE["act_tv"] * 3),
        {"collinear_channels", "variance_inflation"},
        Verdict.FAIL,
    ),
    "nearly the same": (
        features(act_web=BASE["act_tv"] + BASE["act_web"] * 0.2),
        {"variance_inflation"},
        Verdict.PASS,
    ),
    "fine": (BASE, set(), Verdict.PASS),
}


@pytest.mark.parametrize(("frame", "rules", "verdict"), CASES.values(), ids=CASES.keys())
def test_features_that_no_model_can_use_are_reported(world, frame, rules, verdict):
    outcome = judged(world, frame)
    assert ({f.rule for f in outcome.findings}, outcome.verdict) == (rules, verdict)


def test_a_constant_channel_is_reported_with_file_column_and_remedy(world):
    (finding,) = judged(world, features(act_tv=40.0)).findings
    assert finding.message.startswith("panel.csv, column 'act_tv': the channel never changes")
    assert "Drop the channel from the spec" in finding.remedy


def test_a_collinear_pair_is_named(world):
    outcome = judged(world, features(act_web=BASE["act_tv"] * 3))
    pair = next(f for f in outcome.findings if f.rule == "collinear_channels")
    assert "'act_tv'" in pair.message
    assert "'act_web'" in pair.message


def test_few_rows_per_parameter_are_a_note(world):
    outcome = judged(world, BASE, n_parameters=21)
    (finding,) = outcome.findings
    assert (finding.rule, finding.is_note) == ("rows_per_parameter", True)
    # 100 fitted rows over 21 parameters: 4.7619...
    assert "there are 4.762 rows per parameter" in finding.message
    assert outcome.verdict is Verdict.PASS


def test_variance_inflation_of_two_columns_is_one_over_one_minus_r_squared():
    values = features()[["act_tv", "act_web"]]
    r = values.corr().iloc[0, 1]
    expected = pytest.approx(1 / (1 - r**2))
    assert variance_inflation(values) == {"act_tv": expected, "act_web": expected}


def grid(grain, n, first=date(2022, 1, 3)):
    starts = [first]
    while len(starts) < n:
        starts.append(next_start(starts[-1], grain))
    return starts


@given(st.sampled_from(Grain), st.integers(8, 60), st.data())
def test_the_grain_is_found_whatever_single_period_is_missing(grain, n, data):
    starts = grid(grain, n)
    starts.pop(data.draw(st.integers(1, n - 2)))
    assert detect_grain(starts) is grain


def test_days_are_no_grain():
    assert detect_grain([date(2022, 1, 1) + timedelta(days=i) for i in range(40)]) is None
    assert detect_grain([date(2022, 1, 1)]) is None


def test_a_channel_that_others_determine_is_refused_and_dropping_it_is_enough(world):
    frame = features()
    frame["act_all"] = 3 * frame["act_tv"] + frame["act_web"]
    outcome = judged_channels(world, frame, ["act_tv", "act_web", "act_all"])
    assert [f.rule for f in outcome.findings if f.verdict is Verdict.FAIL] == ["dependent_channels"]
    assert judged_channels(world, frame, ["act_tv", "act_web"]).verdict is Verdict.PASS


def test_markets_of_different_size_are_no_dependence(world):
    """Every channel goes with the size of its market; within each they move by themselves."""
    markets = [
        features(act_tv=size * (1 + 0.1 * rng.normal(size=120)), entity_id=f"m{size}",
                 act_web=size * (2 + 0.2 * rng.normal(size=120)))
        for size, rng in zip((1, 10, 100, 1000), map(np.random.default_rng, range(4)), strict=True)
    ]  # fmt: skip
    outcome = judged_channels(world, pd.concat(markets, ignore_index=True), ["act_tv", "act_web"])
    assert not {f.rule for f in outcome.findings} & {"collinear_channels", "variance_inflation"}
